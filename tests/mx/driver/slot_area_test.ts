import assert from "node:assert/strict";
import { SlotArea } from "../../../src/mx/driver/slot_area.ts";

Deno.test("slots by use lie apart from each other, at the same place each time, and take memory when they are used", () => {
  let next = 4096;
  const alloc = (bytes: number) => {
    const address = next;
    next += bytes + 4096;
    return address;
  };
  const slots = 100;
  const area = SlotArea.byUse(slots, 2048, alloc);
  assert.equal(next, 4096);
  area.at(40);
  const forOne = next;
  assert.ok(forOne - 4096 < slots * 2048 / 2);
  const addresses = Array.from({ length: slots }, (_, slot) => area.at(slot));
  for (const [slot, address] of addresses.entries()) {
    assert.equal(area.at(slot), address);
    assert.equal(area.atOffset(slot * 2048 + 77), address + 77);
    assert.equal(address % 2048, 0);
  }
  addresses.sort((a, b) => a - b);
  for (let i = 1; i < slots; i++) assert.ok(addresses[i] - addresses[i - 1] >= 2048);
});
