import { type Wait, WAIT_SPIN } from "../hw/thread.ts";
import { ConnectingCalls } from "./connecting.ts";
import { type MxDriver, RESULT_OK, type Segment } from "./driver/contract.ts";
import { Immediate, POLLING, type QuickCall, type WaitOptions } from "./lib/calls.ts";
import type { Failure, LibraryOptions, UnexpectedHandler } from "./lib/core.ts";
import type { LibraryCounters, LibraryOccupancy } from "./lib/counters.ts";
import { LibraryEndpoint } from "./lib/endpoint.ts";
import type { Partner } from "./lib/partner.ts";
import { fromSegments, type ProgramBuffer } from "./lib/segments.ts";
import type { MxAddress, MxRequest } from "./lib/types.ts";
import type { Mx } from "./process.ts";
import * as mx from "./status.ts";

/** What a list of segments comes to: used up before the next call. */
const buffer: ProgramBuffer = { address: 0, length: 0, segments: null };

/** An open endpoint (mx_endpoint_t). */
export class MxEndpoint extends ConnectingCalls {
  readonly mx: Mx;
  readonly board: number;

  constructor(
    owner: Mx,
    driver: MxDriver,
    board: number,
    index: number,
    key: number,
    session: number,
    options: LibraryOptions,
  ) {
    const wake = () => owner.thread.notify();
    super(owner, new LibraryEndpoint(driver, owner.costs, index, key >>> 0, session, wake, options));
    this.mx = owner;
    this.board = board;
  }

  get index(): number {
    return this.library.core.index;
  }

  get session(): number {
    return this.library.core.session;
  }

  get counters(): LibraryCounters {
    return this.library.counters;
  }

  get isOpen(): boolean {
    return this.opened;
  }

  occupancy(): LibraryOccupancy {
    return this.library.occupancy();
  }

  /** The own address (mx_get_endpoint_addr); null when the driver does not know its own host. */
  address(): MxAddress | null {
    return this.library.self();
  }

  /** Own session for the own address; else the session that messages to it are stamped with. */
  sessionOf(address: MxAddress): number {
    const partner = address as Partner;
    return partner.isSelf ? this.session : partner.trueSession;
  }

  /** A peer of this endpoint's driver by its 48-bit address, and the other way round; -1 when unknown. */
  peerByMac(mac: number): number {
    return this.library.driver.peerByMac(mac);
  }

  peerMac(peer: number): number {
    return this.library.driver.peerMac(peer);
  }

  /** Longest message to another host that goes eager, bytes. */
  get rndvThreshold(): number {
    return this.library.core.rndvThreshold;
  }

  /** The unexpected handler runs: nothing may be called. */
  get inHandler(): boolean {
    return this.library.core.inHandler;
  }

  /** From now on, requests that end without success are kept for {@link takeFailures}, and end a wait. */
  watchFailures(): void {
    this.library.core.failures = [];
  }

  /** The requests that have ended without success since the last call; null for none. */
  takeFailures(): Failure[] | null {
    const { failures } = this.library.core;
    return failures === null || failures.length === 0 ? null : failures.splice(0);
  }

  // ---- sending and receiving

  /**
   * Sends [address, address + length) to `dest`. Messages up to 32 KiB (4 KiB on the own host) are buffered: done as
   * soon as they are posted. Longer ones are done when the receiver has pulled them. Always gives a request; a refused
   * one has a `returnCode` of MX_BAD_SEG_LIST, MX_BAD_SEG_MEM or MX_BAD_ADDR_LIST.
   */
  isend(
    address: number,
    length: number,
    dest: MxAddress,
    matchA: number,
    matchB: number,
    context?: unknown,
  ): QuickCall<MxRequest> {
    return this.#send(false, address, length, dest, matchA, matchB, context);
  }

  /** The same by rendezvous whatever the length: done when the receiver has matched and pulled it (mx_issend). */
  issend(
    address: number,
    length: number,
    dest: MxAddress,
    matchA: number,
    matchB: number,
    context?: unknown,
  ): QuickCall<MxRequest> {
    return this.#send(true, address, length, dest, matchA, matchB, context);
  }

