import type { Prng } from "../base/prng.ts";
import { MS } from "../base/units.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import { type Process, processThread, type Thread, type Wait, WAIT_BLOCK, WAIT_POLL, WAIT_SPIN } from "../hw/thread.ts";
import { WAKEUP } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { DriverInfo, MxDriver } from "./driver/contract.ts";
import type { LibraryOptions, UnexpectedHandler } from "./lib/core.ts";
import type { LibraryCounters, LibraryOccupancy } from "./lib/counters.ts";
import { LibraryEndpoint } from "./lib/endpoint.ts";
import type { Partner } from "./lib/partner.ts";
import { Request, SEND_MEDIUM, SEND_SELF } from "./lib/request.ts";
import { MAX_ENDPOINTS } from "./limits.ts";
import * as mx from "./status.ts";

/*
 * What a guest program calls: MX's functions as generators. A program is a generator itself and calls
 * `yield* endpoint.isend(...)`; what passes through it are the ways its thread waits. Calls never throw for what a
 * program, a peer or the network gets wrong: `endpoint.code` has the return code of the last call, a request its status.
 * Times are picoseconds, lengths bytes, addresses byte offsets in `memory`; 64-bit match information is two unsigned
 * words, A the upper. Progress is made only inside calls, as in MX.
 */

export { UNEXP_CONTINUE, UNEXP_FINISHED, type UnexpectedHandler } from "./lib/core.ts";
export type { LibraryCounters, LibraryOccupancy } from "./lib/counters.ts";

/** The address of a remote endpoint (mx_endpoint_addr_t): what connect gives, and the source of a message. */
export interface MxAddress {
  /** Index of the host in the peer table, and the endpoint's number there. */
  readonly peer: number;
  readonly endpoint: number;
  /** On the same host, so that messages go through memory. */
  readonly shared: boolean;
  /** For the program (mx_set_endpoint_addr_context). */
  context: unknown;
}

/**
 * A send, receive or connect under way, then its outcome (mx_request_t and mx_status_t). A successful test or wait has
 * reported it: it leaves the queue of completions, and stays readable until the program gives it back with
 * `endpoint.release`. After that the object may be another request. A program that does not release is correct too, and
 * makes garbage.
 */
export interface MxRequest {
  readonly done: boolean;
  /** STATUS_*: PENDING until done. */
  readonly code: number;
  /** MX_*: why the call itself was refused, MX_SUCCESS otherwise. A refused request is done, with STATUS_REJECTED. */
  readonly returnCode: number;
  /** Sender of a received message; destination of a send or connect. */
  readonly source: MxAddress | null;
  /** Match information of the message. */
  readonly matchA: number;
  readonly matchB: number;
  /** Bytes that were sent, and bytes that arrived in the receive buffer. */
  readonly messageLength: number;
  readonly transferLength: number;
  /** Picoseconds from the send call to the completion of this receive; -1 for anything else. */
  readonly latencyPs: number;
  context: unknown;
}

/** A message that waits for a receive, as probe sees it. */
export type MxMessage = Pick<MxRequest, "source" | "matchA" | "matchB" | "messageLength">;

/** How to wait: by polling (default), which occupies the CPU, or asleep. At most `timeoutPs` picoseconds. */
export interface WaitOptions {
  readonly mode?: "poll" | "block";
  readonly timeoutPs?: number;
}

const POLLING: WaitOptions = { mode: "poll" };
/** Half a second, a little shortened, is one transmission (omx_lib.h:98-119). */
const resendsFor = (timeoutPs: number) =>
  timeoutPs === Infinity ? Infinity : Math.floor((Math.ceil(timeoutPs / MS) * 2 + 1023) / 1024);

/** What a process needs to use MX. */
export interface MxOptions {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly costs: Costs;
  /** Names the process in its random stream: unique in a cluster. */
  readonly name: string;
  /** A driver for the endpoint that is about to be opened: one each. */
  readonly attach: (endpoint: number) => MxDriver;
}

/** The MX library of one process, which has one thread. */
export class Mx {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly costs: Costs;
  readonly name: string;
  /** Return code of the last call. */
  code = mx.MX_SUCCESS;
  readonly timer: number;
  readonly #attach: (endpoint: number) => MxDriver;
  readonly #random: Prng;
  readonly #endpoints: MxEndpoint[] = [];
  #thread: Thread | null = null;

