import type { Prng } from "../base/prng.ts";
import { MS } from "../base/units.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import { type Process, processThread, type Thread, type Wait, WAIT_SPIN } from "../hw/thread.ts";
import type { Engine } from "../sim/engine.ts";
import { type DriverInfo, type MxDriver, RESULT_NO_RESOURCES, RESULT_OK, type Segment } from "./driver/contract.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { type Call, Immediate, POLLING, type WaitOptions } from "./lib/calls.ts";
import { CompletionCalls } from "./lib/completion.ts";
import type { Failure, LibraryOptions, UnexpectedHandler } from "./lib/core.ts";
import type { LibraryCounters, LibraryOccupancy } from "./lib/counters.ts";
import { LibraryEndpoint } from "./lib/endpoint.ts";
import type { Partner } from "./lib/partner.ts";
import type { Request } from "./lib/request.ts";
import { fromSegments, type ProgramBuffer } from "./lib/segments.ts";
import type { MxAddress, MxRequest } from "./lib/types.ts";
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
export type { Segment } from "./driver/contract.ts";
export type { MxAddress, MxMessage, MxRequest } from "./lib/types.ts";
export type { WaitOptions } from "./lib/calls.ts";
export type { LibraryOptions } from "./lib/core.ts";
export type { LibraryCounters, LibraryOccupancy } from "./lib/counters.ts";

/** "Any" in place of a board or endpoint number. */
export const ANY_NUMBER = 0xffffffff;

/** Half a second, a little shortened, is one transmission (omx_lib.h:98-119). */
const resendsFor = (timeoutPs: number) =>
  timeoutPs === Infinity ? Infinity : Math.floor((Math.ceil(timeoutPs / MS) * 2 + 1023) / 1024);

/** What a list of segments comes to: used up before the next call. */
const buffer: ProgramBuffer = { address: 0, length: 0, segments: null };

export interface OpenOptions extends LibraryOptions {
  /** Board number, 0 by default; {@link ANY_NUMBER} takes the first that has the endpoint free. */
  readonly board?: number;
}

/** What a process needs to use MX. */
export interface MxOptions {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly costs: Costs;
  /** Names the process in its random stream: unique in a cluster. */
  readonly name: string;
  /** MX boards (network interfaces) that the process may open endpoints on. */
  readonly boards: number;
  /** A driver on a board, for one endpoint that is about to be opened. */
  readonly attach: (board: number) => MxDriver;
  /** The library's debug build: messages are stamped with checksums, and checked. Default false. */
  readonly debugChecksum?: boolean;
  /** Environment of the process: what the library's options are where an open names none (see `environment.ts`). */
  readonly environment?: Environment;
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
  readonly boards: number;
  readonly #attach: (board: number) => MxDriver;
  readonly #debugChecksum: boolean;
  /** The process's own copy, which it may change. */
  readonly environment: Record<string, string>;
  readonly #random: Prng;
  readonly #endpoints: MxEndpoint[] = [];
  /** The endpoint that an open is under way for. */
  #opening: MxEndpoint | null = null;
  /** The process is dead: its timers mean nothing any more. */
  died = false;
  /** By board: the driver that answers questions, and whether it waits for an endpoint. */
  readonly #control: MxDriver[] = [];
  readonly #spare: boolean[] = [];
  #thread: Thread | null = null;

  constructor(options: MxOptions) {
    this.engine = options.engine;
    this.memory = options.memory;
    this.costs = options.costs;
    this.name = options.name;
    this.boards = options.boards;
    this.#attach = options.attach;
    this.#debugChecksum = options.debugChecksum ?? false;
    this.environment = { ...options.environment };
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

  /** A driver on a board that answers questions, though none of its endpoints may be open. */
  control(board: number): MxDriver {
    if (this.#control[board] === undefined) {
      this.#control[board] = this.#attach(board);
      this.#spare[board] = true;
    }
    return this.#control[board];
  }

  /** A driver for an endpoint that is about to be opened; the same again if opening fails. */
  #unused(board: number): MxDriver {
    if (this.#spare[board] !== true) {
      this.#control[board] = this.#attach(board);
      this.#spare[board] = true;
    }
    return this.#control[board];
  }

