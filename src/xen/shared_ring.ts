import * as faults from "../base/assert.ts";
import * as units from "../base/units.ts";
import type { Memory } from "../hw/memory.ts";
import { RingCounts } from "../metrics/ring_counts.ts";
import type { SlotKind, SlotWatch, TraceCounter } from "../sim/trace.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const assert: typeof faults.assert = faults.assert;
const { PAGE_SIZE } = units;

/*
 * The classic Xen ring (io/ring.h) in one page that both ends see. Indexes are 32 bits, run freely and wrap.
 *
 *    0  u32  req_prod     the front writes: requests published
 *    4  u32  req_event    the back writes: "notify me when req_prod passes this"
 *    8  u32  rsp_prod     the back writes: responses published
 *   12  u32  rsp_event    the front writes: "notify me when rsp_prod passes this"
 *   16       48 bytes of padding
 *   64       slots, as many as the largest power of two that fits; a response takes the place of its request
 *
 * Shared indexes have the names above. Each end's private ones are `reqProdPvt` and `rspCons` in front, `rspProdPvt`
 * and `reqCons` at the back.
 *
 * How it goes with bursts. A burst executes at once, while its clock runs ahead; what it publishes must not be seen
 * before the instant at which it does so. Publishing therefore has two steps. Inside the burst: claim a slot, fill it,
 * charge the time, and post a handler with the private index as argument, `cpu.post(publish, ring.reqProdPvt | 0)`. In
 * that handler: `ring.publishRequests(index)`, and if it answers true, raise the event channel's `sender` on the same
 * processor. Whether to notify can only be decided there: a burst that looks at req_event before it has published may
 * miss a consumer that goes to sleep in between. Code that runs when its clock is not ahead (the first thing in a burst,
 * or an event handler) may use `pushRequests` directly. The final check before sleeping belongs at the start of a burst
 * as well; later in it, it is safe but asks for more notifications than the real code would.
 */
const REQ_PROD = 0;
const REQ_EVENT = 4;
const RSP_PROD = 8;
const RSP_EVENT = 12;
/** Bytes before the first slot. */
const HEADER_BYTES = 64;
/** The largest of V8's small integers: sums with a larger number take three times as many instructions. */
const SMALL = 2 ** 31 - 1;

/** Instead of a number of entries: the other end published an index that is impossible. */
export const RING_BROKEN = -1;

/** Slots of a one-page ring of elements of this size: 16 of Xen2MX's 250-byte elements. */
export function ringSize(slotBytes: number): number {
  const fit = Math.floor((PAGE_SIZE - HEADER_BYTES) / slotBytes);
  return fit === 0 ? 0 : 1 << (31 - Math.clz32(fit)); // not a power: that is no small integer for V8
}

/** Prepares a page as an empty ring (SHARED_RING_INIT): the first entry on either side asks for a notification. */
export function initSharedRing(memory: Memory, page: number): void {
  memory.u8.fill(0, page, page + HEADER_BYTES);
  memory.view.setUint32(page + REQ_EVENT, 1, true);
  memory.view.setUint32(page + RSP_EVENT, 1, true);
}

/** What both ends are made of. Attaches to the page as it is, so that an end can come back to a ring in use. */
class RingEnd {
  readonly memory: Memory;
  /** Machine address of the shared page. */
  readonly page: number;
  readonly slotBytes: number;
  /** Number of slots, a power of two. */
  readonly size: number;
  readonly #firstSlot: number;
  readonly #mask: number;
  /** Times that the other end's index was found impossible. */
  broken = 0;
  /** What this end has published, and when the other end wanted to know. */
  readonly pushes = new RingCounts();
  /** Entries between the two published indexes, in whichever direction the ring runs. Null when nobody looks. */
  trace: TraceCounter | null = null;
  /** Every slot that is published or taken at this end. Null when nobody looks. */
  watch: SlotWatch | null = null;

  constructor(memory: Memory, page: number, slotBytes: number) {
    this.memory = memory;
    this.page = page <= SMALL ? page | 0 : page; // it may come from an array of doubles
    this.slotBytes = slotBytes;
    this.size = ringSize(slotBytes);
    assert(this.size > 0, "ring: an element does not fit in a page");
    this.#firstSlot = this.page + HEADER_BYTES;
    this.#mask = (this.size - 1) | 0;
  }

  /** Machine address of the slot that an index stands for. */
  slot(index: number): number {
    // Without `| 0` the field would go by way of a double.
    return this.#firstSlot + Math.imul(index & this.#mask, this.slotBytes | 0);
  }

