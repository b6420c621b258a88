import fc from "fast-check";
import assert from "node:assert/strict";
import { type Processor } from "../../../src/hw/processor.ts";
import { Thread, WAIT_BLOCK } from "../../../src/hw/thread.ts";
import { RESULT_OK } from "../../../src/mx/driver/contract.ts";
import * as layout from "../../../src/path/xen2mx/layout.ts";
import * as peers from "../../../src/path/xen2mx/peer_messages.ts";
import { Raw } from "./raw.ts";
import { Stage } from "./support.ts";

/* What a guest writes into the ring dom0 must survive: each request has an answer, and nothing of others is harmed. */

const FUNCS = [
  layout.FUNC_OPEN_ENDPOINT,
  layout.FUNC_CREATE_REGION,
  layout.FUNC_DESTROY_REGION,
  ...layout.kindOfFunc.keys(),
  peers.FUNC_BOARD_INFO,
  peers.FUNC_PEER_FROM_ADDR,
  peers.FUNC_PEER_FROM_HOSTNAME,
  peers.FUNC_PEER_FROM_INDEX,
  0xdeadbeef,
];

const union = fc.oneof(
  fc.uint8Array({ minLength: 230, maxLength: 230 }),
  // Small numbers come closer to being right.
  fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 230, maxLength: 230 }).map((bytes) => Uint8Array.from(bytes)),
);
const request = fc.record({
  func: fc.constantFrom(...FUNCS),
  eid: fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  union,
});

Deno.test("random requests are answered, and do not disturb an endpoint that is open", () => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 60 }), (requests) => {
      const stage = new Stage({ path: "xen2mx-plain" }); // whose dom0 is notified of requests
      const [wrong, good] = stage.actors;
      const raw = new Raw(stage, wrong);
      const { ring, counters } = raw.driver.device;
      const { memory } = stage;
      let sent = 0;
      // A thread of the guest's kernel that has lost its mind: it pushes, and takes what comes.
      const madness = (cpu: Processor) => {
        if (sent === requests.length) return WAIT_BLOCK;
        const { func, eid, union } = requests[sent++];
        const slot = raw.driver.device.claim(cpu, func, eid);
        memory.u8.set(union, slot + layout.SLOT_UNION);
        ring.pushRequests();
        wrong.guest.site.domain!.processors[0].raise(
          wrong.guest.site.domain!.eventChannels.sender(raw.driver.device.port),
        );
        return 100_000_000; // 100 us: dom0 has answered by then
      };
      let done = false;
      raw.play(function* () {
        yield* raw.open(0, 1);
        const thread = new Thread("mad", wrong.guest.site.processor, madness);
        thread.notify();
        while (sent < requests.length) yield 100_000_000;
        yield 1_000_000_000;
        // What it asked has been answered: the frontend finds answers to no request of its own.
        raw.driver.device.takeAnswers(wrong.guest.site.processor, raw.driver);
        assert.equal(counters.strayAnswers, requests.length);
        done = true;
      });
      const other = new Raw(stage, good);
      other.play(function* () {
        yield* other.open(1, 1);
        while (!done) yield 1_000_000_000;
        assert.equal(yield* other.create(0, [{ address: good.alloc(4096), length: 4096 }]), RESULT_OK);
        yield* other.close();
      });
      stage.cluster.world.engine.run(20e12);
      assert.ok(done && other.finished);
      assert.equal(stage.cluster.world.journeys.live, 0);
    }),
    { numRuns: 25 },
  );
});
