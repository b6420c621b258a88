import { PULL_BLOCKS } from "../limits.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import type { Peer } from "./peer_table.ts";
import type { Region } from "./region.ts";

const GENERATION_MASK = 0x3fffff;

/** One requested block: a bit is set while its reply is missing. */
export class PullBlock {
  frames = 0;
  missing = 0;
  bitmap = 0;
  /** Offset inside the first frame, and bytes wanted. */
  firstOffset = 0;
  length = 0;
}

/** A large receive under way: the puller's state (omx_pull.c). Blocks are a window that slides over the message. */
export class PullHandle {
  readonly slot: number;
  /** Of which the wire carries the low 22 bits. */
  generation: number;
  endpoint!: DriverEndpoint;
  region!: Region;
  peer!: Peer;
  remoteEndpoint = 0;
  session = 0;
  remoteRegion = 0;
  remoteRegionSeq = 0;
  /** Where in the remote region the message begins. Frames are counted from a multiple of their size before it. */
  remoteOffset = 0;
  /** How far behind that multiple it begins, bytes. */
  skew = 0;
  cookie = 0;
  /** Bytes wanted in all, received, and not yet requested. */
  total = 0;
  received = 0;
  unrequested = 0;
  /** Absolute index of the first frame of block 0. */
  frameIndex = 0;
  readonly blocks: PullBlock[] = Array.from({ length: PULL_BLOCKS }, () => new PullBlock());
  blockCount = 0;
  /** When the message was sent, for journeys that start anew; -1 when it is not followed. */
  sentAt = -1;
  startedAt = 0;
  /** How long it may take in all, unless replies still come. */
  timeoutPs = 0;
  lastReplyAt = 0;
  /** How many of the first blocks need not be asked for again when a later one is complete: they have been. */
  askedAgain = 0;

  constructor(slot: number, generation: number) {
    this.slot = slot;
    this.generation = generation;
  }

  /** Names this incarnation on the wire: slot in the top 10 bits, generation below (omx_pull.c:263-288). */
  get id(): number {
    return ((this.slot << 22) | (this.generation & GENERATION_MASK)) >>> 0;
  }
}