  /** Number of that slot, from 0 to `size` - 1: for what an end keeps beside the ring. */
  slotNumber(index: number): number {
    return index & this.#mask;
  }

  /** Requests without a response, or events without a slot given back: what the shared page says. */
  get published(): number {
    return Math.abs((this.shared(REQ_PROD) - this.shared(RSP_PROD)) | 0);
  }

  protected shared(field: number): number {
    return this.memory.view.getUint32(this.page + field, true);
  }

  protected setShared(field: number, value: number): void {
    this.memory.view.setUint32(this.page + field, value, true);
  }

  /**
   * Publishes up to `to`; true when the other end's event index lies between what was published before and now
   * (RING_PUSH_..._AND_CHECK_NOTIFY).
   */
  protected publish(prodField: number, eventField: number, to: number): boolean {
    const old = this.shared(prodField);
    if (((to - old) | 0) <= 0) return false; // a later push has taken these along
    this.setShared(prodField, to);
    if (this.trace !== null) this.trace.set(this.published);
    const notifies = (to - this.shared(eventField)) >>> 0 < (to - old) >>> 0;
    this.pushes.note((to - old) >>> 0, this.published, notifies);
    if (this.watch !== null) this.watch.published(prodField === REQ_PROD ? "request" : "response", old, to, notifies);
    return notifies;
  }

  protected taken(kind: SlotKind, index: number): void {
    if (this.watch !== null) this.watch.taken(kind, index);
  }
}

/** The end that asks: writes requests and reads responses. */
export class FrontRing extends RingEnd {
  /** Requests claimed. */
  reqProdPvt: number;
  /** Responses consumed. */
  rspCons: number;
  /** rsp_prod when it was looked at last. */
  #rspSeen: number;

  constructor(memory: Memory, page: number, slotBytes: number) {
    super(memory, page, slotBytes);
    this.reqProdPvt = this.shared(REQ_PROD);
    this.rspCons = this.#rspSeen = this.shared(RSP_PROD);
  }

  /** Slots that the next requests can take. */
  get freeRequests(): number {
    return this.size - ((this.reqProdPvt - this.rspCons) | 0);
  }

  /** RING_FULL: every slot holds a request without a consumed response. Ask before claiming. */
  get isFull(): boolean {
    return this.freeRequests <= 0;
  }

  /** Takes the next slot for a request and returns its address. */
  claimRequest(): number {
    assert(!this.isFull, "ring: a request was claimed in a full ring");
    const address = this.slot(this.reqProdPvt);
    this.reqProdPvt = (this.reqProdPvt + 1) >>> 0;
    return address;
  }

  /** Takes the next `count` slots for requests and returns the index of the first. */
  claimRequests(count: number): number {
    assert(count <= this.freeRequests, "ring: more requests were claimed than there is room for");
    const first = this.reqProdPvt;
    this.reqProdPvt = (first + count) >>> 0;
    return first;
  }

  /** RING_PUSH_REQUESTS_AND_CHECK_NOTIFY for everything claimed; true when the back wants a notification. */
  pushRequests(): boolean {
    return this.publish(REQ_PROD, REQ_EVENT, this.reqProdPvt);
  }

  /** The same up to index `to`, a handler's argument: see above. */
  publishRequests(to: number): boolean {
    return this.publish(REQ_PROD, REQ_EVENT, to >>> 0);
  }

  /** Responses that wait, {@link RING_BROKEN} when the back claims more than the ring holds. */
  unconsumedResponses(): number {
    const published = this.shared(RSP_PROD);
    this.#rspSeen = published;
    const waiting = (published - this.rspCons) >>> 0;
    if (waiting <= this.size) return waiting;
    this.broken++;
    return RING_BROKEN;
  }

  /** Address of the next response, which is consumed with this; its slot stays as it is until it is claimed again. */
  takeResponse(): number {
    if (this.#rspSeen === this.rspCons) {
      assert(this.unconsumedResponses() > 0, "ring: no response is there to be taken");
    }
    const address = this.slot(this.rspCons);
    this.taken("response", this.rspCons);
    this.rspCons = (this.rspCons + 1) >>> 0;
    return address;
  }

  /** RING_FINAL_CHECK_FOR_RESPONSES: asks for a notification of the next one, unless some wait already. */
  finalCheckForResponses(): number {
    const waiting = this.unconsumedResponses();
    return waiting !== 0 ? waiting : this.askForResponses(1);
  }

  /** Asks for a notification when `count` responses wait, whatever waits now; returns how many do. */
  askForResponses(count: number): number {
    this.setShared(RSP_EVENT, this.rspCons + count);
    return this.unconsumedResponses();
  }
}