  constructor(options: MxOptions) {
    this.engine = options.engine;
    this.memory = options.memory;
    this.costs = options.costs;
    this.name = options.name;
    this.#attach = options.attach;
    this.#random = options.engine.random(`${options.name} sessions`);
    this.timer = options.engine.handler(`${options.name} library timer`, (slot) => this.#endpoints[slot].timerFired());
  }

  /** Makes a thread for the program on a processor and starts it. Call it from an event handler or before the run. */
  start(processor: Processor, program: (mx: Mx) => Process, onExit?: () => void): Thread {
    const thread = processThread(this.name, processor, program(this), onExit);
    this.bind(thread);
    thread.notify();
    return thread;
  }

  /** Says which thread makes the calls. Before the first call. */
  bind(thread: Thread): void {
    this.#thread = thread;
  }

  /** Every endpoint that the process has opened, closed ones too. */
  get endpoints(): readonly MxEndpoint[] {
    return this.#endpoints;
  }

  get thread(): Thread {
    return this.#thread!;
  }

  /** The instant that the running burst has reached, picoseconds. */
  get now(): number {
    return this.#thread!.processor.now;
  }

  /**
   * Opens endpoint `index` (0 to 255) with a key that connects must show. Null with {@link code} MX_BAD_ENDPOINT when
   * the index is out of range, MX_BUSY when it is taken, MX_BAD_PARAM_VAL for a context id of more than 16 bits.
   */
  *openEndpoint(index: number, key: number, options: LibraryOptions = {}): Generator<Wait, MxEndpoint | null> {
    const { contextBits = 0, contextShift = 0 } = options;
    const badContext = contextBits < 0 || contextBits > 16 || contextShift < 0 || contextBits + contextShift > 64;
    const badIndex = !Number.isInteger(index) || index < 0 || index >= MAX_ENDPOINTS;
    this.code = badContext ? mx.MX_BAD_PARAM_VAL : badIndex ? mx.MX_BAD_ENDPOINT : mx.MX_SUCCESS;
    if (this.code !== mx.MX_SUCCESS) return null;
    const endpoint = new MxEndpoint(this, this.#attach(index), index, key, this.#drawSession(), options);
    if (!endpoint.library.open(this.#thread!.processor)) {
      this.code = mx.MX_BUSY;
      return null;
    }
    endpoint.slot = this.#endpoints.push(endpoint) - 1;
    yield* endpoint.settle();
    return endpoint;
  }

  /** Never the value that stands for "unknown". */
  #drawSession(): number {
    const session = this.#random.u32();
    return session === 0xffffffff ? 1 : session;
  }
}

/** An open endpoint (mx_endpoint_t). */
export class MxEndpoint {
  readonly mx: Mx;
  readonly library: LibraryEndpoint;
  /** MX_* of the last call. */
  code = mx.MX_SUCCESS;
  /** Number of this endpoint in its process. */
  slot = 0;
  #open = true;
  #progressing = true;
  #wakeups = 0;
  #waiting = false;
  #waitUntil = Infinity;
  #timer = -1;
  #timerAt = 0;

  constructor(owner: Mx, driver: MxDriver, index: number, key: number, session: number, options: LibraryOptions) {
    this.mx = owner;
    const wake = () => owner.thread.notify();
    this.library = new LibraryEndpoint(driver, owner.costs, index, key >>> 0, session, wake, options);
  }

  get index(): number {
    return this.library.core.index;
  }

  get session(): number {
    return this.library.core.session;
  }

  get info(): DriverInfo {
    return this.library.driver.info;
  }

  get counters(): LibraryCounters {
    return this.library.counters;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  occupancy(): LibraryOccupancy {
    return this.library.occupancy();
  }

  /** The own address (mx_get_endpoint_addr); null when the driver does not know its own host. */
  address(): MxAddress | null {
    return this.library.self();
  }

  // ---- connecting

  /**
   * Connects to an endpoint and waits. Code: MX_SUCCESS with the address; MX_NIC_NOT_FOUND for an unknown host,
   * MX_BAD_ENDPOINT_ID out of range there, MX_CONNECTION_FAILED when it is closed, MX_BAD_CONNECTION_KEY, MX_TIMEOUT
   * after `timeoutPs`, which counts in transmissions half a second apart. Messages to the address may be sent at once;
   * large ones from it need the other side's connect too ("half-connected", see `partner.ts`).
   */
  *connect(
    hostName: string,
    endpointId: number,
    key: number,
    timeoutPs = Infinity,
    options: WaitOptions = POLLING,
  ): Generator<Wait, { code: number; address: MxAddress | null }> {
    const request = yield* this.iconnect(hostName, endpointId, key, 0, 0, timeoutPs);
    if (request.returnCode !== mx.MX_SUCCESS) return { code: this.code, address: null };
    const finished = yield* this.wait(request, { mode: options.mode });
    const code = finished ? connectCode(request.code) : mx.MX_TIMEOUT;
    const address = code === mx.MX_SUCCESS ? request.source : null;
    this.release(request);
    this.code = code;
    return { code, address };
  }

  /** Starts a connect: completes like a send, with the address as `source` and the given match information. */
  *iconnect(
    hostName: string,
    endpointId: number,
    key: number,
    matchA = 0,
    matchB = 0,
    timeoutPs = Infinity,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    const driver = this.library.driver;
    const peer = driver.peerByName(hostName);
    const badId = !Number.isInteger(endpointId) || endpointId < 0 || endpointId >= MAX_ENDPOINTS;
    this.code = !this.#open
      ? mx.MX_BAD_ENDPOINT
      : peer < 0
      ? mx.MX_NIC_NOT_FOUND
      : badId
      ? mx.MX_BAD_ENDPOINT_ID
      : mx.MX_SUCCESS;
    if (this.code !== mx.MX_SUCCESS) return this.#rejected(context);
    const request = this.library.connect(this.#cpu, peer, endpointId, key >>> 0, resendsFor(timeoutPs));
    request.matchA = matchA >>> 0;
    request.matchB = matchB >>> 0;
    request.context = context;
    yield* this.#makeProgress();
    return request;
  }

  /** Ends everything with a partner (its requests become unreachable) and forgets its address (mx_disconnect). */
  *disconnect(address: MxAddress): Generator<Wait, void> {
    if (!this.#checkOpen()) return;
    yield* this.#makeProgress();
    const partner = address as Partner;
    this.code = partner.freed ? mx.MX_BAD_ADDR_LIST : mx.MX_SUCCESS;
    if (partner.freed) return;
    this.library.disconnect(this.#cpu, partner);
    yield* this.settle();
  }

  // ---- sending and receiving

  /**
   * Sends [address, address + length) to `dest`. Messages up to 32 KiB (4 KiB on the own host) are buffered: done as
   * soon as they are posted. Longer ones are done when the receiver has pulled them. Always gives a request; a refused
   * one has a `returnCode` of MX_BAD_SEG_LIST, MX_BAD_SEG_MEM or MX_BAD_ADDR_LIST.
   */
  *isend(
    address: number,
    length: number,
    dest: MxAddress,
    matchA: number,
    matchB: number,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    if (!this.#checkOpen()) return this.#rejected(context);
    const request = this.library.send(this.#cpu, false, address, length, dest as Partner, matchA, matchB, context);
    this.code = request.returnCode;
    if (!this.#progressNow()) yield* this.settle();
    return request;
  }

  /** The same by rendezvous whatever the length: done when the receiver has matched and pulled it (mx_issend). */
  *issend(
    address: number,
    length: number,
    dest: MxAddress,
    matchA: number,
    matchB: number,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    if (!this.#checkOpen()) return this.#rejected(context);
    const request = this.library.send(this.#cpu, true, address, length, dest as Partner, matchA, matchB, context);
    this.code = request.returnCode;
    if (!this.#progressNow()) yield* this.settle();
    return request;
  }

  /**
   * Receives into [address, address + length) a message from anybody whose match information, masked, equals the given
   * one. A longer message is cut: STATUS_TRUNCATED. Refused with MX_BAD_MATCH_MASK, MX_BAD_SEG_LIST, MX_BAD_SEG_MEM, or
   * MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK.
   */
  *irecv(
    address: number,
    length: number,
    matchA: number,
    matchB: number,
    maskA: number,
    maskB: number,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    if (!this.#checkOpen()) return this.#rejected(context);
    const request = this.library.receive(this.#cpu, address, length, matchA, matchB, maskA, maskB, context);
    this.code = request.returnCode;
    if (!this.#progressNow()) yield* this.settle();
    return request;
  }

  // ---- completion

  /** Whether a request is done; then it is reported and off the queue of completions. */
  *test(request: MxRequest): Generator<Wait, boolean> {
    const own = this.#own(request);
    if (own === null) return false;
    if (!own.done && !this.#progressNow()) yield* this.settle();
    if (own.done) this.library.core.consume(own);
    return own.done;
  }

  /** Waits until a request is done. False after the timeout, after {@link wakeup}, or for a released request. */
  *wait(request: MxRequest, options: WaitOptions = POLLING): Generator<Wait, boolean> {
    const own = this.#own(request);
    if (own === null) return false;
    const until = this.#deadline(options);
    const wakeups = this.#wakeups;
    for (;;) {
      if (own.done) {
        this.library.core.consume(own);
        return true;
      }
      const more = this.library.progress(this.#cpu);
      if (!this.#isSettled()) yield* this.settle();
      if (own.done) continue;
      if (this.#isOver(until, wakeups)) return false;
      const how = this.#prepareWait(more, options, until);
      yield how;
      this.#waited(how);
    }
  }

  /** The first done request whose match information, masked, equals the given one; reported as by test. */
  *testAny(matchA = 0, matchB = 0, maskA = 0, maskB = 0): Generator<Wait, MxRequest | null> {
    if (!this.#checkOpen() || !this.#checkMask(matchA, matchB, maskA, maskB)) return null;
    return this.#takeDone(matchA, matchB, maskA, maskB) ??
      (yield* this.#poll(() => this.#takeDone(matchA, matchB, maskA, maskB)));
  }

  /** Waits for the same. Completions are found in their order; sends and connects count too. */
  *waitAny(
    matchA = 0,
    matchB = 0,
    maskA = 0,
    maskB = 0,
    options: WaitOptions = POLLING,
  ): Generator<Wait, MxRequest | null> {
    if (!this.#checkOpen() || !this.#checkMask(matchA, matchB, maskA, maskB)) return null;
    return yield* this.#waitFor(() => this.#takeDone(matchA, matchB, maskA, maskB), options);
  }

  /** The oldest done request, which stays to be tested. */
  *ipeek(): Generator<Wait, MxRequest | null> {
    if (!this.#checkOpen()) return null;
    return this.#oldestDone() ?? (yield* this.#poll(() => this.#oldestDone()));
  }

  *peek(options: WaitOptions = POLLING): Generator<Wait, MxRequest | null> {
    if (!this.#checkOpen()) return null;
    return yield* this.#waitFor(() => this.#oldestDone(), options);
  }

  /** The oldest message that has come (at least in part) and that a receive with this mask would take; stays there. */
  *iprobe(matchA = 0, matchB = 0, maskA = 0, maskB = 0): Generator<Wait, MxMessage | null> {
    if (!this.#checkOpen() || !this.#checkMask(matchA, matchB, maskA, maskB)) return null;
    return yield* this.#poll(() => this.library.core.matcher.findUnexpected(matchA, matchB, maskA, maskB));
  }

  *probe(
    matchA = 0,
    matchB = 0,
    maskA = 0,
    maskB = 0,
    options: WaitOptions = POLLING,
  ): Generator<Wait, MxMessage | null> {
    if (!this.#checkOpen() || !this.#checkMask(matchA, matchB, maskA, maskB)) return null;
    return yield* this.#waitFor(
      () => this.library.core.matcher.findUnexpected(matchA, matchB, maskA, maskB),
      options,
    );
  }

  /** Whether the send buffer may be used again: buffered sends once they are posted, and sends to oneself. */
  *ibuffered(request: MxRequest): Generator<Wait, boolean> {
    const own = this.#own(request);
    if (own === null) return false;
    if (!own.isSend) {
      this.code = mx.MX_BAD_REQUEST;
      return false;
    }
    if (!this.#progressNow()) yield* this.settle();
    return own.done || own.kind === SEND_SELF || (own.kind <= SEND_MEDIUM && own.active);
  }

  /**
   * Takes back a receive that nothing has matched, or a connect without an answer: true, and the request is gone. False
   * when it is too late, and with MX_BAD_REQUEST for a send.
   */
  *cancel(request: MxRequest): Generator<Wait, boolean> {
    const own = this.#own(request);
    if (own === null) return false;
    if (own.isSend) {
      this.code = mx.MX_BAD_REQUEST;
      return false;
    }
    if (!this.#progressNow()) yield* this.settle();
    return this.library.cancel(own);
  }

  /** The completion of a request is not wanted: it will not be reported, and is gone when it is done (mx_forget). */
  *forget(request: MxRequest): Generator<Wait, void> {
    this.release(request);
    if (this.#open && !this.#progressNow()) yield* this.settle();
  }

  /** Gives back a request that has been reported; the object must not be used after. Without time or progress. */
  release(request: MxRequest): void {
    const own = this.#own(request);
    if (own !== null) this.library.core.release(own);
  }

  // ---- progress

  /** Handles what has come (mx_progress). */
  *progress(): Generator<Wait, void> {
    if (!this.#checkOpen()) return;
    yield* this.#makeProgress();
  }

  /** Other calls than wait and progress make no progress until it is enabled again (mx_disable_progression). */
  disableProgression(): void {
    this.#progressing = false;
  }

  *reenableProgression(): Generator<Wait, void> {
    this.#progressing = true;
    yield* this.progress();
  }

  /** Ends a wait that is going on in this endpoint without a result (mx_wakeup). From an event handler. */
  wakeup(): void {
    this.#wakeups++;
    this.mx.thread.notify();
  }

  /** Sets what is called for messages that match no posted receive (mx_register_unexp_handler); null for nothing. */
  setUnexpectedHandler(handler: UnexpectedHandler | null): void {
    this.library.core.handler = handler;
  }

  /** Sends the acks that are owed and closes. MX_CLOSE_IN_HANDLER from the unexpected handler. */
  *close(): Generator<Wait, void> {
    if (!this.#checkOpen()) return;
    if (this.library.core.inHandler) {
      this.code = mx.MX_CLOSE_IN_HANDLER;
      return;
    }
    this.library.flush(this.#cpu);
    yield* this.settle();
    this.#open = false;
    this.library.close(this.#cpu);
    while (!this.library.driver.advance(this.#cpu)) yield WAIT_SPIN;
    if (this.#timer >= 0) this.mx.engine.cancel(this.#timer);
    this.#timer = -1;
  }

  // ---- inside

  /** Waits until every command that was given is done, with what follows from it. */
  *settle(): Generator<Wait, void> {
    while (!this.#isSettled()) yield WAIT_SPIN;
  }

  /** Goes on with commands; false while the thread has to spin for the driver. */
  #isSettled(): boolean {
    const cpu = this.#cpu;
    for (;;) {
      this.library.resume(cpu);
      if (!this.library.driver.advance(cpu)) return false;
      if (!this.library.hasResults) return true;
    }
  }

  get #cpu(): Processor {
    return this.mx.thread.processor;
  }

  /** One round of progress; false when it has to be settled. */
  #progressNow(): boolean {
    if (this.#progressing) this.library.progress(this.#cpu);
    return this.#isSettled();
  }

  *#makeProgress(): Generator<Wait, void> {
    this.library.progress(this.#cpu);
    yield* this.settle();
  }

  *#poll<T>(look: () => T | null): Generator<Wait, T | null> {
    if (!this.#progressNow()) yield* this.settle();
    return look();
  }

  *#waitFor<T>(look: () => T | null, options: WaitOptions): Generator<Wait, T | null> {
    const until = this.#deadline(options);
    const wakeups = this.#wakeups;
    for (;;) {
      const before = look();
      if (before !== null) return before;
      const more = this.library.progress(this.#cpu);
      if (!this.#isSettled()) yield* this.settle();
      const found = look();
      if (found !== null) return found;
      if (this.#isOver(until, wakeups)) return null;
      const how = this.#prepareWait(more, options, until);
      yield how;
      this.#waited(how);
    }
  }

  #deadline(options: WaitOptions): number {
    return options.timeoutPs === undefined ? Infinity : this.mx.now + options.timeoutPs;
  }

  #isOver(until: number, wakeups: number): boolean {
    return this.mx.now >= until || this.#wakeups !== wakeups;
  }

  /** How the thread goes on after a round without the result: not at all, while there is more to handle. */
  #prepareWait(more: boolean, options: WaitOptions, until: number): Wait {
    const library = this.library;
    // An event that came while the thread spun for the driver has used up its wake.
    if (more || library.hasEvents || library.hasResults) return 0;
    this.#arm(Math.min(until, library.nextDeadline()));
    if (options.mode !== "block") return WAIT_POLL;
    library.driver.chargeSleep(this.#cpu);
    return WAIT_BLOCK;
  }

  #waited(how: Wait): void {
    this.#waiting = false;
    if (how === WAIT_POLL) this.library.polled = true;
    else if (how === WAIT_BLOCK) this.library.pickupStage = WAKEUP;
  }

  /** The timer is left alone when it is early enough: it finds out itself that the deadline has moved. */
  #arm(deadline: number): void {
    this.#waiting = true;
    this.#waitUntil = deadline;
    if (deadline === Infinity || (this.#timer >= 0 && this.#timerAt <= deadline)) return;
    if (this.#timer >= 0) this.mx.engine.cancel(this.#timer);
    this.#startTimer(Math.max(deadline, this.mx.now));
  }

  #startTimer(time: number): void {
    this.#timerAt = time;
    this.#timer = this.mx.engine.at(time, this.mx.timer, this.slot);
  }

  /** Called by the process's timer handler. */
  timerFired(): void {
    this.#timer = -1;
    if (!this.#waiting || this.#waitUntil === Infinity) return;
    if (this.mx.engine.now < this.#waitUntil) this.#startTimer(this.#waitUntil);
    else this.mx.thread.notify();
  }

  #oldestDone(): Request | null {
    const first = this.library.core.done.first;
    return first === null ? null : first.of;
  }

  #takeDone(matchA: number, matchB: number, maskA: number, maskB: number): Request | null {
    const core = this.library.core;
    for (let link = core.done.first; link !== null; link = link.next) {
      const request = link.of;
      if ((request.matchA & maskA) !== (matchA | 0) || (request.matchB & maskB) !== (matchB | 0)) continue;
      core.consume(request);
      return request;
    }
    return null;
  }

  #checkOpen(): boolean {
    this.code = this.#open ? mx.MX_SUCCESS : mx.MX_BAD_ENDPOINT;
    return this.#open;
  }

  #checkMask(matchA: number, matchB: number, maskA: number, maskB: number): boolean {
    if ((matchA & ~maskA) !== 0 || (matchB & ~maskB) !== 0) this.code = mx.MX_BAD_MATCH_MASK;
    return this.code === mx.MX_SUCCESS;
  }

  #own(request: MxRequest): Request | null {
    const own = request as Request;
    const usable = this.#checkOpen() && own instanceof Request && !own.pooled && !own.released;
    if (!usable && this.#open) this.code = mx.MX_BAD_REQUEST;
    return usable ? own : null;
  }

  /** A request that was refused with {@link code}. */
  #rejected(context: unknown): MxRequest {
    const request = this.library.core.requests.take(0);
    request.context = context;
    request.returnCode = this.code;
    this.library.core.complete(request, mx.STATUS_REJECTED);
    return request;
  }
}

/** Return code of a blocking connect (omx_partner.c:399-465). */
function connectCode(status: number): number {
  if (status === mx.STATUS_SUCCESS) return mx.MX_SUCCESS;
  if (status === mx.STATUS_BAD_KEY) return mx.MX_BAD_CONNECTION_KEY;
  if (status === mx.STATUS_BAD_ENDPOINT) return mx.MX_BAD_ENDPOINT_ID;
  if (status === mx.STATUS_ENDPOINT_CLOSED) return mx.MX_CONNECTION_FAILED;
  return mx.MX_TIMEOUT;
}
