import { FrameQueue } from "./frame_queue.ts";
import type { Limits } from "./machine_profile.ts";
import type { Nic } from "./nic.ts";

/** What shares a port. */
export interface PortFunction {
  readonly queue: FrameQueue;
  /** Reads a frame by DMA: picoseconds that address translation adds, or DMA_FAULT when it may not be sent. */
  read(frame: number): number;
  /** A frame for this function has come in; false when it was dropped. */
  accept(frame: number): boolean;
  /** The last bit of one of its frames has left. */
  left(frame: number): void;
  /** One of its frames was not let out: no address of its own, no right to the memory, or no cable. */
  refused(frame: number): void;
}

/** Function 0: the NIC itself, driven by the host's own kernel. */
export class PhysicalFunction implements PortFunction {
  readonly queue: FrameQueue;
  readonly #nic: Nic;

  constructor(nic: Nic, limits: Limits) {
    this.#nic = nic;
    this.queue = new FrameQueue(limits.nicTxRing + limits.txQueueLength);
  }

  /** The driver domain's devices are mapped one to one and not accounted for, as on a host without functions. */
  read(): number {
    return 0;
  }

  accept(frame: number): boolean {
    return this.#nic.passes(frame) && this.#nic.accept(frame);
  }

  left(frame: number): void {
    this.#nic.completed(frame);
  }

  refused(frame: number): void {
    this.left(frame);
  }
}
