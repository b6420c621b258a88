import type { SlotArea } from "./slot_area.ts";
import type { Memory } from "../../hw/memory.ts";
import type { Processor } from "../../hw/processor.ts";
import { type MxLimits, RESEND_DELAY_PS, RESENDS_MAX } from "../limits.ts";

/*
 * CUT 1: what the MX user library asks of a driver, and what the driver tells it. A native driver executes commands in
 * the caller's burst. The Xen2MX frontend puts them on a ring, one at a time, while the calling thread spins.
 */

/** Commands, after Open-MX's ioctls. */
export const CMD_SEND_TINY = 1;
export const CMD_SEND_SMALL = 2;
export const CMD_SEND_MEDIUM_FRAG = 3;
export const CMD_SEND_RNDV = 4;
export const CMD_PULL = 5;
export const CMD_SEND_NOTIFY = 6;
export const CMD_CONNECT_REQUEST = 7;
export const CMD_CONNECT_REPLY = 8;
export const CMD_SEND_LIBACK = 9;
export const CMD_CREATE_REGION = 10;
export const CMD_DESTROY_REGION = 11;
/** All fragments of a medium message, read where the program has them ("mediumva", OMX_MEDIUM_SENDQ=0). */
export const CMD_SEND_MEDIUM_VA = 12;

/** A stretch of the program's memory (mx_segment_t). */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

/**
 * One command with the fields of every kind. The library fills one and submits it; the driver takes what it needs
 * before `submit` returns, so one object serves for all commands. Fields not named for a kind are ignored.
 */
export class MxCommand {
  kind = 0;
  /** Index of the destination's peer in the driver's table (not CREATE_REGION, DESTROY_REGION). */
  peer = 0;
  /** Destination endpoint. */
  endpoint = 0;
  /** Session that stamps the frame; for CONNECT_REPLY the requester's session that is echoed. */
  session = 0;
  /** 16-bit sequence number with session-number bits; for LIBACK the acknowledged sequence. */
  seq = 0;
  /** Acknowledged sequence carried along (TINY, SMALL, MEDIUM_FRAG, MEDIUM_VA, RNDV, NOTIFY). */
  piggyack = 0;
  /** Match information, upper and lower 32 bits (unsigned). */
  matchA = 0;
  matchB = 0;
  /** Whole message length (TINY, SMALL, MEDIUM_FRAG, MEDIUM_VA, RNDV); bytes transferred (NOTIFY, PULL); region length. */
  length = 0;
  /** Address of the payload (TINY, SMALL, MEDIUM_VA), of the region's memory (CREATE_REGION). */
  address = 0;
  /** CREATE_REGION or MEDIUM_VA of a buffer in several stretches: these, in order, instead of the one at `address`. */
  segments: readonly Segment[] | null = null;
  /** MEDIUM_FRAG: byte offset in the send queue, bytes and number of this fragment. */
  queueOffset = 0;
  fragmentLength = 0;
  fragment = 0;
  /** Own region: RNDV, CREATE_REGION, DESTROY_REGION, and PULL's destination. */
  region = 0;
  regionSeq = 0;
  /** The other side's region and its sequence (PULL, NOTIFY). */
  remoteRegion = 0;
  remoteRegionSeq = 0;
  /** PULL: where in the other side's region the message begins. Another MX may say so in its RNDV; Open-MX says 0. */
  remoteOffset = 0;
  /** LIBACK: the per-partner ack counter. */
  ackNumber = 0;
  /** CONNECT: application key, per-partner connect number, expected sequence, and the reply's status and own session. */
  key = 0;
  connectSeq = 0;
  recvSeqStart = 0;
  connectStatus = 0;
  ownSession = 0;
  /** PULL: how long it may take in all, picoseconds (omx_endpoint.c:513). */
  timeoutPs = RESEND_DELAY_PS * RESENDS_MAX;
  /** Checksum of the whole message in a debug build, else 0 (TINY, SMALL, MEDIUM_FRAG, MEDIUM_VA). */
  checksum = 0;
  /** Returned with the completion event (MEDIUM_FRAG, MEDIUM_VA, PULL) or result (all). Chosen by the library. */
  cookie = 0;
  /** The journey of the message, or -1: ownership passes to the driver. */
  journey = -1;

  /** Spelled out: every command of a guest passes here, and a copy by name takes ten times as long. */
  assign(other: MxCommand): void {
    this.kind = other.kind;
    this.peer = other.peer;
    this.endpoint = other.endpoint;
    this.session = other.session;
    this.seq = other.seq;
    this.piggyack = other.piggyack;
    this.matchA = other.matchA;
    this.matchB = other.matchB;
    this.length = other.length;
    this.address = other.address;
    this.segments = other.segments;
    this.queueOffset = other.queueOffset;
    this.fragmentLength = other.fragmentLength;
    this.fragment = other.fragment;
    this.region = other.region;
    this.regionSeq = other.regionSeq;
    this.remoteRegion = other.remoteRegion;
    this.remoteRegionSeq = other.remoteRegionSeq;
    this.remoteOffset = other.remoteOffset;
    this.ackNumber = other.ackNumber;
    this.key = other.key;
    this.connectSeq = other.connectSeq;
    this.recvSeqStart = other.recvSeqStart;
    this.connectStatus = other.connectStatus;
    this.ownSession = other.ownSession;
    this.timeoutPs = other.timeoutPs;
    this.checksum = other.checksum;
    this.cookie = other.cookie;
    this.journey = other.journey;
  }
}