  #send(
    synchronous: boolean,
    address: number,
    length: number,
    dest: MxAddress,
    matchA: number,
    matchB: number,
    context: unknown,
  ): QuickCall<MxRequest> {
    if (!this.checkOpen()) return new Immediate(this.rejected(context));
    const request = this.library.send(this.cpu, synchronous, address, length, dest as Partner, matchA, matchB, context);
    this.code = request.returnCode;
    return this.progressNow() ? new Immediate(request) : this.settled(request);
  }

  /**
   * Sends the bytes of up to 256 segments, one after another; `synchronous` as by {@link issend}. Refused with
   * MX_BAD_SEG_CNT for more. The list must not be changed afterwards.
   */
  *isendv(
    segments: readonly Segment[],
    synchronous: boolean,
    dest: MxAddress,
    matchA: number,
    matchB: number,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    if (!this.checkOpen() || !this.#readSegments(segments)) return this.rejected(context);
    const { address, length, segments: list } = buffer;
    const to = dest as Partner;
    const request = this.library.send(this.cpu, synchronous, address, length, to, matchA, matchB, context, list);
    this.code = request.returnCode;
    if (!this.progressNow()) yield* this.settle();
    return request;
  }

  #readSegments(segments: readonly Segment[]): boolean {
    this.code = fromSegments(this.mx.memory, segments, buffer);
    return this.code === mx.MX_SUCCESS;
  }

  /**
   * Receives into [address, address + length) a message from anybody whose match information, masked, equals the given
   * one. A longer message is cut: STATUS_TRUNCATED. Refused with MX_BAD_MATCH_MASK, MX_BAD_SEG_LIST, MX_BAD_SEG_MEM, or
   * MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK.
   */
  irecv(
    address: number,
    length: number,
    matchA: number,
    matchB: number,
    maskA: number,
    maskB: number,
    context?: unknown,
  ): QuickCall<MxRequest> {
    if (!this.checkOpen()) return new Immediate(this.rejected(context));
    const request = this.library.receive(this.cpu, address, length, matchA, matchB, maskA, maskB, context);
    this.code = request.returnCode;
    return this.progressNow() ? new Immediate(request) : this.settled(request);
  }

  /** Receives into up to 256 segments, filled one after another. */
  *irecvv(
    segments: readonly Segment[],
    matchA: number,
    matchB: number,
    maskA: number,
    maskB: number,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    if (!this.checkOpen() || !this.#readSegments(segments)) return this.rejected(context);
    const { address, length, segments: list } = buffer;
    const request = this.library.receive(this.cpu, address, length, matchA, matchB, maskA, maskB, context, list);
    this.code = request.returnCode;
    if (!this.progressNow()) yield* this.settle();
    return request;
  }

  // ---- progress

  /** Handles what has come (mx_progress). */
  *progress(): Generator<Wait, void> {
    if (!this.checkOpen()) return;
    yield* this.makeProgress();
  }

  /** No call makes progress until it is enabled again (mx_disable_progression). */
  disableProgression(): void {
    this.progressing = false;
  }

  *reenableProgression(): Generator<Wait, void> {
    this.progressing = true;
    yield* this.progress();
  }

  /** Ends a wait that is going on in this endpoint without a result (mx_wakeup). From an event handler. */
  wakeup(): void {
    this.wakeups++;
    this.mx.thread.notify();
  }

  /** Sets what is called for messages that match no posted receive (mx_register_unexp_handler); null for nothing. */
  setUnexpectedHandler(handler: UnexpectedHandler | null): void {
    this.library.core.handler = handler;
  }

  /**
   * Sends the acks that are owed, then waits until everything sent has left the library and is acknowledged or refused
   * (of a large message, that it is to be pulled: wait for the request to know that it has been). MX has no such
   * function and its close repeats nothing that the network has lost: a program that has only buffered its last sends,
   * or whose last receives still have to be notified, must not close before this returns.
   */
  *flush(options: WaitOptions = POLLING): Generator<Wait, void> {
    if (!this.checkOpen()) return;
    this.library.flush(this.cpu);
    yield* this.waitFor(() => this.library.core.hasUnsent ? null : true, options);
  }

  /** Closes without a word to anybody, whatever is under way. */
  *abandon(): Generator<Wait, void> {
    const { library } = this;
    if (this.opened) {
      yield* this.settle();
      this.opened = false;
      if (library.openResult === RESULT_OK) library.close(this.cpu);
    }
    while (!library.driver.advance(this.cpu)) yield WAIT_SPIN;
    this.stopTimer();
  }

  /** Sends the acks that are owed and closes. MX_CLOSE_IN_HANDLER from the unexpected handler. */
  *close(): Generator<Wait, void> {
    if (!this.checkOpen()) return;
    if (this.library.core.inHandler) {
      this.code = mx.MX_CLOSE_IN_HANDLER;
      return;
    }
    this.library.flush(this.cpu);
    yield* this.settle();
    this.opened = false;
    this.library.close(this.cpu);
    while (!this.library.driver.advance(this.cpu)) yield WAIT_SPIN;
    this.stopTimer();
  }
}
