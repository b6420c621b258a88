import { PAGE_SIZE } from "../../src/base/units.ts";
import { Memory } from "../../src/hw/memory.ts";
import { BackRing, FrontRing, initSharedRing } from "../../src/xen/shared_ring.ts";
import { type Work, WorkHash } from "./work.ts";

/** Bytes of an element: Xen2MX's. */
const SLOT_BYTES = 250;
const BURST = 4;

/** A Xen ring both ways: requests are claimed, written, published and taken, four at a time, and answered likewise. */
export function sharedRing(operations: number): Work {
  const memory = new Memory(1 << 20);
  const page = memory.alloc(PAGE_SIZE);
  initSharedRing(memory, page);
  const front = new FrontRing(memory, page, SLOT_BYTES);
  const back = new BackRing(memory, page, SLOT_BYTES);
  const { view } = memory;
  const hash = new WorkHash();
  let done = 0;
  let notified = 0;
  while (done < operations) {
    for (let i = 0; i < BURST; i++) view.setUint32(front.claimRequest(), done + i, true);
    if (front.pushRequests()) notified++;
    for (let left = back.unconsumedRequests(); left > 0; left--) {
      const asked = view.getUint32(back.takeRequest(), true);
      view.setUint32(back.claimResponse(), asked ^ 0x5555, true);
    }
    if (back.publishResponses(back.rspProdPvt)) notified++;
    back.finalCheckForRequests();
    for (let left = front.unconsumedResponses(); left > 0; left--) hash.add(view.getUint32(front.takeResponse(), true));
    front.finalCheckForResponses();
    done += BURST;
  }
  hash.add(notified);
  return { operations: done, hash: hash.text };
}
