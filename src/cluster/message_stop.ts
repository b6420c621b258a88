import type { MessageWatch, RankMeter } from "../workload/meter.ts";
import type { Cluster } from "./cluster.ts";

/** A message that has just been received. */
export interface CompleteMessage {
  /** Names of guests; null where the sender is not known. */
  readonly from: string | null;
  readonly to: string;
  readonly bytes: number;
  /** Send call to receive completion, picoseconds; null where nobody has taken it. */
  readonly latencyPs: number | null;
}

/** Stops the engine after the event that completes message number `count` of a cluster, and notes what message it is. */
class MessageStop implements MessageWatch {
  message: CompleteMessage | null = null;
  readonly #cluster: Cluster;
  readonly #count: number;

  constructor(cluster: Cluster, count: number) {
    this.#cluster = cluster;
    this.#count = count;
  }

  received(by: RankMeter, bytes: number, latencyPs: number): void {
    // One event can complete several messages: the one that was waited for is the one to tell of.
    if (this.#cluster.total.completed < this.#count || this.message !== null) return;
    this.message = { from: null, to: this.#nameOf(by), bytes, latencyPs: latencyPs < 0 ? null : latencyPs };
    this.#cluster.world.engine.stop();
  }

  delivered(from: RankMeter, latencyPs: number): void {
    const { message } = this;
    if (message === null || message.from !== null) return;
    const known = message.latencyPs ?? (latencyPs < 0 ? null : latencyPs);
    this.message = { ...message, from: this.#nameOf(from), latencyPs: known };
  }

  #nameOf(meter: RankMeter): string {
    return this.#cluster.guests.find((guest) => guest.meter === meter)?.spec.name ?? "?";
  }
}

/** Waits for a message of a session by its number in the run, whatever becomes of the cluster meanwhile. */
export class MessageWait {
  /** The latest message that was waited for and came. */
  last: CompleteMessage | null = null;
  #count = Infinity;
  #stop: MessageStop | null = null;

  /** The message that is waited for has just come. */
  get isOver(): boolean {
    return (this.#stop?.message ?? null) !== null;
  }

  /** Has `cluster` stop at message number `count` of the run, of which `before` were of the clusters before it. */
  begin(count: number, cluster: Cluster, before: number): void {
    this.#count = count;
    this.goOn(cluster, before);
  }

  /** Another cluster is the present one from now on. */
  goOn(cluster: Cluster, before: number): void {
    this.#stop = this.#count === Infinity ? null : new MessageStop(cluster, this.#count - before);
    cluster.total.watch = this.#stop;
  }

  end(cluster: Cluster): void {
    this.last = this.#stop?.message ?? this.last;
    this.#count = Infinity;
    this.#stop = cluster.total.watch = null;
  }
}
