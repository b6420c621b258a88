import type { BridgePort } from "../hw/bridge.ts";
import { FrameQueue } from "../hw/frame_queue.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { BRIDGE } = stages;

/** Frames that wait for the reader of a tap: TUN_READQ_SIZE, Linux drivers/net/tun.c. */
export const TAP_QUEUE = 500;

/**
 * A tap device: a network interface of the host whose cable ends in a file that a back end reads and writes. Frames
 * towards the guest wait here; what the back end writes goes straight to the bridge.
 */
export class Tap implements BridgePort {
  readonly name: string;
  readonly counters = {
    /** Frames towards the guest, and those for which the queue was full. */
    toGuest: 0,
    drops: 0,
    fromGuest: 0,
  };
  /** Called when a frame has come in. */
  onFrame: () => void = () => {};

  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #queue = new FrameQueue(TAP_QUEUE);
  readonly #arriveHandler: number;

  constructor(engine: Engine, frames: FramePool, costs: Costs, name: string) {
    this.name = name;
    this.#frames = frames;
    this.#costs = costs;
    this.#arriveHandler = engine.handler(`${name} frame`, Tap.#onArrive, this);
  }

  static readonly #onArrive = (frame: number, _b: number, of: Tap): void => of.#arrive(frame);

  get waiting(): number {
    return this.#queue.count;
  }

  /** The frame that is next for the guest, -1 when none waits. */
  get first(): number {
    return this.#queue.first;
  }

  shift(): number {
    return this.#queue.shift();
  }

  /** From the bridge, on whichever CPU it runs: the frame is queued for the guest's back end. */
  transmit(cpu: Processor, frame: number, cls: number): boolean {
    cpu.charge(BRIDGE, cls, this.#costs.tapForward);
    cpu.post(this.#arriveHandler, frame);
    return true;
  }

  /** Charges what writing a frame into the tap costs. */
  chargeWrite(cpu: Processor, cls: number): void {
    this.counters.fromGuest++;
    cpu.charge(BRIDGE, cls, this.#costs.tapForward);
  }

  #arrive(frame: number): void {
    if (this.#queue.isFull) {
      this.counters.drops++;
      this.#frames.free(frame);
      return;
    }
    this.counters.toGuest++;
    this.#queue.push(frame);
    this.onFrame();
  }
}
