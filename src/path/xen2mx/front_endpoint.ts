import { copyTime } from "../../hw/machine_profile.ts";
import type { Memory } from "../../hw/memory.ts";
import type { Processor } from "../../hw/processor.ts";
import { COPY, DRIVER, KERNEL, PIN, QUEUEING, SYSCALL } from "../../metrics/stage.ts";
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
import { EventProducer } from "../../mx/driver/event_queues.ts";
import { PAGES_PER_BURST } from "./channel.ts";
import { encodeCommand } from "./command_messages.ts";
import { encodeOpen } from "./control_messages.ts";
import { FrontQueues } from "./front_queues.ts";
import { FrontRegions } from "./front_regions.ts";
import { ANSWER, type Task, WORK } from "./front_task.ts";
import type { Frontend } from "./frontend.ts";
import { ENDPOINTS, FUNC_CLOSE_ENDPOINT, FUNC_OPEN_ENDPOINT, LIFE_MASK, resultOf, SLOT_RET } from "./layout.ts";

/** Commands of our own, in the queue beside the library's. */
const CMD_OPEN = 100;
const CMD_CLOSE = 101;

// Where the first command of the queue stands.
const WAITING = 0; // not begun
const WORKING = 1; // its task goes on in the next burst
const SENT = 2; // on the ring: spinning for the answer
const DONE = 3;

/**
 * One endpoint of a guest: CUT 1 carried over the device's ring. A command takes a slot, and the calling thread spins in
 * the kernel until dom0 has answered. Events come the other way, into the guest's own queues.
 */
export class FrontEndpoint implements MxDriver {
  readonly device: Frontend;
  readonly memory: Memory;
  readonly regions: FrontRegions;
  /** Tells this opening of the index from others: see `OPEN_LIFE`. */
  readonly life: number;
  index = -1;
  /** Of the request on the ring. */
  requestId = -1;
  /** The event queues, whose free-running indexes dom0 advances; null while the endpoint is not open. */
  events: EventProducer | null = null;
  readonly #syscallPs: number;
  readonly #queue = new CommandQueue();
  #owner: EndpointOwner | null = null;
  #queues: FrontQueues | null = null;
  #phase = WAITING;
  #task: Task | null = null;
  #answered = false;
  #result = 0;
  #afterRegion = false;

  constructor(device: Frontend, life: number) {
    this.device = device;
    this.memory = device.domain.memory;
    this.life = life & LIFE_MASK;
    this.regions = new FrontRegions(this);
    const { costs } = device.world;
    this.#syscallPs = costs.syscall + costs.pvSyscall;
  }

  get info(): DriverInfo {
    return this.device.info;
  }

  // ---- MxDriver

  open(cpu: Processor, index: number, session: number, owner: EndpointOwner): EndpointQueues | null {
    const { device } = this;
    if (index < 0 || index >= ENDPOINTS) return null;
    if (device.endpoints[index] !== null && !device.tuning.historical) {
      this.#enter(cpu);
      return null;
    }
    const queues = new FrontQueues(device.domain, device.pages, device.world.mx, index, session);
    const { engine } = device.world;
    this.#owner = owner;
    this.#queues = queues;
    this.index = index;
    this.events = new EventProducer(engine, this.memory, device.domain.name, queues.memory, () => owner.wake());
    device.opening(this, queues.page);
    this.#submitControl(cpu, CMD_OPEN, session);
    return queues.memory;
  }

  close(cpu: Processor): void {
    if (this.events === null) return;
    this.events = null; // what dom0 sends before it has seen the close is nobody's
    this.#submitControl(cpu, CMD_CLOSE, 0);
  }

  peerByName(name: string): number {
    return this.device.peers.byName(name)?.index ?? -1;
  }

  peerIsLocal(peer: number): boolean {
    return this.device.peers.at(peer)?.isLocal ?? false;
  }

  submit(cpu: Processor, command: MxCommand): void {
    const isFirst = this.#queue.isEmpty;
    this.#queue.push(command);
    if (isFirst && this.device.admit(this)) this.#begin(cpu, this.#queue.first);
  }

