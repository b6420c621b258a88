/** A frame leaves what the tap is at; on a wire, the end that is named first has sent it. */
export const OUTBOUND = 0;
/** A frame comes in; on a wire, from the end that is named second. */
export const INBOUND = 1;

/** Why a frame that a tap has seen goes no further. */
export const LOST_BY_CHANCE = 1;
export const LOST_IN_CUT = 2;
export const LOST_QUEUE_FULL = 3;
/** It arrives with bytes changed: the receiving port finds its FCS wrong. */
export const LOST_CORRUPTED = 4;

const reasons = [
  "",
  "lost on the wire",
  "lost: the link is cut",
  "dropped: the queue is full",
  "corrupted on the wire: the receiver finds its FCS wrong and drops it",
];

/** One of the `LOST_` codes in words; empty for a frame that was not lost. */
export function lossText(reason: number): string {
  return reasons[reason] ?? `lost, reason ${reason}`;
}

/**
 * Looks at a frame at instant `now` (picoseconds; a CPU's burst may be ahead of the engine's clock). The frame is to be
 * read at once: its number and its payload's place are used again.
 */
export type Seen = (way: 0 | 1, frame: number, now: number) => void;

/** The frame that was seen last goes no further. */
export type Lost = (reason: number) => void;

/**
 * A place where frames can be looked at: a wire, a port, an interface. Whoever owns the place calls {@link see}, but
 * only while the tap is {@link active}: a tap that nobody listens to costs one check.
 */
export class FrameTap {
  /** How many are listened to, of whatever cluster: asked first by those of hundreds of ports, none of which is at hand. */
  static listened = 0;
  /** As users name it: `a-b`, `a/nic`, `switch/a`, `vm01/eth0`. */
  readonly name: string;
  /** What kind of place it is, in words. */
  readonly comment: string;
  /** Bits per second, 0 where none is defined. */
  readonly rateBps: number;
  active = false;
  readonly #seen: Seen[] = [];
  readonly #lost: Lost[] = [];

  constructor(name: string, comment: string, rateBps = 0) {
    this.name = name;
    this.comment = comment;
    this.rateBps = rateBps;
  }

  /** Adds a listener, after those that are there; returns how to take it off again. */
  listen(seen: Seen, lost: Lost = () => {}): () => void {
    this.#seen.push(seen);
    this.#lost.push(lost);
    if (!this.active) FrameTap.listened++;
    this.active = true;
    return () => {
      const at = this.#seen.indexOf(seen);
      if (at < 0) return;
      this.#seen.splice(at, 1);
      this.#lost.splice(at, 1);
      if (this.#seen.length > 0) return;
      this.active = false;
      FrameTap.listened--;
    };
  }

  see(way: 0 | 1, frame: number, now: number): void {
    for (let i = 0; i < this.#seen.length; i++) this.#seen[i](way, frame, now);
  }

  /** What {@link see} has just shown is lost. */
  lose(reason: number): void {
    for (let i = 0; i < this.#lost.length; i++) this.#lost[i](reason);
  }
}
