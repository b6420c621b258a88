import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import * as layout from "../../src/xen/net_layout.ts";
import { GUEST_MAC, NetHost, OUTSIDE_MAC } from "./net_support.ts";

Deno.test("both rings have 256 slots in a page", () => {
  assert.equal(layout.TX_SLOTS, 256);
  assert.equal(layout.RX_SLOTS, 256);
});

Deno.test("a frame of three stretches is three transmit slots, field by field", () => {
  const host = new NetHost();
  host.front.bind(host.guest.eventChannels.allocUnbound(0));
  // 64 bytes of head, then payload from the last 96 bytes of a page to the first 1000 of the next.
  host.send(US, [host.frame(OUTSIDE_MAC, GUEST_MAC, 64 + 96 + 1000, 4000)]);
  host.engine.run(10 * US);
  const { view, u8 } = host.memory;
  const { page } = host.front.tx.ring;
  assert.equal(view.getUint32(page, true), 3, "req_prod");
  const slot = (n: number) => {
    const at = page + 64 + n * 12;
    const gref = view.getUint32(at, true);
    const [offset, flags, id, size] = [4, 6, 8, 10].map((field) => view.getUint16(at + field, true));
    const entry = host.guest.grantTable.entryAddress(gref);
    const frame = view.getUint32(entry + 4, true);
    assert.equal(view.getUint16(entry, true), 1 | 4, "granted for reading only");
    assert.equal(view.getUint16(entry + 2, true), 0, "to dom0");
    return { offset, flags, id, size, frame };
  };
  const [first, second, third] = [slot(0), slot(1), slot(2)];
  assert.deepEqual([first.size, first.flags], [1160, 4], "the first slot has the size of the frame");
  assert.equal(u8[first.frame * 4096 + first.offset], 0x02, "and its bytes begin with the destination");
  const firstPage = host.payload / 4096;
  assert.deepEqual([second.frame, second.offset, second.size, second.flags], [firstPage, 4000, 96, 4]);
  assert.deepEqual([third.frame, third.offset, third.size, third.flags], [firstPage + 1, 0, 1000, 0]);
  assert.equal(new Set([first.id, second.id, third.id]).size, 3);
});

Deno.test("receive buffers are posted with their slot's number and a page that dom0 may write", () => {
  const host = new NetHost();
  host.front.rx.fill();
  const { view } = host.memory;
  const { page } = host.front.rx.ring;
  assert.equal(view.getUint32(page, true), 256, "req_prod");
  const pages = new Set<number>();
  for (let n = 0; n < 256; n++) {
    const at = page + 64 + n * 8;
    assert.equal(view.getUint16(at, true), n);
    const entry = host.guest.grantTable.entryAddress(view.getUint32(at + 4, true));
    assert.equal(view.getUint16(entry, true), 1);
    pages.add(view.getUint32(entry + 4, true));
  }
  assert.equal(pages.size, 256);
});
