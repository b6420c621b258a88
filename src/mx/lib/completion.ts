import * as scheduling from "../../hw/scheduling.ts";
import type { Wait } from "../../hw/scheduling.ts";
import * as status from "../status.ts";
import { EndpointCalls, type WaitOptions } from "./calls.ts";
import * as calls from "./calls.ts";
import type { Request } from "./request.ts";
import * as requests from "./request.ts";
import type { MxMessage, MxRequest } from "./types.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { MX_BAD_REQUEST } = status;
const { POLLING } = calls;
const { WAIT_BLOCK, WAIT_EXIT, WAIT_POLL, WAIT_SPIN } = scheduling;
const { SEND_MEDIUM, SEND_SELF } = requests;

/** Instead of a way to wait: there is nothing more to wait for. */
const OVER = WAIT_EXIT - 1;
export const WAIT_OVER: Wait = OVER;

/** A wait under way: for what, how and how long, and how the program waits now. */
export class PendingWait {
  /** Once it is over: whether the request is done. */
  hasFound = false;
  request: Request | null = null;
  options: WaitOptions = POLLING;
  until = Infinity;
  wakeups = 0;
  how: Wait = WAIT_SPIN;
}

/**
 * A wait under way at several endpoints of the calling thread, which all make progress in turn: for the first done
 * request of any of them, or for one of them. MX has no such call: a program would test one after another. Asleep it would
 * need a thread for each endpoint; here one sleep ends with an event of any.
 */
export class PendingAny {
  /** Once it is over: the request; null after the timeout or a wake-up of the first endpoint. */
  request: Request | null = null;
  /** Ends with any done request, which is off its endpoint's queue then; else with {@link own} alone, if there is one. */
  readonly isForAny: boolean;
  readonly own: Request | null;
  endpoints: readonly CompletionCalls[] = [];
  options: WaitOptions = POLLING;
  until = Infinity;
  wakeups = 0;
  /** How the program waits now: WAIT_SPIN while it settles what endpoint `at` has begun. */
  how: Wait = WAIT_SPIN;
  at = 0;
  /** More events are there than one round handles. */
  more = false;

  constructor(isForAny = true, own: Request | null = null) {
    this.isForAny = isForAny;
    this.own = own;
  }
}

/** The calls that look for completions and waiting messages (omx_test.c, omx_misc.c:260-343). */
export class CompletionCalls extends EndpointCalls {
  /** Whether a request is done; then it is reported and off the queue of completions. */
  *test(request: MxRequest): Generator<Wait, boolean> {
    const own = this.own(request);
    if (own === null) return false;
    if (!own.done && !this.progressNow()) yield* this.settle();
    if (own.done) this.library.core.consume(own);
    return own.done;
  }

  /** What {@link wait} does first: reports a request that is done already. Takes no virtual time. */
  consumeDone(request: MxRequest): boolean {
    const own = this.own(request);
    if (own === null || !own.done) return false;
    this.library.core.consume(own);
    return true;
  }

  /** Waits until a request is done. False after the timeout, after {@link wakeup}, or for a released request. */
  *wait(request: MxRequest, options: WaitOptions = POLLING): Generator<Wait, boolean> {
    const wait = new PendingWait();
    for (let how = this.beginWait(wait, request, options); how !== OVER; how = this.goOnWaiting(wait)) yield how;
    return wait.hasFound;
  }

  /**
   * {@link wait} for a program that yields in a loop of its own, as every generator in between costs at each resumption:
   * what it is to yield before it goes on with {@link goOnWaiting}; WAIT_OVER at the end. `wait` can be used again then.
   */
  beginWait(wait: PendingWait, request: MxRequest, options: WaitOptions): Wait {
    const own = this.own(request);
    wait.hasFound = false;
    if (own === null) return OVER;
    wait.request = own;
    wait.options = options;
    wait.until = this.deadline(options);
    wait.wakeups = this.wakeups;
    return this.#look(wait, own);
  }

  goOnWaiting(wait: PendingWait): Wait {
    const own = wait.request!;
    if (wait.how !== WAIT_SPIN) this.waited(wait.how);
    else {
      if (!this.isSettled()) return WAIT_SPIN;
      if (!own.done) return this.#afterRound(wait, this.hasMore);
    }
    return this.#look(wait, own);
  }

