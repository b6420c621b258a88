import assert from "node:assert/strict";
import { PhysicalCpu } from "../../../src/hw/cpu.ts";
import { Memory } from "../../../src/hw/memory.ts";
import { Interrupt } from "../../../src/hw/interrupt.ts";
import { Processor } from "../../../src/hw/processor.ts";
import { Journeys } from "../../../src/metrics/journey.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import { COUNTER_LABELS } from "../../../src/mx/driver/counters.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { CommitHandlers, EventProducer, QueueMemory } from "../../../src/mx/driver/event_queues.ts";
import { EV_ID, EV_TYPE, EVENT_BYTES } from "../../../src/mx/driver/events.ts";
import { mxLimits } from "../../../src/mx/limits.ts";
import { Engine } from "../../../src/sim/engine.ts";

/* The queues between driver and library, and the numbers that omx_counters shows. */

const ENTRIES = 8;

function queues() {
  const engine = new Engine(1);
  const memory = new Memory(1 << 20);
  const own = new QueueMemory((bytes) => memory.alloc(bytes), mxLimits(9000), 3, 77, ENTRIES);
  let wakes = 0;
  const events = new EventProducer(new CommitHandlers(engine), memory, "test", own, { wake: () => wakes++ });
  const costs = { contextSwitch: 0, idleExit: 0, threadSlice: 1 };
  const cpu = new Processor(engine, "cpu", 0, costs, new Journeys(), null, new PhysicalCpu(engine, 0));
  const burst = (act: () => void) => {
    cpu.raise(
      new Interrupt("test", 1, () => {
        act();
        return false;
      }),
    );
    engine.run(engine.now);
  };
  return { memory, own, events, cpu, burst, wakes: () => wakes };
}

Deno.test("a slot is 64 bytes; its last byte, 1 + number mod 255, is written last and makes it visible", () => {
  const { memory, own, events, cpu, burst, wakes } = queues();
  assert.equal(EVENT_BYTES, 64);
  for (let number = 0; number < 600; number++) {
    const taken = events.reserve(false);
    assert.equal(taken, number);
    const at = events.address(number, false);
    assert.equal(at, own.unexpectedEvents + (number % ENTRIES) * 64);
    const before = memory.u8[at + EV_ID];
    burst(() => {
      events.commit(cpu, number, false, c.EVENT_TINY, -1);
      assert.equal(memory.u8[at + EV_ID], before, "not visible before its instant");
    });
    assert.deepEqual([memory.u8[at + EV_TYPE], memory.u8[at + EV_ID]], [c.EVENT_TINY, 1 + number % 255]);
    events.release(number + 1, 0);
  }
  assert.equal(wakes(), 600);
});

Deno.test("a queue holds so many events and no more; what was released is free, and receive slots go with SMALL and MEDIUM", () => {
  const { events } = queues();
  for (const isExpected of [false, true]) {
    for (let i = 0; i < ENTRIES; i++) assert.equal(events.reserve(isExpected), i);
    assert.equal(events.reserve(isExpected), -1);
  }
  events.release(2, 1);
  assert.deepEqual([events.reserve(false), events.reserve(false), events.reserve(false)], [8, 9, -1]);
  assert.deepEqual([events.reserve(true), events.reserve(true)], [8, -1]);
  // A receive slot is the count of such events, whatever other events came between.
  assert.deepEqual(Array.from({ length: 10 }, () => events.reserveRecvSlot()), [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
});

Deno.test("event types and pull statuses have the numbers of the interface", () => {
  const types = [
    c.EVENT_CONNECT_REQUEST,
    c.EVENT_CONNECT_REPLY,
    c.EVENT_TINY,
    c.EVENT_SMALL,
    c.EVENT_MEDIUM_FRAG,
    c.EVENT_RNDV,
    c.EVENT_NOTIFY,
    c.EVENT_LIBACK,
    c.EVENT_NACK_LIB,
  ];
  assert.deepEqual(types, [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19]);
  assert.deepEqual([c.EVENT_MEDIUM_DONE, c.EVENT_PULL_DONE, c.EVENT_IGNORE], [0x20, 0x21, 0x01]);
  const statuses = [c.PULL_OK, c.PULL_BAD_ENDPOINT, c.PULL_ENDPOINT_CLOSED, c.PULL_BAD_SESSION, c.PULL_BAD_REGION];
  assert.deepEqual([...statuses, c.PULL_ABORTED, c.PULL_TIMEOUT], [0, 1, 2, 3, 4, 5, 6]);
});

Deno.test("85 counters, in their groups", () => {
  assert.equal(COUNTER_LABELS.length, 85);
  const groups = { send: [0, 15], recv: [16, 30], dma: [31, 35], drop: [49, 71], shared: [72, 84] };
  for (const [name, [first, last]] of Object.entries(groups)) {
    const inside = COUNTER_LABELS.slice(first, last + 1);
    assert.ok(inside.every((label) => label.startsWith(name)), name);
  }
  // The name of each constant says the same as the label of its number.
  for (const [name, number] of Object.entries(count)) {
    if (typeof number !== "number") continue;
    const side = name.split("_")[0].toLowerCase();
    const label = COUNTER_LABELS[number];
    if (["send", "recv", "dma", "drop", "shared"].includes(side)) {
      assert.ok(label.startsWith(side), `${name}: ${label}`);
    }
  }
});
