import { PAGE_SIZE } from "../../base/units.ts";
import { assert } from "../../base/assert.ts";
import { copyTime } from "../../hw/machine_profile.ts";
import type { Memory } from "../../hw/memory.ts";
import type { Interrupt, Processor } from "../../hw/processor.ts";
import { COPY, DRIVER, FRONTEND, IRQ, KERNEL, PIN, QUEUEING, SYSCALL } from "../../metrics/stage.ts";
import { CommandQueue } from "../../mx/driver/command_queue.ts";
import {
  CMD_CREATE_REGION,
  CMD_DESTROY_REGION,
  type DriverInfo,
  type EndpointOwner,
  type EndpointQueues,
  MxCommand,
  type MxDriver,
  RESULT_NO_RESOURCES,
  RESULT_OK,
} from "../../mx/driver/contract.ts";
import { EventProducer, QueueMemory } from "../../mx/driver/event_queues.ts";
import type { PeerTable } from "../../mx/driver/peer_table.ts";
import type { Domain } from "../../xen/domain.ts";
import { FrontRing, initSharedRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import { type Channel, PAGES_PER_BURST, type Tuning } from "./channel.ts";
import { GrantedRegion, ListPages } from "./grants.ts";
import { encodeCreate, encodeDestroy, encodeOpen } from "./control_messages.ts";
import { EventReceiver } from "./event_receiver.ts";
import {
  encodeCommand,
  FUNC_CLOSE_ENDPOINT,
  FUNC_CREATE_REGION,
  FUNC_DESTROY_REGION,
  FUNC_OPEN_ENDPOINT,
  OPEN_SESSION,
  REGION_KEEP_MAPPING,
  REGION_ONLY_UNMAP,
  SLOT_BYTES,
  SLOT_EID,
  SLOT_FUNC,
  SLOT_REQUEST,
  SLOT_RET,
  SLOT_UNION,
} from "./layout.ts";

/** Slots of each queue: more than 512 pages would not fit in one list page of references (README.xen:11). */
const ENTRIES = 256;
const CMD_OPEN = 100;
const CMD_CLOSE = 101;

// Where the command in progress stands.
const IDLE = 0;
const PREPARING = 1; // pinning and granting
const SENT = 2; // on the ring: spinning for the answer
const REVOKING = 3; // answered: taking grants back
const EVICTING = 4; // on the ring: dom0 gives up a cached mapping, to make room for another

/**
 * The guest's half of Xen2MX: CUT 1 carried over a shared ring (fe/omx_xenfront.c). Every command takes a slot, and the
 * calling thread spins in the kernel until dom0 has answered. Events come the other way, into the guest's own queues.
 */
export class Frontend implements MxDriver {
  readonly info: DriverInfo;
  readonly memory: Memory;
  readonly domain: Domain;
  readonly ring: FrontRing;
  readonly ringRefs = new Int32Array(2);
  readonly #receiver: EventReceiver;
  port = -1;

  readonly #world: World;
  readonly #tuning: Tuning;
  readonly #channel: Channel;
  readonly #peers: PeerTable;
  readonly #syscallPs: number;
  #owner: EndpointOwner | null = null;
  #endpoint = 0;
  #queue = new CommandQueue();
  #phase = IDLE;
  #answered = false; // by an interrupt, where the guest does not poll
  #result = 0;
  #afterRegion = false;
  #region: GrantedRegion | null = null;
  #evicted: GrantedRegion | null = null;
  #makingRoom = false;
  /** Dom0 could not map a region: before the next one, an unused one is given up. */
  #dom0IsFull = false;
  #regions: (GrantedRegion | null)[] = new Array(256).fill(null);
  #cached: GrantedRegion[] = [];
  #nextMapping = 1;
  readonly #lists: ListPages;
  #queueGrants: GrantedRegion[] = [];
  #endpointPage = 0;
  #endpointRef = new Int32Array(1);
  readonly #publish: number;
  #sender: Interrupt | null = null;

  constructor(world: World, domain: Domain, hostname: string, peers: PeerTable, tuning: Tuning, channel: Channel) {
    this.#world = world;
    this.domain = domain;
    this.memory = domain.memory;
    this.#tuning = tuning;
    this.#channel = channel;
    this.#peers = peers;
    this.#syscallPs = world.costs.syscall + world.costs.pvSyscall;
    this.#lists = new ListPages(domain);
    const local = peers.at(0)!;
    this.info = {
      limits: world.mx,
      mac: (local.macHigh * 2 ** 32 + local.macLow).toString(16).padStart(12, "0"),
      hostname,
      sharedComms: true,
    };
    const pages = domain.allocPages(2);
    initSharedRing(this.memory, pages);
    initSharedRing(this.memory, pages + PAGE_SIZE);
    domain.grantTable.reserve(null, 2, this.ringRefs);
    for (let i = 0; i < 2; i++) {
      domain.grantTable.grantAccess(null, this.ringRefs[i], 0, pages / PAGE_SIZE + i, false);
    }
    this.ring = new FrontRing(this.memory, pages, SLOT_BYTES);
    const recvRing = new FrontRing(this.memory, pages + PAGE_SIZE, SLOT_BYTES);
    this.#receiver = new EventReceiver(world, domain.name, recvRing, channel, () => this.#kick());
    this.#publish = world.engine.handler(`${domain.name} request`, (to) => this.#requestsReady(to));
    channel.onResponses = () => {
      if (this.#tuning.polling && (this.#phase === SENT || this.#phase === EVICTING)) this.#owner?.wake();
    };
  }

  /** The interrupt handler of the device's event channel. */
  interrupt(cpu: Processor): void {
    if (!this.#tuning.polling) this.#takeAnswers(cpu);
    this.#receiver.interrupt(cpu);
  }

  get recvRing(): FrontRing {
    return this.#receiver.ring;
  }

  /** The guest's event queues, whose free-running indexes dom0 advances through the granted endpoint page. */
  get events(): EventProducer | null {
    return this.#receiver.events;
  }

  /** Binds the frontend's end of the event channel: step 3 of the handshake. */
  bind(port: number): void {
    this.port = port;
    this.#sender = this.domain.eventChannels.sender(port);
  }

  // ---- MxDriver

  open(cpu: Processor, index: number, session: number, owner: EndpointOwner): EndpointQueues | null {
    const alloc = (bytes: number) => this.domain.allocPages(Math.ceil(bytes / PAGE_SIZE));
    const queues = new QueueMemory(alloc, this.#world.mx, index, session, ENTRIES);
    this.#owner = owner;
    this.#endpoint = index;
    const { engine } = this.#world;
    this.#receiver.closed = false;
    this.#receiver.events = new EventProducer(engine, this.memory, this.domain.name, queues, () => owner.wake());
    this.#submitControl(cpu, CMD_OPEN, session);
    return queues;
  }

  close(cpu: Processor): void {
    this.#receiver.closed = true;
    this.#submitControl(cpu, CMD_CLOSE, 0);
  }

  peerByName(name: string): number {
    return this.#peers.byName(name)?.index ?? -1;
  }

  peerByMac(mac: number): number {
    return this.#peers.byMac(mac)?.index ?? -1;
  }

  peerMac(peer: number): number {
    return this.#peers.at(peer)?.mac ?? -1;
  }

  peerName(peer: number): string | null {
    return this.#peers.at(peer)?.name ?? null;
  }

  peerIsLocal(peer: number): boolean {
    return this.#peers.at(peer)?.isLocal ?? false;
  }

  submit(cpu: Processor, command: MxCommand): void {
    const isFirst = this.#queue.isEmpty;
    this.#queue.push(command);
    if (isFirst) this.#begin(cpu, this.#queue.first);
  }

  advance(cpu: Processor): boolean {
    while (!this.#queue.isEmpty) {
      const command = this.#queue.first;
      if (this.#phase === PREPARING && !this.#prepare(cpu, command)) return false;
      if ((this.#phase === SENT || this.#phase === EVICTING) && !this.#answer(command)) return false;
      if (this.#phase === REVOKING && !this.#revoke(cpu)) return false;
      if (this.#phase !== IDLE) return false;
      this.#queue.shift();
      if (this.#queue.isEmpty) break;
      cpu.carry(this.#queue.first.journey, this.#afterRegion ? PIN : QUEUEING);
      this.#begin(cpu, this.#queue.first);
      cpu.putDown();
    }
    this.#afterRegion = false;
    return true;
  }

  release(unexpectedConsumed: number, expectedConsumed: number): void {
    this.events?.release(unexpectedConsumed, expectedConsumed);
  }

  /** They are dom0's. */
  counters(): null {
    return null;
  }

  chargeSleep(cpu: Processor): void {
    this.#enter(cpu);
  }

  // ---- commands

  #submitControl(cpu: Processor, kind: number, session: number): void {
    const command = new MxCommand();
    command.kind = kind;
    command.session = session;
    this.submit(cpu, command);
  }

  #enter(cpu: Processor): void {
    cpu.charge(SYSCALL, KERNEL, this.#syscallPs);
    cpu.charge(DRIVER, KERNEL, this.#world.costs.ioctl);
  }

  #begin(cpu: Processor, command: MxCommand): void {
    this.#enter(cpu);
    switch (command.kind) {
      case CMD_OPEN:
        this.#sendOpen(cpu, command);
        return;
      case CMD_CLOSE: {
        const slot = this.#claim(cpu, FUNC_CLOSE_ENDPOINT);
        this.memory.view.setUint32(slot + SLOT_UNION + OPEN_SESSION, 0, true);
        this.#send(cpu, -1);
        return;
      }
      case CMD_CREATE_REGION:
        this.#beginCreate(cpu, command);
        return;
      case CMD_DESTROY_REGION:
        this.#sendDestroy(cpu, command);
        return;
      default: {
        const slot = this.#claim(cpu, 0);
        const bytes = encodeCommand(this.memory, slot, command);
        if (bytes > 0) cpu.charge(COPY, KERNEL, copyTime(this.#world.costs.copyCachedByte, bytes));
        this.#send(cpu, command.journey);
      }
    }
  }

  #claim(cpu: Processor, func: number): number {
    cpu.charge(FRONTEND, KERNEL, this.#world.costs.frontendPush);
    const number = this.ring.reqProdPvt;
    // One command at a time, each answered before the next: the ring cannot be full.
    const slot = this.ring.claimRequest();
    const { view } = this.memory;
    view.setUint32(slot + SLOT_FUNC, func, true);
    view.setUint32(slot + SLOT_EID, this.#endpoint, true);
    view.setUint32(slot + SLOT_REQUEST, number & 0xffff, true);
    return slot;
  }

  #send(cpu: Processor, journey: number): void {
    this.#channel.commandJourneys[this.ring.slotNumber(this.ring.reqProdPvt - 1)] = journey;
    this.#phase = SENT;
    this.#answered = false;
    cpu.post(this.#publish, this.ring.reqProdPvt | 0);
  }

  #requestsReady(to: number): void {
    if (this.ring.publishRequests(to)) this.#kick();
    this.#channel.onRequests();
  }

  #kick(): void {
    this.domain.processors[0].raise(this.#sender!);
  }

  /** Looks for dom0's answer: in the ring itself, or where the interrupt handler has left it. */
  #answer(command: MxCommand): boolean {
    if (this.#tuning.polling) {
      if (this.ring.unconsumedResponses() <= 0) return false;
      this.#result = this.memory.view.getInt32(this.ring.takeResponse() + SLOT_RET, true);
    } else if (!this.#answered) {
      return false;
    }
    if (this.#phase === EVICTING) {
      this.#phase = REVOKING;
      return true;
    }
    this.#phase = IDLE;
    this.#finished(command, this.#result === 0 ? RESULT_OK : RESULT_NO_RESOURCES);
    return true;
  }

  #takeAnswers(cpu: Processor): void {
    while (this.ring.unconsumedResponses() > 0) {
      this.#result = this.memory.view.getInt32(this.ring.takeResponse() + SLOT_RET, true);
      this.#answered = true;
      cpu.charge(FRONTEND, IRQ, this.#world.costs.frontendEvent);
    }
    this.ring.finalCheckForResponses();
    if (this.#answered) this.#owner?.wake();
  }

  #finished(command: MxCommand, result: number): void {
    switch (command.kind) {
      case CMD_OPEN:
        return;
      case CMD_CLOSE:
        this.#beginRelease();
        return;
      case CMD_CREATE_REGION:
        this.#afterRegion = true;
        if (result === RESULT_OK) {
          this.#regions[command.region] = this.#region;
        } else {
          this.#cached = this.#cached.filter((region) => region !== this.#region);
          this.#evicted = this.#region;
          this.#phase = REVOKING;
          this.#dom0IsFull = true;
        }
        break;
      case CMD_DESTROY_REGION: {
        const region = this.#regions[command.region]!;
        this.#regions[command.region] = null;
        region.inUse = false;
        if (!this.#tuning.grantReuse) {
          this.#evicted = region;
          this.#phase = REVOKING;
        }
        break;
      }
    }
    this.#owner!.commandDone(command.kind, command.cookie, result);
  }

  // ---- endpoint queues

  #sendOpen(cpu: Processor, command: MxCommand): void {
    const { queues } = this.events!;
    const slotBytes = this.#world.mx.slotBytes * ENTRIES;
    const grant = (address: number, length: number) => {
      const region = GrantedRegion.create(cpu, this.domain, this.#lists, 0, address, length);
      assert(region !== null, "xen2mx: a fresh guest has references for its queues");
      region.grantSome(cpu, region.pages);
      this.#queueGrants.push(region);
      return region;
    };
    const send = grant(queues.sendQueue, slotBytes);
    const recv = grant(queues.recvQueue, slotBytes);
    if (this.#endpointPage === 0) this.#endpointPage = this.domain.allocPages(1);
    this.domain.grantTable.reserve(cpu, 1, this.#endpointRef);
    this.domain.grantTable.grantAccess(cpu, this.#endpointRef[0], 0, this.#endpointPage / PAGE_SIZE, false);
    const slot = this.#claim(cpu, FUNC_OPEN_ENDPOINT);
    encodeOpen(this.memory.view, slot, command.session, send, recv, this.#endpointRef[0]);
    this.#send(cpu, -1);
  }

  /** The endpoint is closed in dom0 and nothing of ours is mapped there: everything is taken back. */
  #beginRelease(): void {
    for (const region of this.#regions) {
      if (region !== null && !this.#cached.includes(region)) this.#cached.push(region);
    }
    this.#regions.fill(null);
    this.#queueGrants.push(...this.#cached);
    this.#cached = [];
    this.#evicted = this.#queueGrants.pop() ?? null;
    this.#phase = REVOKING;
  }

  /** Takes grants back in pieces. */
  #revoke(cpu: Processor): boolean {
    if (this.#evicted === null) {
      this.#phase = IDLE;
      return true;
    }
    if (!this.#evicted.revokeSome(cpu, PAGES_PER_BURST, this.#lists)) return this.#again();
    this.#evicted = null;
    if (this.#queue.first.kind === CMD_CLOSE) {
      if (this.#queueGrants.length > 0) {
        this.#evicted = this.#queueGrants.pop()!;
        return this.#again();
      }
      this.domain.grantTable.endAccess(cpu, this.#endpointRef[0]);
      this.domain.grantTable.release(this.#endpointRef, 1);
    }
    this.#phase = IDLE;
    if (!this.#makingRoom) return true;
    this.#makingRoom = false;
    this.#beginCreate(cpu, this.#queue.first);
    return false;
  }

  #again(): false {
    this.#owner!.wake();
    return false;
  }

  // ---- regions

  #beginCreate(cpu: Processor, command: MxCommand): void {
    if (this.#tuning.grantReuse) {
      const held = this.#cached.find((region) =>
        !region.inUse && region.address === command.address && region.length === command.length
      );
      if (held !== undefined) {
        held.inUse = true;
        this.#region = held;
        this.#sendCreate(cpu, command, held, 0);
        return;
      }
    }
    if (this.#dom0IsFull) {
      this.#dom0IsFull = false;
      if (this.#makeRoom(cpu)) return;
    }
    const { costs } = this.#world;
    cpu.charge(PIN, KERNEL, costs.pinBase);
    const region = GrantedRegion.create(
      cpu,
      this.domain,
      this.#lists,
      this.#nextMapping,
      command.address,
      command.length,
    );
    this.#region = region;
    this.#phase = PREPARING;
    if (region === null) {
      this.#makeRoom(cpu);
      return;
    }
    this.#nextMapping++;
    this.#prepare(cpu, command);
  }

  /** Gives up the cached region that was granted first and is not in use; false when there is none. */
  #makeRoom(cpu: Processor): boolean {
    const at = this.#cached.findIndex((region) => !region.inUse);
    if (at < 0) return false;
    const [evicted] = this.#cached.splice(at, 1);
    this.#evicted = evicted;
    this.#makingRoom = true;
    const slot = this.#claim(cpu, FUNC_DESTROY_REGION);
    encodeDestroy(this.memory.view, slot, 0, REGION_ONLY_UNMAP, evicted.mapping);
    this.#send(cpu, -1);
    this.#phase = EVICTING;
    return true;
  }

  /** Pins and grants some pages; true when all are ready and the message is on its way. */
  #prepare(cpu: Processor, command: MxCommand): boolean {
    const region = this.#region;
    if (region === null) {
      // The grant table is full of cached regions, or simply full: the library tries again later.
      this.#phase = IDLE;
      this.#owner!.commandDone(command.kind, command.cookie, RESULT_NO_RESOURCES);
      return true;
    }
    const pages = Math.min(PAGES_PER_BURST, region.pages - region.granted);
    cpu.charge(PIN, KERNEL, pages * this.#world.costs.pinPage);
    if (!region.grantSome(cpu, pages)) return this.#again();
    if (this.#tuning.grantReuse) this.#cached.push(region);
    this.#sendCreate(cpu, command, region, region.pages);
    return true;
  }

  #sendCreate(cpu: Processor, command: MxCommand, region: GrantedRegion, pages: number): void {
    const slot = this.#claim(cpu, FUNC_CREATE_REGION);
    encodeCreate(this.memory.view, slot, command, region, pages);
    this.#send(cpu, -1);
  }

  #sendDestroy(cpu: Processor, command: MxCommand): void {
    const slot = this.#claim(cpu, FUNC_DESTROY_REGION);
    const keep = this.#tuning.grantReuse ? REGION_KEEP_MAPPING : 0;
    encodeDestroy(this.memory.view, slot, command.region, keep, this.#regions[command.region]!.mapping);
    this.#send(cpu, -1);
  }
}
