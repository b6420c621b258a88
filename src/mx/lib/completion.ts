import * as scheduling from "../../hw/scheduling.ts";
import type { Wait } from "../../hw/scheduling.ts";
import * as status from "../status.ts";
import { EndpointCalls, type WaitOptions } from "./calls.ts";
import * as calls from "./calls.ts";
import * as requests from "./request.ts";
import type { MxMessage, MxRequest } from "./types.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { MX_BAD_REQUEST } = status;
const { POLLING } = calls;
const { WAIT_SPIN } = scheduling;
const { SEND_MEDIUM, SEND_SELF } = requests;

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
    const own = this.own(request);
    if (own === null) return false;
    const until = this.deadline(options);
    const wakeups = this.wakeups;
    for (;;) {
      if (own.done) {
        this.library.core.consume(own);
        return true;
      }
      let more = this.round();
      let hasSpun = false;
      while (!this.isSettled()) {
        hasSpun = true;
        yield WAIT_SPIN;
      }
      if (hasSpun) more = this.hasMore;
      if (own.done) continue;
      if (this.isOver(until, wakeups)) return false;
      const how = this.prepareWait(more, options, until);
      yield how;
      this.waited(how);
    }
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
    const look = () => own?.done === true ? own : null;
    const found = yield* CompletionCalls.waitForOne(endpoints, look, options);
    if (found === null) return false;
    this.library.core.consume(found);
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

  /** Waits for the first done request of any of several endpoints of one thread; the one it belongs to has it. */
  static *waitAnyOf(endpoints: readonly CompletionCalls[], options: WaitOptions): Generator<Wait, MxRequest | null> {
    return yield* CompletionCalls.waitForOne(endpoints, (endpoint) => endpoint.takeDone(0, 0, 0, 0), options);
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
