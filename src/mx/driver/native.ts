import * as units from "../../base/units.ts";
import type { Memory } from "../../hw/memory.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as limits from "../limits.ts";
import { CommandQueue } from "./command_queue.ts";
import type { DriverInfo, EndpointOwner, EndpointQueues, MxCommand, MxDriver } from "./contract.ts";
import * as contract from "./contract.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint, EventSink } from "./endpoint.ts";
import { EventProducer, QueueMemory } from "./event_queues.ts";
import * as queues from "./event_queues.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { pagesSpanned } = units;
const { DRIVER, KERNEL, PIN, QUEUEING, SYSCALL } = stages;
const { MAX_SEGMENTS } = limits;
const { CMD_CREATE_REGION, CMD_DESTROY_REGION, RESULT_INVALID } = contract;
const { QUEUES_REST_PS } = queues;

export interface NativeOptions {
  /** Asks the library to keep registrations for the next message from the same buffer (OMX_RCACHE). */
  readonly registrationCache?: boolean;
  /** Page-aligned memory of whoever owns the endpoint's queues; the machine's own by default. */
  readonly alloc?: (bytes: number) => number;
}

/** Of an endpoint's four queues the last ones have events. */
const EVENT_QUEUES = 2;

/** Pages that are pinned or released in one burst. */
const PAGES_PER_BURST = 32;

/**
 * CUT 1 without a cut: library and driver on one kernel. A command is a system call that is executed at once; pinning
 * a large region goes on over several bursts while the thread stays in the kernel.
 */
export class NativeDriver implements MxDriver {
  readonly info: DriverInfo;
  readonly memory: Memory;
  readonly #driver: OmxDriver;
  readonly #name: string;
  readonly #entries: number;
  /** What entering and leaving the kernel costs here, picoseconds. */
  readonly #syscallPs: number;
  readonly #alloc: (bytes: number) => number;
  #endpoint: DriverEndpoint | null = null;
  #owner: EndpointOwner | null = null;
  #events: EventProducer | null = null;
  #queue = new CommandQueue();
  #pagesLeft = 0;
  #afterRegion = false;

  /** `syscallPs` is the machine's system call, with whatever its hypervisor adds; `entries` the slots of each queue. */
  constructor(
    driver: OmxDriver,
    name: string,
    hostname: string,
    syscallPs: number,
    entries: number,
    options: NativeOptions = {},
  ) {
    this.#driver = driver;
    this.#name = name;
    this.#entries = entries;
    this.#syscallPs = syscallPs;
    this.memory = driver.memory;
    this.#alloc = options.alloc ?? ((bytes) => driver.memory.alloc(bytes));
    const { macHigh, macLow } = driver.port;
    this.info = {
      limits: driver.limits,
      mac: (macHigh * 2 ** 32 + macLow).toString(16).padStart(12, "0"),
      hostname,
      sharedComms: true,
      registrationCache: options.registrationCache ?? false,
    };
  }

