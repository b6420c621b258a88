import * as profile from "../../hw/machine_profile.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import {
  type DriverInfo,
  type EndpointOwner,
  type EndpointQueues,
  MxCommand,
  type MxDriver,
} from "../../mx/driver/contract.ts";
import * as contract from "../../mx/driver/contract.ts";
import { EventProducer } from "../../mx/driver/event_queues.ts";
import * as channels from "./channel.ts";
import * as messages from "./command_messages.ts";
import { encodeOpen } from "./control_messages.ts";
import { FrontCommands } from "./front_commands.ts";
import { FrontPeers, type PeerQuestion } from "./front_peers.ts";
import { FrontQueues } from "./front_queues.ts";
import { FrontRegions } from "./front_regions.ts";
import type { Task } from "./front_task.ts";
import * as tasks from "./front_task.ts";
import type { Frontend } from "./frontend.ts";
import * as layout from "./layout.ts";
import { FUNC_BOARD_INFO, PEER_INDEX } from "./peer_messages.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { copyTime } = profile;
const { KERNEL } = stages;
const { CMD_CREATE_REGION, CMD_DESTROY_REGION, RESULT_NO_RESOURCES, RESULT_OK } = contract;
const { PAGES_PER_BURST } = channels;
const { encodeCommand } = messages;
const { ANSWER, WORK } = tasks;
const { ENDPOINTS, FUNC_CLOSE_ENDPOINT, FUNC_OPEN_ENDPOINT, LIFE_MASK, SLOT_UNION, toFunc } = layout;

/** Commands of our own, in the queue beside the library's. */
const CMD_OPEN = 100;
const CMD_CLOSE = 101;
const CMD_BOARD_INFO = 102;
const CMD_ASK_PEER = 103;

/**
 * One endpoint of a guest: CUT 1 carried over the device's ring. A command takes a slot, and the calling thread spins in
 * the kernel until dom0 has answered. Events come the other way, into the guest's own queues.
 */
export class FrontEndpoint extends FrontCommands implements MxDriver {
  readonly regions: FrontRegions;
  /** Tells this opening of the index from others: see `OPEN_LIFE`. */
  readonly life: number;
  /** The event queues, whose free-running indexes dom0 advances; null while the endpoint is not open. */
  events: EventProducer | null = null;
  readonly #peers: FrontPeers;
  /** What the ASK_PEER commands in the queue ask, in their order. */
  readonly #questions: PeerQuestion[] = [];
  #queues: FrontQueues | null = null;

  constructor(device: Frontend, life: number) {
    super(device);
    this.life = life & LIFE_MASK;
    this.regions = new FrontRegions(this);
    this.#peers = new FrontPeers(device, (question) => this.#ask(question));
  }

  get info(): DriverInfo {
    return this.device.info;
  }

  // ---- MxDriver

  open(cpu: Processor, index: number, session: number, owner: EndpointOwner): EndpointQueues | null {
    const { device } = this;
    if (index < 0 || index >= ENDPOINTS) return null;
    if ((device.endpoints[index] ?? null) !== null && !device.tuning.historical) {
      this.enter(cpu);
      return null;
    }
    const queues = new FrontQueues(device.domain, device.pages, device.world.mx, index, session);
    this.owner = owner;
    this.#queues = queues;
    this.index = index;
    this.events = new EventProducer(device.commitHandlers, this.memory, device.name, queues.memory, owner);
    device.opening(this, queues.page);
    this.#submitControl(cpu, CMD_OPEN, session);
    // The library asks for its board, and for the index of its own host, when it opens (omx_endpoint.c).
    this.#submitControl(cpu, CMD_BOARD_INFO, 0);
    this.#peers.byAddress(...device.address);
    return queues.memory;
  }

  close(cpu: Processor): void {
    if (this.events === null) return;
    this.events.close();
    this.events = null; // what dom0 sends before it has seen the close is nobody's
    this.#submitControl(cpu, CMD_CLOSE, 0);
  }

  peerByName(name: string): number {
    return this.#peers.byName(name);
  }

  peerByMac(mac: number): number {
    return this.#peers.byAddress(Math.floor(mac / 2 ** 32), mac % 2 ** 32);
  }

  peerMac(peer: number): number {
    return this.#peers.address(peer);
  }

  peerName(peer: number): string | null {
    return this.#peers.name(peer);
  }

