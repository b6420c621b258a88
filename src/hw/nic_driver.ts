import type { Costs } from "./machine_profile.ts";
import type { FramePool } from "./frame.ts";
import type { FrameDevice } from "./frame_device.ts";
import { Interrupt } from "./interrupt.ts";
import type { Processor } from "./processor.ts";
import * as stages from "../metrics/stage.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { INTERRUPT, IRQ, QUEUEING } = stages;

/** What a kernel does with the frames that its NIC driver receives. Called in deferred work, one frame at a time. */
export interface FrameReceiver {
  /**
   * Handles a frame and leaves it to the caller to free, unless {@link keepsFrames}. The frame's journey, if any, is
   * carried by `cpu`.
   */
  receive(cpu: Processor, frame: number): void;
  /** A frame that was marked with this cookie has left the NIC. */
  frameSent(cpu: Processor, cookie: number): void;
  /** Received frames are the receiver's from then on: it passes them on, as a bridge does. */
  readonly keepsFrames?: boolean;
}

/** What a driver has for each receive queue: an object, not an array of each thing, as thousands of queues are in use. */
class Vector {
  readonly driver: NicDriver;
  readonly queue: number;
  readonly processor: Processor;
  readonly interrupt: Interrupt;
  readonly poll: Interrupt;
  /** The next frame is the first one after an interrupt. */
  isFirst = false;

  constructor(driver: NicDriver, queue: number, name: string) {
    this.driver = driver;
    this.queue = queue;
    this.processor = driver.processorOf(queue);
    this.poll = Interrupt.of(`${name} poll ${queue}`, 1, poll, this);
    this.interrupt = Interrupt.of(`${name} interrupt ${queue}`, 0, interrupt, this);
  }
}

function poll(cpu: Processor, vector: Vector): boolean {
  return vector.driver.poll(cpu, vector);
}

function interrupt(cpu: Processor, vector: Vector): boolean {
  vector.driver.interrupted(cpu, vector);
  return false;
}

/**
 * The kernel's NIC driver: an interrupt handler for each receive queue that leaves the work to a poll loop (NAPI),
 * which takes one frame per burst until the ring is empty and then lets the queue interrupt again.
 */
export class NicDriver {
  readonly nic: FrameDevice;
  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #receiver: FrameReceiver;
  readonly #completionPs: number;
  readonly #processors: readonly Processor[];
  readonly #vectors: Vector[] = [];
  readonly #frees: boolean;

  /**
   * Queue q is handled by `processors[q % processors.length]`. `completionPs` is what looking after sent frames costs
   * each time, where that is not part of another cost.
   */
  constructor(
    nic: FrameDevice,
    frames: FramePool,
    costs: Costs,
    processors: readonly Processor[],
    receiver: FrameReceiver,
    completionPs = 0,
  ) {
    this.nic = nic;
    this.#completionPs = completionPs;
    this.#frames = frames;
    this.#costs = costs;
    this.#receiver = receiver;
    this.#processors = processors;
    this.#frees = receiver.keepsFrames !== true;
    for (let queue = 0; queue < nic.queueCount; queue++) this.#vectors.push(new Vector(this, queue, nic.name));
    nic.onInterrupt = (queue) => {
      const vector = this.#vectors[queue];
      vector.processor.raise(vector.interrupt);
    };
  }

  processorOf(queue: number): Processor {
    return this.#processors[queue % this.#processors.length];
  }

  /** The interrupt handler of a queue, for an owner that routes interrupts itself (a hypervisor). */
  handle(cpu: Processor, queue: number): void {
    this.interrupted(cpu, this.#vectors[queue]);
  }

  /** Called by a queue's interrupt. */
  interrupted(cpu: Processor, vector: Vector): void {
    cpu.charge(INTERRUPT, IRQ, this.#costs.interrupt + this.#costs.napi);
    vector.isFirst = true;
    cpu.raise(vector.poll);
  }

  /** Hands a frame to the NIC at the instant that the caller's burst has reached. */
  transmit(cpu: Processor, frame: number): boolean {
    return this.nic.transmit(frame, cpu.ahead);
  }

  /** Called by a queue's poll loop: takes a frame, if there is one. */
  poll(cpu: Processor, vector: Vector): boolean {
    this.#reapSent(cpu);
    const frame = this.nic.take(vector.queue);
    if (frame < 0) {
      this.nic.unmask(vector.queue);
      return false;
    }
    cpu.carry(this.#frames.journeyOf(frame), vector.isFirst ? INTERRUPT : QUEUEING);
    vector.isFirst = false;
    cpu.charge(INTERRUPT, IRQ, this.#costs.packetReceive);
    this.#receiver.receive(cpu, frame);
    if (this.#frees) this.#frames.free(frame);
    cpu.putDown();
    return true;
  }

  #reapSent(cpu: Processor): void {
    if (!this.nic.reaped()) return;
    const sent = this.nic.sent;
    cpu.charge(INTERRUPT, IRQ, this.#completionPs);
    for (let i = 0; i < sent.length; i++) this.#receiver.frameSent(cpu, sent[i]);
    while (sent.length > 0) sent.pop(); // setting the length would throw the array's room away
  }
}