  advance(cpu: Processor): boolean {
    while (!this.#queue.isEmpty) {
      const command = this.#queue.first;
      if (this.#phase === WAITING) {
        if (!this.device.admit(this)) return false;
        cpu.carry(command.journey, this.#afterRegion ? PIN : QUEUEING);
        this.#begin(cpu, command);
        cpu.putDown();
      }
      if (this.#phase === SENT && this.#hasAnswer(cpu)) this.#goOn();
      else if (this.#phase === WORKING) this.#goOn();
      if (this.#phase !== DONE) return false;
      this.#finish(command);
    }
    this.#afterRegion = false;
    return true;
  }

  release(unexpectedConsumed: number, expectedConsumed: number): void {
    this.events?.release(unexpectedConsumed, expectedConsumed);
  }

  chargeSleep(cpu: Processor): void {
    this.#enter(cpu);
  }

  // ---- the device's side

  wake(): void {
    this.#owner?.wake();
  }

  /** Dom0 has answered in `slot`, which the next request may overwrite. */
  answered(slot: number): void {
    this.#result = resultOf(this.memory.view.getInt32(slot + SLOT_RET, true));
    this.#answered = true;
  }

  claim(cpu: Processor, func: number): number {
    return this.device.claim(cpu, func, this.index);
  }

  /** Sends the request claimed last; a task yields ANSWER for what comes back. */
  send(cpu: Processor, journey = -1): void {
    this.#answered = false;
    this.device.send(cpu, this, journey);
  }

  // ---- commands

  #submitControl(cpu: Processor, kind: number, session: number): void {
    const command = new MxCommand();
    command.kind = kind;
    command.session = session;
    this.submit(cpu, command);
  }

  #enter(cpu: Processor): void {
    const { costs } = this.device.world;
    cpu.charge(SYSCALL, KERNEL, this.#syscallPs);
    cpu.charge(DRIVER, KERNEL, costs.ioctl);
  }

  #begin(cpu: Processor, command: MxCommand): void {
    this.#enter(cpu);
    this.#task = this.#taskOf(cpu, command);
    if (this.#task !== null) {
      this.#goOn();
      return;
    }
    const slot = this.claim(cpu, 0);
    const bytes = encodeCommand(this.memory, slot, command);
    if (bytes > 0) cpu.charge(COPY, KERNEL, copyTime(this.device.world.costs.copyCachedByte, bytes));
    this.send(cpu, command.journey);
    this.#phase = SENT;
  }

  /** The steps of a command that has more than one; null for the others. */
  #taskOf(cpu: Processor, command: MxCommand): Task | null {
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

  /** Goes on with the first command after a pause, or with dom0's answer. */
  #goOn(): void {
    if (this.#task === null) {
      this.#phase = DONE;
      return;
    }
    const step = this.#task.next(this.#result);
    if (step.done === true) {
      this.#result = step.value;
      this.#phase = DONE;
    } else if (step.value === WORK) {
      this.#phase = WORKING;
      this.wake(); // the thread goes on at once: it does not wait for anybody
    } else {
      this.#phase = SENT;
    }
  }

  /** Looks for dom0's answer: in the ring itself, or where the interrupt handler has left it. */
  #hasAnswer(cpu: Processor): boolean {
    if (!this.#answered && this.device.tuning.polling) this.device.takeAnswers(cpu, this);
    return this.#answered;
  }

  #finish(command: MxCommand): void {
    const { kind, cookie } = command;
    this.#task = null;
    this.#phase = WAITING;
    this.#queue.shift();
    this.device.leave();
    if (kind === CMD_CLOSE) return;
    if (kind === CMD_OPEN) {
      if (this.#result !== RESULT_OK) this.#owner!.openFailed(this.#result);
      return;
    }
    if (kind === CMD_CREATE_REGION) this.#afterRegion = true;
    this.#owner!.commandDone(kind, cookie, this.#result);
  }

  // ---- opening and closing

  *#open(cpu: Processor, session: number): Task {
    const queues = this.#queues!;
    const { device } = this;
    while (!queues.grant(cpu)) {
      if (yield* this.regions.makeRoom(cpu)) continue;
      yield* this.#release(cpu);
      return RESULT_NO_RESOURCES;
    }
    const slot = this.claim(cpu, FUNC_OPEN_ENDPOINT);
    encodeOpen(this.memory.view, slot, {
      life: this.life,
      session,
      send: queues.send!,
      recv: queues.recv!,
      endpointRef: queues.endpointRef[0],
    });
    this.send(cpu);
    const result = yield ANSWER;
    // The original marks the open done whatever the answer is (fe/omx_xenfront.c:1150-1176).
    if (result === RESULT_OK || device.tuning.historical) return RESULT_OK;
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