  /**
   * Opens endpoint `index` (0 to 255, or {@link ANY_NUMBER}) with a key that connects must show. Null with {@link code}
   * MX_BOARD_UNKNOWN when there is no such board, MX_BAD_ENDPOINT when the index is out of range, MX_BUSY when it is
   * taken, MX_NO_RESOURCES when the driver has no room for another endpoint, MX_BAD_PARAM_VAL for a context id of more
   * than 16 bits. A search takes the lowest free number, and the lowest board where several have it: that spreads
   * endpoints over the boards (omx_endpoint.c:227-300).
   */
  *openEndpoint(index: number, key: number, options: OpenOptions = {}): Generator<Wait, MxEndpoint | null> {
    const { board = 0 } = options;
    this.code = this.#checkOpening(index, board, options);
    if (this.code !== mx.MX_SUCCESS) return null;
    const session = this.#drawSession();
    const { library } = readEnvironment(this.environment);
    const all = { debugChecksum: this.#debugChecksum, ...library, ...options };
    const [firstIndex, lastIndex] = index === ANY_NUMBER ? [0, MAX_ENDPOINTS - 1] : [index, index];
    const [firstBoard, lastBoard] = board === ANY_NUMBER ? [0, this.boards - 1] : [board, board];
    for (let i = firstIndex; i <= lastIndex; i++) {
      for (let b = firstBoard; b <= lastBoard; b++) {
        const endpoint = new MxEndpoint(this, this.#unused(b), b, i, key, session, all);
        const code = yield* this.#open(endpoint);
        this.code = code;
        if (code === mx.MX_SUCCESS) {
          endpoint.slot = this.#endpoints.push(endpoint) - 1;
          return endpoint;
        }
        if (code !== mx.MX_BUSY) return null;
        yield 0; // each attempt is a system call
      }
    }
    return null;
  }

  /** Opens an endpoint at its driver, which may take its time to refuse. */
  *#open(endpoint: MxEndpoint): Generator<Wait, number> {
    const { library } = endpoint;
    if (!library.open(this.#thread!.processor)) return mx.MX_BUSY;
    this.#spare[endpoint.board] = false;
    this.#opening = endpoint;
    yield* endpoint.settle();
    this.#opening = null;
    return openCode(library.openResult);
  }

  /**
   * The end of a process that dies in the middle of anything: its kernel closes each endpoint as soon as the command is
   * through that the process was in the kernel for (omx_miscdev_release). What it has sent and not heard of, and what
   * it owes others, is forgotten.
   */
  *die(): Process {
    this.died = true;
    if (this.#opening !== null) yield* this.#opening.abandon();
    for (const endpoint of this.#endpoints) yield* endpoint.abandon();
  }

  #checkOpening(index: number, board: number, options: OpenOptions): number {
    const { contextBits = 0, contextShift = 0 } = options;
    const isField = Number.isInteger(contextBits) && Number.isInteger(contextShift) && contextBits >= 0 &&
      contextBits <= 16 && contextShift >= 0 && contextBits + contextShift <= 64;
    if (!isField) return mx.MX_BAD_PARAM_VAL;
    if (board !== ANY_NUMBER && !(Number.isInteger(board) && board >= 0 && board < this.boards)) {
      return mx.MX_BOARD_UNKNOWN;
    }
    const isIndex = Number.isInteger(index) && index >= 0 && index < MAX_ENDPOINTS;
    return isIndex || index === ANY_NUMBER ? mx.MX_SUCCESS : mx.MX_BAD_ENDPOINT;
  }

  /** Never the value that stands for "unknown". */
  #drawSession(): number {
    const session = this.#random.u32();
    return session === 0xffffffff ? 1 : session;
  }
}

/** An open endpoint (mx_endpoint_t). */
export class MxEndpoint extends CompletionCalls {
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

  get info(): DriverInfo {
    return this.library.driver.info;
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

  /**
   * How long a request may be repeated, or (null) new requests and pulls of this endpoint (mx_set_request_timeout). A
   * partner that has not answered by then is given up: its requests end unreachable, a pull with STATUS_TIMEOUT.
   */
  setRequestTimeout(request: MxRequest | null, timeoutPs: number): void {
    const { core } = this.library;
    if (request !== null) (request as Request).resendsMax = resendsFor(timeoutPs);
    else {
      core.resendsMax = resendsFor(timeoutPs);
      core.pullTimeoutPs = timeoutPs;
    }
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
    const peer = this.library.driver.peerByName(hostName);
    return yield* this.iconnectPeer(peer, endpointId, key, matchA, matchB, timeoutPs, context);
  }

  /**
   * The same to a peer of the driver's table; below 0 stands for an unknown one. Without a timeout the endpoint's default
   * holds.
   */
  *iconnectPeer(
    peer: number,
    endpointId: number,
    key: number,
    matchA = 0,
    matchB = 0,
    timeoutPs: number | null = null,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    const badId = !Number.isInteger(endpointId) || endpointId < 0 || endpointId >= MAX_ENDPOINTS;
    this.code = !this.opened
      ? mx.MX_BAD_ENDPOINT
      : peer < 0
      ? mx.MX_NIC_NOT_FOUND
      : badId
      ? mx.MX_BAD_ENDPOINT_ID
      : mx.MX_SUCCESS;
    if (this.code !== mx.MX_SUCCESS) return this.rejected(context);
    const resends = timeoutPs === null ? this.library.core.resendsMax : resendsFor(timeoutPs);
    const request = this.library.connect(this.cpu, peer, endpointId, key >>> 0, resends);
    request.matchA = matchA >>> 0;
    request.matchB = matchB >>> 0;
    request.context = context;
    yield* this.makeProgress();
    return request;
  }

  /** Ends everything with a partner (its requests become unreachable) and forgets its address (mx_disconnect). */
  *disconnect(address: MxAddress): Generator<Wait, void> {
    if (!this.checkOpen()) return;
    yield* this.makeProgress();
    const partner = address as Partner;
    this.code = partner.freed ? mx.MX_BAD_ADDR_LIST : mx.MX_SUCCESS;
    if (partner.freed) return;
    this.library.disconnect(this.cpu, partner);
    yield* this.settle();
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
  ): Call<MxRequest> {
    if (!this.checkOpen()) return new Immediate(this.rejected(context));
    const request = this.library.send(this.cpu, false, address, length, dest as Partner, matchA, matchB, context);
    this.code = request.returnCode;
    return this.progressNow() ? new Immediate(request) : this.settled(request);
  }

  /** The same by rendezvous whatever the length: done when the receiver has matched and pulled it (mx_issend). */
  issend(
    address: number,
    length: number,
    dest: MxAddress,
    matchA: number,
    matchB: number,
    context?: unknown,
  ): Call<MxRequest> {
    if (!this.checkOpen()) return new Immediate(this.rejected(context));
    const request = this.library.send(this.cpu, true, address, length, dest as Partner, matchA, matchB, context);
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
  ): Call<MxRequest> {
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
   * Sends the acks that are owed, then waits until everything sent is acknowledged or refused. MX has no such function
   * and its close repeats nothing that the network has lost: a program that has only buffered its last sends, or whose
   * last receives still have to be notified, must not close before this returns.
   */
  *flush(options: WaitOptions = POLLING): Generator<Wait, void> {
    if (!this.checkOpen()) return;
    this.library.flush(this.cpu);
    yield* this.waitFor(() => this.occupancy().unacked === 0 ? true : null, options);
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

/** Return code of an open that the driver has answered later. */
function openCode(result: number): number {
  if (result === RESULT_OK) return mx.MX_SUCCESS;
  return result === RESULT_NO_RESOURCES ? mx.MX_NO_RESOURCES : mx.MX_BUSY;
}

/** Return code of a blocking connect by its request's status (omx_partner.c:399-465). */
export function connectCode(status: number): number {
  if (status === mx.STATUS_SUCCESS) return mx.MX_SUCCESS;
  if (status === mx.STATUS_BAD_KEY) return mx.MX_BAD_CONNECTION_KEY;
  if (status === mx.STATUS_BAD_ENDPOINT) return mx.MX_BAD_ENDPOINT_ID;
  if (status === mx.STATUS_ENDPOINT_CLOSED) return mx.MX_CONNECTION_FAILED;
  return mx.MX_TIMEOUT;
}