  /** The message for them exists and has no handler (reference, 4.3). */
  counters(): null {
    return null;
  }

  release(unexpectedConsumed: number, expectedConsumed: number): void {
    this.events?.release(unexpectedConsumed, expectedConsumed);
  }

  // ---- commands

  #submitControl(cpu: Processor, kind: number, session: number): void {
    const command = new MxCommand();
    command.kind = kind;
    command.session = session;
    this.submit(cpu, command);
  }

  /** Puts a question behind the commands given so far; the next call goes on with it. Without an endpoint it is free. */
  #ask(question: PeerQuestion): void {
    if (this.events === null) return;
    const command = new MxCommand();
    command.kind = CMD_ASK_PEER;
    this.#questions.push(question);
    this.queue.push(command);
  }

  protected override encode(cpu: Processor, command: MxCommand): boolean {
    const { view } = this.memory;
    if (command.kind === CMD_ASK_PEER) {
      const { func, write } = this.#questions.shift()!;
      write(view, this.claim(cpu, func) + SLOT_UNION);
      return true;
    }
    if (command.kind === CMD_BOARD_INFO) {
      this.claim(cpu, FUNC_BOARD_INFO);
      return true;
    }
    const func = toFunc(command.kind);
    if (func < 0) return false;
    const bytes = encodeCommand(this.memory, this.claim(cpu, func), command);
    if (bytes > 0) {
      cpu.copy(KERNEL, copyTime(this.device.world.costs.copyCachedByte, bytes), bytes, "command > ring slot");
    }
    return true;
  }

  protected override taskOf(cpu: Processor, command: MxCommand): Task | null {
    switch (command.kind) {
      case CMD_OPEN:
        return this.#open(cpu, command.session);
      case CMD_CLOSE:
        return this.#close(cpu);
      case CMD_CREATE_REGION:
        return this.regions.create(cpu, command);
      case CMD_DESTROY_REGION:
        return this.regions.destroy(cpu, command);
      default:
        return null;
    }
  }

  protected override heard(kind: number, slot: number): void {
    const { view } = this.memory;
    if (kind === CMD_ASK_PEER) this.device.peerKnown(view.getUint32(slot + SLOT_UNION + PEER_INDEX, true));
    else if (kind === CMD_BOARD_INFO) this.device.boardKnown(view, slot + SLOT_UNION);
  }

  protected override finished(kind: number, cookie: number, result: number): void {
    if (kind < CMD_OPEN) return this.owner!.commandDone(kind, cookie, result);
    if (kind !== CMD_OPEN || result === RESULT_OK) return;
    // What the library would have asked next it does not ask.
    while (!this.queue.isEmpty) this.queue.shift();
    this.#questions.length = 0;
    this.owner!.openFailed?.(result);
  }

  // ---- opening and closing

  *#open(cpu: Processor, session: number): Task {
    const queues = this.#queues!;
    const { device } = this;
    let result = RESULT_OK;
    while (result === RESULT_OK && !queues.grant(cpu)) {
      if (!(yield* this.regions.makeRoom(cpu))) result = RESULT_NO_RESOURCES;
    }
    if (result === RESULT_OK) {
      const { life } = this;
      const slot = this.claim(cpu, FUNC_OPEN_ENDPOINT);
      const { send, recv, endpointRef } = queues;
      encodeOpen(this.memory.view, slot, { life, session, send: send!, recv: recv!, endpointRef: endpointRef[0] });
      this.send(cpu);
      result = yield ANSWER;
      // The original marks the open done whatever the answer is (fe/omx_xenfront.c:1150-1176).
      if (result === RESULT_OK || device.tuning.historical) return RESULT_OK;
    }
    device.counters.opensRefused++;
    this.events = null;
    yield* this.#release(cpu);
    return result;
  }

  *#close(cpu: Processor): Task {
    this.claim(cpu, FUNC_CLOSE_ENDPOINT);
    this.send(cpu);
    const result = yield ANSWER;
    yield* this.regions.release(cpu);
    yield* this.#release(cpu);
    return result;
  }

  /** Takes everything back that the endpoint was granted and given. */
  *#release(cpu: Processor): Task<void> {
    const queues = this.#queues!;
    while (!queues.revokeSome(cpu, PAGES_PER_BURST)) yield WORK;
    this.device.closed(this, queues.page);
    queues.free();
    this.#queues = null;
  }
}