  #look(wait: PendingWait, own: Request): Wait {
    if (!own.done) {
      let more = this.round();
      if (!this.isSettled()) {
        wait.how = WAIT_SPIN;
        if (!this.isSettled()) return WAIT_SPIN; // asked again, as `settle` does
        more = this.hasMore;
      }
      if (!own.done) return this.#afterRound(wait, more);
    }
    this.library.core.consume(own);
    wait.hasFound = true;
    return OVER;
  }

  /** How to wait after a round in which the request was not done. */
  #afterRound(wait: PendingWait, more: boolean): Wait {
    if (this.isOver(wait.until, wait.wakeups)) return OVER;
    return wait.how = this.prepareWait(more, wait.options, wait.until);
  }

  /**
   * Waits for the same, or with null until the timeout, while all of `endpoints` make progress: others may need their
   * answers before they give the one that is waited for.
   */
  *waitAmong(
    endpoints: readonly CompletionCalls[],
    request: MxRequest | null,
    options: WaitOptions,
  ): Generator<Wait, boolean> {
    const own = request === null ? null : this.own(request);
    if (request !== null && own === null) return false;
    const wait = new PendingAny(false, own);
    let how = CompletionCalls.beginWaitAny(wait, endpoints, options);
    for (; how !== OVER; how = CompletionCalls.goOnWaitingAny(wait)) yield how;
    if (wait.request === null) return false;
    this.library.core.consume(wait.request);
    return true;
  }

  /** The first done request whose match information, masked, equals the given one; reported as by test. */
  *testAny(matchA = 0, matchB = 0, maskA = 0, maskB = 0): Generator<Wait, MxRequest | null> {
    if (!this.checkOpen() || !this.checkMask(matchA, matchB, maskA, maskB)) return null;
    return this.takeDone(matchA, matchB, maskA, maskB) ??
      (yield* this.poll(() => this.takeDone(matchA, matchB, maskA, maskB)));
  }

  /** Waits for the same. Completions are found in their order; sends and connects count too. */
  *waitAny(
    matchA = 0,
    matchB = 0,
    maskA = 0,
    maskB = 0,
    options: WaitOptions = POLLING,
  ): Generator<Wait, MxRequest | null> {
    if (!this.checkOpen() || !this.checkMask(matchA, matchB, maskA, maskB)) return null;
    return yield* this.waitFor(() => this.takeDone(matchA, matchB, maskA, maskB), options);
  }

  /**
   * Waits for the first done request of any of several endpoints of one thread; the one it belongs to has it. For a
   * program that yields in a loop of its own, as with {@link beginWait}; `wait` can be used again at the end.
   */
  static beginWaitAny(wait: PendingAny, endpoints: readonly CompletionCalls[], options: WaitOptions): Wait {
    const [first] = endpoints;
    wait.endpoints = endpoints;
    wait.options = options;
    wait.until = first.deadline(options);
    wait.wakeups = first.wakeups;
    return CompletionCalls.#lookAtAll(wait);
  }

  static goOnWaitingAny(wait: PendingAny): Wait {
    const { endpoints, how } = wait;
    if (how !== WAIT_SPIN) {
      for (let i = 0; i < endpoints.length; i++) endpoints[i].waited(how);
      return CompletionCalls.#lookAtAll(wait);
    }
    const endpoint = endpoints[wait.at++];
    if (!endpoint.isSettled()) {
      wait.at--;
      return WAIT_SPIN;
    }
    wait.request = endpoint.#found(wait);
    return wait.request !== null ? OVER : CompletionCalls.#lookAtRest(wait);
  }

  static #lookAtAll(wait: PendingAny): Wait {
    wait.at = 0;
    wait.more = false;
    return CompletionCalls.#lookAtRest(wait);
  }

  /** A round of each endpoint from `at` on. */
  static #lookAtRest(wait: PendingAny): Wait {
    const { endpoints } = wait;
    for (; wait.at < endpoints.length; wait.at++) {
      const endpoint = endpoints[wait.at];
      wait.request = endpoint.#found(wait);
      if (wait.request !== null) return OVER;
      if (endpoint.round()) wait.more = true;
      if (!endpoint.isSettled() && !endpoint.isSettled()) return wait.how = WAIT_SPIN; // asked again, as `settle` does
      wait.request = endpoint.#found(wait);
      if (wait.request !== null) return OVER;
    }
    const [first] = endpoints;
    return first.isOver(wait.until, wait.wakeups) ? OVER : wait.how = first.#howToWait(wait);
  }

  #found({ isForAny, own }: PendingAny): Request | null {
    if (isForAny) return this.takeDone(0, 0, 0, 0);
    return own !== null && own.done ? own : null;
  }

  /** How the thread of several endpoints goes on after a round of each, this one the first of them. */
  #howToWait({ endpoints, more, options, until }: PendingAny): Wait {
    let isMore = false;
    for (let i = 0; i < endpoints.length; i++) {
      if (endpoints[i].prepareWait(more || endpoints[i].hasMore, POLLING, until) === 0) isMore = true;
    }
    if (isMore) return 0;
    if (options.mode !== "block") return WAIT_POLL;
    this.library.driver.chargeSleep(this.cpu);
    return WAIT_BLOCK;
  }

  /** The oldest done request, which stays to be tested. */
  *ipeek(): Generator<Wait, MxRequest | null> {
    if (!this.checkOpen()) return null;
    return this.oldestDone() ?? (yield* this.poll(() => this.oldestDone()));
  }

  *peek(options: WaitOptions = POLLING): Generator<Wait, MxRequest | null> {
    if (!this.checkOpen()) return null;
    return yield* this.waitFor(() => this.oldestDone(), options);
  }

  /** The oldest message that has come (at least in part) and that a receive with this mask would take; stays there. */
  *iprobe(matchA = 0, matchB = 0, maskA = 0, maskB = 0): Generator<Wait, MxMessage | null> {
    if (!this.checkOpen() || !this.checkMask(matchA, matchB, maskA, maskB)) return null;
    return yield* this.poll(() => this.library.core.matcher.findUnexpected(matchA, matchB, maskA, maskB));
  }

  *probe(
    matchA = 0,
    matchB = 0,
    maskA = 0,
    maskB = 0,
    options: WaitOptions = POLLING,
  ): Generator<Wait, MxMessage | null> {
    if (!this.checkOpen() || !this.checkMask(matchA, matchB, maskA, maskB)) return null;
    return yield* this.waitFor(
      () => this.library.core.matcher.findUnexpected(matchA, matchB, maskA, maskB),
      options,
    );
  }

  /** Whether the send buffer may be used again: buffered sends once they are posted, and sends to oneself. */
  *ibuffered(request: MxRequest): Generator<Wait, boolean> {
    const own = this.own(request);
    if (own === null) return false;
    if (!own.isSend) {
      this.code = MX_BAD_REQUEST;
      return false;
    }
    if (!this.progressNow()) yield* this.settle();
    // A large one never is, not even when it is done (omx_test.c:505-558).
    return own.kind === SEND_SELF || (own.kind <= SEND_MEDIUM && (own.done || own.active));
  }

  /**
   * Takes back a receive that nothing has matched, or a connect without an answer: true, and the request is gone. False
   * when it is too late, and with MX_BAD_REQUEST for a send.
   */
  *cancel(request: MxRequest): Generator<Wait, boolean> {
    const own = this.own(request);
    if (own === null) return false;
    if (own.isSend) {
      this.code = MX_BAD_REQUEST;
      return false;
    }
    if (!this.progressNow()) yield* this.settle();
    return this.library.cancel(own);
  }

  /** The completion of a request is not wanted: it will not be reported, and is gone when it is done (mx_forget). */
  *forget(request: MxRequest): Generator<Wait, void> {
    this.release(request);
    if (this.opened && !this.progressNow()) yield* this.settle();
  }

  /** Gives back a request that has been reported; the object must not be used after. Without time or progress. */
  release(request: MxRequest): void {
    const own = this.own(request);
    if (own !== null) this.library.core.release(own);
  }
}
