import type { Memory } from "../../hw/memory.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import { CommandQueue } from "../../mx/driver/command_queue.ts";
import type { EndpointOwner, MxCommand } from "../../mx/driver/contract.ts";
import * as contract from "../../mx/driver/contract.ts";
import type { Task } from "./front_task.ts";
import * as tasks from "./front_task.ts";
import type { Frontend } from "./frontend.ts";
import * as layout from "./layout.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { DRIVER, KERNEL, PIN, POLL, QUEUEING, SYSCALL } = stages;
const { CMD_CREATE_REGION, RESULT_INVALID } = contract;
const { WORK } = tasks;
const { resultOf, SLOT_RET } = layout;

// Where the first command of the queue stands.
const WAITING = 0; // not begun
const WORKING = 1; // its task goes on in the next burst
const SENT = 2; // on the ring: spinning for the answer
const DONE = 3;

/**
 * The commands of one endpoint, one after another: the thread that gives them is inside the kernel until the one before
 * is done. Each enters the kernel, puts a request on the ring or several in turn, and spins for dom0's answer.
 */
export abstract class FrontCommands {
  readonly device: Frontend;
  readonly memory: Memory;
  index = -1;
  /** Of the request on the ring. */
  requestId = -1;
  protected readonly queue = new CommandQueue();
  protected owner: EndpointOwner | null = null;
  readonly #syscallPs: number;
  #phase = WAITING;
  #task: Task | null = null;
  #answered = false;
  #result = 0;
  #afterRegion = false;

  constructor(device: Frontend) {
    this.device = device;
    this.memory = device.domain.memory;
    const { costs } = device.world;
    this.#syscallPs = costs.syscall + costs.pvSyscall;
  }

  /** The steps of a command that has more than one; null for the others. */
  protected abstract taskOf(cpu: Processor, command: MxCommand): Task | null;
  /** Writes a command that is one message into a slot; false when there is no message for it. */
  protected abstract encode(cpu: Processor, command: MxCommand): boolean;
  /** Dom0 has answered a command of this kind with success, in `slot`. */
  protected abstract heard(kind: number, slot: number): void;
  /** A command is through; the next has not begun. */
  protected abstract finished(kind: number, cookie: number, result: number): void;

  submit(cpu: Processor, command: MxCommand): void {
    const isFirst = this.queue.isEmpty;
    this.queue.push(command);
    if (isFirst && this.device.admit(this)) this.#begin(cpu, this.queue.first);
  }

  advance(cpu: Processor): boolean {
    while (!this.queue.isEmpty) {
      const command = this.queue.first;
      if (this.#phase === WAITING) {
        if (!this.device.admit(this)) return false;
        cpu.carry(command.journey, this.#afterRegion ? PIN : QUEUEING);
        this.#begin(cpu, command);
        cpu.putDown();
      }
      if (this.#phase === WORKING || (this.#phase === SENT && this.#hasAnswer(cpu))) this.#goOn();
      if (this.#phase !== DONE) return false;
      this.#finish(command);
    }
    this.#afterRegion = false;
    return true;
  }

  chargeSleep(cpu: Processor): void {
    this.enter(cpu);
  }

  // ---- the device's side

  wake(): void {
    this.owner?.wake();
  }

  /** Dom0 has answered in `slot`, which the next request may overwrite. */
  answered(slot: number): void {
    const ret = this.memory.view.getInt32(slot + SLOT_RET, true);
    this.#result = resultOf(ret);
    this.#answered = true;
    if (ret === 0) this.heard(this.queue.first.kind, slot);
  }

  // ---- for tasks

  claim(cpu: Processor, func: number): number {
    return this.device.claim(cpu, func, this.index);
  }

  /** Sends the request claimed last; a task yields ANSWER for what comes back. */
  send(cpu: Processor, journey = -1): void {
    this.#answered = false;
    this.device.send(cpu, this, journey);
  }

  protected enter(cpu: Processor): void {
    cpu.charge(SYSCALL, KERNEL, this.#syscallPs);
    cpu.charge(DRIVER, KERNEL, this.device.world.costs.ioctl);
  }

  // ---- the first command of the queue

  #begin(cpu: Processor, command: MxCommand): void {
    this.enter(cpu);
    this.#task = this.taskOf(cpu, command);
    if (this.#task !== null) {
      this.#goOn();
    } else if (this.encode(cpu, command)) {
      this.send(cpu, command.journey);
      this.#phase = SENT;
    } else {
      this.device.world.journeys.drop(command.journey);
      this.#result = RESULT_INVALID;
      this.#phase = DONE;
    }
  }

  /** Goes on after a pause, or with dom0's answer. */
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

  /**
   * Looks for dom0's answer: in the ring itself, or where the interrupt handler has left it. Who spins on the ring sees
   * it when the cache line has come from dom0's CPU; the handler runs on the guest's own.
   */
  #hasAnswer(cpu: Processor): boolean {
    const { tuning, world } = this.device;
    if (tuning.polling) {
      if (!this.#answered) this.device.takeAnswers(cpu, this);
      if (this.#answered) cpu.charge(POLL, KERNEL, world.costs.pollPickup);
    }
    return this.#answered;
  }

  #finish(command: MxCommand): void {
    const { kind, cookie } = command;
    this.#task = null;
    this.#phase = WAITING;
    this.queue.shift();
    this.device.leave();
    if (kind === CMD_CREATE_REGION) this.#afterRegion = true;
    this.finished(kind, cookie, this.#result);
  }
}