  open(cpu: Processor, index: number, session: number, owner: EndpointOwner): EndpointQueues | null {
    this.#enter(cpu);
    if (this.#driver.endpoints[index] !== null) return null; // taken, or beyond the table
    const { limits, memory } = this.#driver;
    const queues = new QueueMemory(this.#queueAlloc(), limits, index, session, this.#entries, memory.isLarge);
    const events = new EventProducer(this.#driver.commitHandlers, memory, this.#name, queues, owner);
    const endpoint = this.#driver.open(
      index,
      session,
      new LocalSink(events),
      queues.sendQueue,
    );
    if (endpoint === null) {
      events.close();
      return null;
    }
    this.#endpoint = endpoint;
    this.#owner = owner;
    this.#events = events;
    return queues;
  }

  close(cpu: Processor): void {
    if (this.#endpoint === null) return;
    this.#enter(cpu);
    const endpoint = this.#endpoint;
    this.#driver.close(endpoint);
    this.#endpoint = null;
    this.#events!.close();
    const { sendQueue, recvQueue, unexpectedEvents, expectedEvents } = this.#events!.queues;
    // Slots that have come by use lie anywhere: they are not given to another endpoint.
    if (this.memory.isLarge) return;
    const addresses = [sendQueue.at(0), recvQueue.at(0), unexpectedEvents, expectedEvents];
    const { closedQueues, engine } = this.#driver;
    const closed = { closedAt: engine.now, addresses };
    endpoint.whenLeft(cpu, () => closedQueues.push(closed));
  }

  /** Memory for an endpoint's queues, in their order: that of an endpoint that has been closed for long. */
  #queueAlloc(): (bytes: number) => number {
    const { closedQueues, engine } = this.#driver;
    if (closedQueues.length === 0) return this.#alloc;
    if (engine.now - closedQueues[0].closedAt < QUEUES_REST_PS) return this.#alloc;
    const addresses = [...closedQueues.shift()!.addresses];
    return (bytes) => {
      const address = addresses.shift()!;
      // Events that are not there yet must look so; slots are written before anybody reads them.
      const isEvents = addresses.length < EVENT_QUEUES;
      if (isEvents) this.memory.u8.fill(0, address, address + bytes);
      return address;
    };
  }

  peerByName(name: string): number {
    return this.#driver.peers.byName(name)?.index ?? -1;
  }

  peerByMac(mac: number): number {
    return this.#driver.peers.byMac(mac)?.index ?? -1;
  }

  peerMac(peer: number): number {
    return this.#driver.peers.at(peer)?.mac ?? -1;
  }

  peerName(peer: number): string | null {
    return this.#driver.peers.at(peer)?.name ?? null;
  }

  submit(cpu: Processor, command: MxCommand): void {
    if (!this.#queue.isEmpty) {
      this.#queue.push(command);
      return;
    }
    if (this.#begin(cpu, command)) return;
    this.#queue.push(command);
  }

  advance(cpu: Processor): boolean {
    while (!this.#queue.isEmpty) {
      const command = this.#queue.first;
      if (this.#pagesLeft > 0) {
        if (!this.#workPages(cpu, command)) return false;
      } else {
        cpu.carry(command.journey, this.#afterRegion ? PIN : QUEUEING);
        const done = this.#begin(cpu, command);
        cpu.putDown();
        if (!done) return false;
      }
      this.#queue.shift();
    }
    this.#afterRegion = false;
    return true;
  }

  release(unexpectedConsumed: number, expectedConsumed: number): void {
    this.#events?.release(unexpectedConsumed, expectedConsumed);
  }

  counters(): Float64Array {
    return this.#driver.counters;
  }

  chargeSleep(cpu: Processor): void {
    this.#enter(cpu);
  }

  #enter(cpu: Processor): void {
    cpu.charge(SYSCALL, KERNEL, this.#syscallPs);
    cpu.charge(DRIVER, KERNEL, this.#driver.costs.ioctl);
  }

  /** Starts a command; true when it is done, false when pages are left to work on. */
  #begin(cpu: Processor, command: MxCommand): boolean {
    this.#enter(cpu);
    if (command.kind === CMD_CREATE_REGION && !covers(command)) {
      this.#owner!.commandDone(command.kind, command.cookie, RESULT_INVALID);
      return true;
    }
    if (command.kind === CMD_CREATE_REGION || command.kind === CMD_DESTROY_REGION) {
      this.#pagesLeft = this.#pagesOf(command);
      if (command.kind === CMD_CREATE_REGION) cpu.charge(PIN, KERNEL, this.#driver.costs.pinBase);
      return this.#workPages(cpu, command);
    }
    const result = this.#driver.execute(cpu, KERNEL, this.#endpoint!, command);
    this.#owner!.commandDone(command.kind, command.cookie, result);
    return true;
  }

  #pagesOf(command: MxCommand): number {
    if (command.kind === CMD_DESTROY_REGION) return this.#endpoint!.regions[command.region]?.pages ?? 0;
    if (command.segments === null) return pagesSpanned(command.address, command.length);
    return command.segments.reduce((sum, { address, length }) => sum + pagesSpanned(address, length), 0);
  }

  /** Pins or releases some pages; true when all are done and the region has come or gone. */
  #workPages(cpu: Processor, command: MxCommand): boolean {
    const creating = command.kind === CMD_CREATE_REGION;
    const { costs } = this.#driver;
    const pages = Math.min(this.#pagesLeft, PAGES_PER_BURST);
    cpu.charge(PIN, KERNEL, pages * (creating ? costs.pinPage : costs.unpinPage));
    this.#pagesLeft -= pages;
    if (this.#pagesLeft > 0) {
      this.#owner!.wake(); // the thread goes on at once: it does not wait for anybody
      return false;
    }
    const endpoint = this.#endpoint!;
    const result = creating
      ? this.#driver.createRegion(
        endpoint,
        command.region,
        command.length,
        command.segments ?? [{ address: command.address, length: command.length }],
      )
      : this.#driver.destroyRegion(cpu, endpoint, command.region);
    this.#afterRegion = true;
    this.#owner!.commandDone(command.kind, command.cookie, result);
    return true;
  }
}

/** Whether a region's segments, if it has several, are not too many and hold its bytes. */
function covers({ segments, length }: MxCommand): boolean {
  if (segments === null) return true;
  return segments.length <= MAX_SEGMENTS && segments.reduce((sum, segment) => sum + segment.length, 0) >= length;
}

/** Events go straight into the queues of the endpoint. */
class LocalSink implements EventSink {
  recvSlot = 0;
  recvAddress = 0;
  readonly #events: EventProducer;
  #number = 0;
  #expected = false;

  constructor(events: EventProducer) {
    this.#events = events;
  }

  reserve(_cpu: Processor, expected: boolean, withData: boolean): number {
    const number = this.#events.reserve(expected);
    if (number < 0) return -1;
    this.#number = number;
    this.#expected = expected;
    if (withData) {
      this.recvSlot = this.#events.reserveRecvSlot();
      this.recvAddress = this.#events.queues.recvQueue.at(this.recvSlot);
    }
    return this.#events.address(number, expected);
  }

  commit(cpu: Processor, type: number, journey: number): void {
    this.#events.commit(cpu, this.#number, this.#expected, type, journey);
  }
}
