import * as count from "./counters.ts";

/**
 * What a debug build of the driver can be told to lose, by the names of its module parameters without `_packet_loss`;
 * `all` is the parameter `packet_loss` itself (omx_main.c:138-181). Host queries and replies are never lost this way.
 */
export const LOSS_TYPES = [
  "all",
  "tiny",
  "small",
  "medium_frag",
  "rndv",
  "pull",
  "pull_reply",
  "notify",
  "connreq",
  "connrep",
  "liback",
  "nack_lib",
  "nack_mcp",
  "raw",
] as const;
export type LossType = typeof LOSS_TYPES[number];

/** Value N loses every Nth frame of the type; 0, or none, loses nothing. */
export type PacketLossSpec = Readonly<Partial<Record<LossType, number>>>;

/** The type that a frame belongs to, by its send counter. */
const TYPE_OF_COUNTER: readonly (LossType | null)[] = Object.assign(new Array<LossType | null>(16).fill(null), {
  [count.SEND_TINY]: "tiny",
  [count.SEND_SMALL]: "small",
  [count.SEND_MEDIUM_FRAG]: "medium_frag",
  [count.SEND_MEDIUM_VA]: "medium_frag",
  [count.SEND_RNDV]: "rndv",
  [count.SEND_NOTIFY]: "notify",
  [count.SEND_CONNECT_REQUEST]: "connreq",
  [count.SEND_CONNECT_REPLY]: "connrep",
  [count.SEND_LIBACK]: "liback",
  [count.SEND_NACK_LIB]: "nack_lib",
  [count.SEND_NACK_MCP]: "nack_mcp",
  [count.SEND_PULL_REQUEST]: "pull",
  [count.SEND_PULL_REPLY]: "pull_reply",
  [count.SEND_RAW]: "raw",
});

/** Loses frames on purpose at transmit, one in N of a type: the same ones in every run (omx_misc.h:59-80). */
export class PacketLoss {
  /** Frames lost so far. */
  dropped = 0;
  /** By index in LOSS_TYPES: the period, and frames since the last loss. */
  readonly #period: readonly number[];
  readonly #since: number[] = LOSS_TYPES.map(() => 0);
  /** Index in LOSS_TYPES by send counter; -1 for what is never lost. */
  readonly #typeOf: readonly number[] = TYPE_OF_COUNTER.map((type) => type === null ? -1 : LOSS_TYPES.indexOf(type));

  constructor(spec: PacketLossSpec) {
    this.#period = LOSS_TYPES.map((type) => spec[type] ?? 0);
  }

  /** Whether the frame that would be counted under `counter` is lost now. */
  takes(counter: number): boolean {
    const type = this.#typeOf[counter];
    if (type < 0 || !(this.#isDue(type) || this.#isDue(0))) return false;
    this.dropped++;
    return true;
  }

  #isDue(type: number): boolean {
    if (this.#period[type] === 0 || ++this.#since[type] < this.#period[type]) return false;
    this.#since[type] = 0;
    return true;
  }
}

/** A loss for a driver, or null when nothing is to be lost: then nothing is asked for each frame. */
export function packetLoss(spec: PacketLossSpec | undefined): PacketLoss | null {
  return spec !== undefined && Object.values(spec).some((period) => period > 0) ? new PacketLoss(spec) : null;
}