/**
 * The end that answers: reads requests and writes responses.
 *
 * Xen2MX runs its second ring the other way round: events travel as responses to nothing, and the front returns each slot
 * with an empty request. `rspProdPvt` then runs ahead of `reqCons`, and {@link freeResponses} is the producer's room.
 */
export class BackRing extends RingEnd {
  /** Responses claimed. */
  rspProdPvt: number;
  /** Requests consumed. */
  reqCons: number;
  /** req_prod when it was looked at last. */
  #reqSeen: number;
  /** Responses published, whatever the front has made of rsp_prod. */
  #pushed: number;

  constructor(memory: Memory, page: number, slotBytes: number) {
    super(memory, page, slotBytes);
    this.rspProdPvt = this.#pushed = this.shared(RSP_PROD);
    // What has been asked and not answered will be read again.
    this.reqCons = this.#reqSeen = this.rspProdPvt;
  }

  /** Requests that wait, {@link RING_BROKEN} when the front claims more than the ring holds. */
  unconsumedRequests(): number {
    const published = this.shared(REQ_PROD);
    this.#reqSeen = published;
    const waiting = (published - this.reqCons) >>> 0;
    // RING_REQUEST_PROD_OVERFLOW: a request may not lie on one that has no response yet. Negative in a reversed ring.
    if (waiting <= this.size && ((published - this.rspProdPvt) | 0) <= this.size) return waiting;
    this.broken++;
    return RING_BROKEN;
  }

  /** Address of the next request, which is consumed with this. */
  takeRequest(): number {
    if (this.#reqSeen === this.reqCons) assert(this.unconsumedRequests() > 0, "ring: no request is there to be taken");
    const address = this.slot(this.reqCons);
    this.taken("request", this.reqCons);
    this.reqCons = (this.reqCons + 1) >>> 0;
    return address;
  }

  /** Takes the next `count` requests, which have been read in their slots. */
  takeRequests(count: number): void {
    const first = this.reqCons;
    assert(count <= (this.#reqSeen - first) >>> 0, "ring: more requests were taken than are there");
    if (this.watch !== null) { for (let i = 0; i < count; i++) this.taken("request", (first + i) >>> 0); }
    this.reqCons = (first + count) >>> 0;
  }

  /** {@link takeRequest} where each is answered at once: its slot is claimed for the response as well. */
  takeRequestToAnswer(): number {
    assert(this.reqCons === this.rspProdPvt, "ring: requests before this one have no response");
    const address = this.takeRequest();
    this.rspProdPvt = this.reqCons;
    return address;
  }

  /** Requests consumed and not answered; in a reversed ring, less than zero by the slots not returned yet. */
  get unanswered(): number {
    return (this.reqCons - this.rspProdPvt) | 0;
  }

  /** Room for responses in a reversed ring: slots that the front has returned. */
  get freeResponses(): number {
    return this.size + this.unanswered;
  }

  /** Takes the next slot for a response and returns its address. */
  claimResponse(): number {
    const address = this.slot(this.rspProdPvt);
    assert(this.freeResponses > 0, "ring: a response was claimed in a full ring");
    this.rspProdPvt = (this.rspProdPvt + 1) >>> 0;
    return address;
  }

  /** Takes the next `count` slots for responses and returns the index of the first. */
  claimResponses(count: number): number {
    assert(this.freeResponses >= count, "ring: more responses were claimed than there is room for");
    const first = this.rspProdPvt;
    this.rspProdPvt = (first + count) >>> 0;
    return first;
  }

  /** Gives back the slot claimed last, which nothing has been written into. */
  unclaimResponse(): void {
    assert(this.rspProdPvt !== this.#pushed, "ring: a response was given back that is published");
    this.rspProdPvt = (this.rspProdPvt - 1) >>> 0;
  }

  /**
   * RING_PUSH_RESPONSES_AND_CHECK_NOTIFY up to index `to`, a handler's argument (see above); true when the front wants a
   * notification.
   */
  publishResponses(to: number): boolean {
    if (((to - this.#pushed) | 0) > 0) this.#pushed = to >>> 0;
    return this.publish(RSP_PROD, RSP_EVENT, to >>> 0);
  }

  /** RING_FINAL_CHECK_FOR_REQUESTS: asks for a notification of the next one, unless some wait already. */
  finalCheckForRequests(): number {
    const waiting = this.unconsumedRequests();
    return waiting !== 0 ? waiting : this.askForRequests(1);
  }

  /** Asks for a notification when `count` requests wait, whatever waits now; returns how many do. */
  askForRequests(count: number): number {
    this.setShared(REQ_EVENT, this.reqCons + count);
    return this.unconsumedRequests();
  }
}