/** Results of a command. */
export const RESULT_OK = 0;
/** A table is full for now (pull handles, grants, slots): try again after some completion. */
export const RESULT_NO_RESOURCES = 1;
/** The command itself is wrong. */
export const RESULT_INVALID = 2;

/** The index of an open is taken. */
export const RESULT_BUSY = 3;

/** Event types, as in the event slot (omx_io.h:777-801). */
export const EVENT_IGNORE = 0x01;
export const EVENT_CONNECT_REQUEST = 0x11;
export const EVENT_CONNECT_REPLY = 0x12;
export const EVENT_TINY = 0x13;
export const EVENT_SMALL = 0x14;
export const EVENT_MEDIUM_FRAG = 0x15;
export const EVENT_RNDV = 0x16;
export const EVENT_NOTIFY = 0x17;
export const EVENT_LIBACK = 0x18;
export const EVENT_NACK_LIB = 0x19;
export const EVENT_MEDIUM_DONE = 0x20;
export const EVENT_PULL_DONE = 0x21;

/** Pull-done status (omx_io.h:795-801); 1 to 4 are the NACK types. */
export const PULL_OK = 0;
export const PULL_BAD_ENDPOINT = 1;
export const PULL_ENDPOINT_CLOSED = 2;
export const PULL_BAD_SESSION = 3;
export const PULL_BAD_REGION = 4;
export const PULL_ABORTED = 5;
export const PULL_TIMEOUT = 6;

export { NACK_BAD_ENDPOINT, NACK_BAD_REGION, NACK_BAD_SESSION, NACK_ENDPOINT_CLOSED } from "../wire/ack.ts";

/** Queues of an open endpoint, in the memory of whoever opened it. */
export interface EndpointQueues {
  readonly index: number;
  readonly session: number;
  /** Slots in each queue. */
  readonly entries: number;
  /** Send queue: `entries` slots of `limits.slotBytes`, written by the library, read by the driver. */
  readonly sendQueue: SlotArea;
  /** Receive queue: the same, written by the driver, read by the library. */
  readonly recvQueue: SlotArea;
  /** Events from the network: `entries` slots of 64 bytes, see events.ts. */
  readonly unexpectedEvents: number;
  /** Completions of own commands. */
  readonly expectedEvents: number;
  /**
   * Followed journeys by slot, of `entries` unexpected events and then of the expected ones: not memory of the guest. Each
   * as one more than its number, so that 0 is none, and slots that were never used take no memory. The library takes a
   * slot's journey with the event, and owns it from then on.
   */
  readonly journeys: Int32Array;
}

/** What the library gives the driver at open. */
export interface EndpointOwner {
  /** A command is done: OK, or refused as the result says. May come during `submit`. */
  commandDone(kind: number, cookie: number, result: number): void;
  /**
   * An open that takes time has been refused: RESULT_BUSY or another result. What `open` returned is gone. A native
   * driver answers at once.
   */
  openFailed?(result: number): void;
  /** An event became visible, or the driver can go on after having been busy: look again. Ends a wait. */
  wake(): void;
}

/** What a library asks of its driver before anything else. */
export interface DriverInfo {
  readonly limits: MxLimits;
  /** Own board: MAC address as 12 hexadecimal digits, and host name. */
  readonly mac: string;
  readonly hostname: string;
  /** Whether endpoints of one host talk through memory. */
  readonly sharedComms: boolean;
  /** The library should keep large buffers registered (the driver tells when their memory goes; omx_init.c:478-503). */
  readonly registrationCache?: boolean;
  /** There is no MEDIUM_VA: medium messages go through the send queue whatever the library was told. */
  readonly sendQueueOnly?: boolean;
}

/** A driver as the library of one endpoint sees it. Times are charged to `cpu`, the processor of the calling thread. */
export interface MxDriver {
  readonly info: DriverInfo;
  readonly memory: Memory;

  /**
   * Opens an endpoint; null when the index is taken or out of range. Completes at {@link advance} if it takes time, and
   * may still be refused there: see `EndpointOwner.openFailed`.
   */
  open(cpu: Processor, index: number, session: number, owner: EndpointOwner): EndpointQueues | null;
  /** Closes it: later packets to it are refused, its regions destroyed, its pulls dropped. */
  close(cpu: Processor): void;

  /** The index of a peer by host name; -1 when unknown. */
  peerByName(name: string): number;
  /** The index of a peer by its 48-bit address; -1 when unknown. */
  peerByMac(mac: number): number;
  /** A peer's address, -1, and its host name, null, when there is no such peer. */
  peerMac(peer: number): number;
  peerName(peer: number): string | null;
  /** Whether that peer is this host itself. */

  /**
   * Takes a command. It is executed now, or queued behind one that the thread is spinning for; the result comes through
   * `owner.commandDone`. Never blocks, never refuses.
   */
  submit(cpu: Processor, command: MxCommand): void;
  /**
   * Goes on with queued commands; true when none is left. While it answers false the calling thread has to wait with
   * WAIT_SPIN and call again when woken: it is inside the kernel, spinning for an answer.
   */
  advance(cpu: Processor): boolean;

  /** The library has consumed events up to these counts (free-running): their slots may be reused. */
  release(unexpectedConsumed: number, expectedConsumed: number): void;
  /** The board's counters, in the order of `COUNTER_LABELS`; null where this side cannot read them. */
  counters(): ArrayLike<number> | null;
  /** Charges the system call that puts the thread to sleep until an event (when `sleeping`), or wakes it. */
  chargeSleep(cpu: Processor): void;
}
