import type { BridgePort, SoftwareBridge } from "../hw/bridge.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Processor } from "../hw/processor.ts";
import type { Netback } from "./netback.ts";
import type { Netfront } from "./netfront.ts";

/*
 * A network device with several queues ("multi-queue-num-queues"): each has a pair of rings, an event channel and a
 * netback thread of its own. Both halves choose a frame's queue by its addresses, so that the frames of one host to
 * another stay in order.
 */

/** The queue for frames between two stations, by the low 32 bits of their addresses, which count up in a cluster. */
export function queueOf(source: number, destination: number, queues: number): number {
  let hash = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return ((hash ^ (hash >>> 16)) >>> 0) % queues;
}

/** The queue for a frame. */
function queueOfFrame(frames: FramePool, frame: number, queues: number): number {
  if (queues === 1) return 0;
  const { view } = frames.memory;
  const at = frames.at(frame);
  return queueOf(view.getInt32(at + 8), view.getInt32(at + 2), queues);
}

/** The guest's half: one Ethernet port over the queues. */
export class NetfrontQueues {
  readonly queues: readonly Netfront[];
  readonly #frames: FramePool;

  constructor(frames: FramePool, queues: readonly Netfront[]) {
    this.#frames = frames;
    this.queues = queues;
  }

  /** EtherPort: a frame of the guest's kernel, in CPU time of class `cls`; gone either way, false when it was dropped. */
  transmit(cpu: Processor, frame: number, cls: number): boolean {
    return this.queues[queueOfFrame(this.#frames, frame, this.queues.length)].transmit(cpu, frame, cls);
  }

  /** Receive buffers that dom0 may fill. */
  get posted(): number {
    return this.#sum((queue) => queue.rx.posted);
  }

  /** Transmit slots that dom0 has not answered. */
  get slotsInUse(): number {
    return this.#sum((queue) => queue.tx.slotsInUse);
  }

  /** Frames that wait for a transmit slot. */
  get waiting(): number {
    return this.#sum((queue) => queue.tx.queue.count);
  }

  /** Slots of all rings that hold something. */
  get slotsUsed(): number {
    return this.#sum((queue) => queue.slotsUsed);
  }

  get slots(): number {
    return this.#sum((queue) => queue.slots);
  }

  #sum(figure: (queue: Netfront) => number): number {
    return this.queues.reduce((sum, queue) => sum + figure(queue), 0);
  }
}

/** Dom0's half of a device with more than one queue: one port of the bridge, which they share. */
export class VifQueues implements BridgePort {
  readonly name: string;
  readonly bridgePort: number;
  readonly #frames: FramePool;
  readonly #queues: Netback[] = [];

  constructor(name: string, frames: FramePool, bridge: SoftwareBridge) {
    this.name = name;
    this.#frames = frames;
    this.bridgePort = bridge.addPort(this);
  }

  /** Adds the next queue, before any frame comes. */
  add(queue: Netback): void {
    this.#queues.push(queue);
  }

  /** BridgePort: a frame for the guest. */
  transmit(cpu: Processor, frame: number): boolean {
    return this.#queues[queueOfFrame(this.#frames, frame, this.#queues.length)].transmit(cpu, frame);
  }
}
