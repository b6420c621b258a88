import assert from "node:assert/strict";
import { SECOND } from "../../../src/base/units.ts";
import { copyTime } from "../../../src/hw/machine_profile.ts";
import { COPY } from "../../../src/metrics/stage.ts";
import {
  CMD_SEND_SMALL,
  PULL_OK,
  RESULT_INVALID,
  RESULT_NO_RESOURCES,
  RESULT_OK,
} from "../../../src/mx/driver/contract.ts";
import { MX_BUSY, MX_CONNECTION_FAILED, MX_SUCCESS, MX_TIMEOUT } from "../../../src/mx/status.ts";
import { run } from "../../support/scenario.ts";
import { Raw, scattered } from "./raw.ts";
import { KEY, open, Stage } from "./support.ts";

/* What the 2012 code did (reference, 4.7) and what mxtop does instead, each with and without `mechanisms.historical`. */

const BOTH = [false, true];

/** Code of a connect from endpoint 0 of guest `from` to the given one. */
function connectCode(stage: Stage, from: number, host: string, index: number): number {
  let code = -1;
  stage.actors[from].play(function* (mx) {
    const endpoint = yield* open(mx, 0);
    code = (yield* endpoint.connect(host, index, KEY, SECOND)).code;
    yield* endpoint.close();
  });
  stage.run();
  return code;
}

Deno.test("a closed endpoint refuses a connect; the historical dom0 keeps the refusal to itself", () => {
  const codes = BOTH.map((historical) => {
    const stage = new Stage({ mechanisms: { historical } });
    const code = connectCode(stage, 0, stage.actors[1].hostname, 99);
    stage.nothingLeft();
    const kept = [...stage.cluster.hosts[0].paths.values()][0].counters!().keptNacks;
    return [code, kept > 0];
  });
  assert.deepEqual(codes, [[MX_CONNECTION_FAILED, false], [MX_TIMEOUT, true]]);
});

Deno.test("guests of one host reach each other; the historical frames leave with equal addresses and are lost", () => {
  const results = BOTH.map((historical) => {
    const stage = new Stage({ guests: 4, mechanisms: { historical } });
    // Guests 0 and 2 are on host a.
    stage.actors[2].play(function* (mx) {
      const endpoint = yield* open(mx, 1);
      yield* endpoint.wait(yield* endpoint.irecv(0, 0, 1, 1, 1, 1), { mode: "block", timeoutPs: 2 * SECOND });
      yield* endpoint.close();
    });
    const code = connectCode(stage, 0, stage.actors[2].hostname, 1);
    stage.nothingLeft();
    return [code, stage.cluster.hosts[1].nic.filtered > 0];
  });
  assert.deepEqual(results, [[MX_SUCCESS, false], [MX_TIMEOUT, true]]);
});

Deno.test("a number that another guest has is refused; the historical guest takes any answer for success", () => {
  for (const historical of BOTH) {
    const stage = new Stage({ guests: 3, mechanisms: { historical } });
    const [a, b, c] = stage.actors; // a and c are on host a
    let ready = false;
    let code = -1;
    b.play(function* (mx) {
      const endpoint = yield* open(mx, 1);
      yield* endpoint.wait(yield* endpoint.irecv(0, 0, 1, 1, 1, 1), { mode: "block", timeoutPs: 3 * SECOND });
      yield* endpoint.close();
    });
    a.play(function* (mx) {
      const endpoint = yield* open(mx, 0);
      ready = true;
      yield 2 * SECOND;
      yield* endpoint.close();
    });
    c.play(function* (mx) {
      while (!ready) yield 50_000_000;
      const endpoint = yield* mx.openEndpoint(0, KEY);
      code = mx.code;
      if (endpoint === null) return;
      // It looks open, and whatever it is told to send dom0 refuses.
      code = (yield* endpoint.connect(b.hostname, 1, KEY, SECOND)).code;
      yield* endpoint.close();
    });
    stage.run();
    assert.equal(code, historical ? MX_TIMEOUT : MX_BUSY);
    assert.ok(a.finished && c.finished);
    stage.nothingLeft();
  }
});

Deno.test("an own number cannot be opened twice; historically it can, and the second hears nothing", () => {
  for (const historical of BOTH) {
    const stage = new Stage({ guests: 2, mechanisms: { historical } });
    const [a, b] = stage.actors;
    const codes: number[] = [];
    b.play(function* (mx) {
      const endpoint = yield* open(mx, 1);
      yield* endpoint.wait(yield* endpoint.irecv(0, 0, 1, 1, 1, 1), { mode: "block", timeoutPs: 3 * SECOND });
      yield* endpoint.close();
    });
    a.play(function* (mx) {
      const first = yield* open(mx, 0);
      const second = yield* mx.openEndpoint(0, KEY);
      codes.push(mx.code);
      const { mappedGrants } = a.guest.site.domain!.grantTable;
      assert.equal(mappedGrants, 2 + 1027, "nothing was mapped for the second");
      codes.push((yield* first.connect(b.hostname, 1, KEY, SECOND)).code);
      if (second !== null) {
        codes.push((yield* second.connect(b.hostname, 1, KEY, SECOND)).code);
        yield* second.close();
      }
      yield* first.close();
    });
    stage.run();
    assert.deepEqual(codes, historical ? [MX_SUCCESS, MX_SUCCESS, MX_TIMEOUT] : [MX_BUSY, MX_SUCCESS]);
    assert.ok(a.finished);
    stage.nothingLeft();
  }
});

Deno.test("a small message that could not be sent is given back; historically it counts as sent", () => {
  const results = BOTH.map((historical) => {
    const stage = new Stage({ mechanisms: { historical } });
    const raw = new Raw(stage, stage.actors[0]);
    const { frames } = stage.cluster.world;
    let result = -1;
    raw.play(function* () {
      yield* raw.open(0, 1);
      const peer = raw.driver.peerByName(stage.actors[1].hostname);
      yield* raw.settle();
      const taken: number[] = [];
      for (let frame = frames.take(60); frame >= 0; frame = frames.take(60)) taken.push(frame);
      result = yield* raw.give({ kind: CMD_SEND_SMALL, peer, length: 100, address: raw.actor.alloc(100) });
      for (const frame of taken) frames.free(frame);
      yield* raw.close();
    });
    stage.run();
    stage.nothingLeft();
    return result;
  });
  assert.deepEqual(results, [RESULT_NO_RESOURCES, RESULT_OK]);
});

Deno.test("a region of two segments is served and filled; historically filled only, and three overrun the message", () => {
  for (const historical of BOTH) {
    const stage = new Stage({ mechanisms: { historical } });
    const [a, b] = stage.actors.map((actor) => new Raw(stage, actor));
    const outcome: Record<string, unknown> = {};
    let ready = false;
    let done = false;
    a.play(function* () {
      yield* a.open(0, 11);
      outcome.three = yield* a.create(9, scattered(a.actor, [1000, 1000, 1000]));
      assert.equal(yield* a.create(1, scattered(a.actor, [20_000])), RESULT_OK);
      assert.equal(yield* a.create(2, scattered(a.actor, [10_000, 10_000])), RESULT_OK);
      yield* a.greet(b);
      ready = true;
      while (!done) yield SECOND / 100;
      yield* a.close();
    });
    b.play(function* () {
      yield* b.open(1, 22);
      while (!ready) yield 100_000_000;
      yield* b.greet(a);
      assert.equal(yield* b.create(3, scattered(b.actor, [10_000, 10_000])), RESULT_OK);
      outcome.filled = yield* b.pull(a, 1, 3, 20_000);
      const before = stage.cluster.world.engine.now;
      // Without an answer the puller goes on asking, for minutes: it is looked at for two seconds.
      const pull = b.pull(a, 2, 3, 20_000);
      let step = pull.next();
      while (step.done !== true && stage.cluster.world.engine.now < before + 2 * SECOND) {
        yield historical ? SECOND / 100 : step.value;
        step = pull.next();
      }
      outcome.served = step.done === true ? step.value : "no answer";
      done = true;
      yield* b.close();
    });
    stage.run(6);
    assert.ok(a.finished && b.finished);
    const all = { status: PULL_OK, length: 20_000 };
    assert.deepEqual(outcome, {
      three: historical ? RESULT_INVALID : RESULT_OK,
      filled: all,
      served: historical ? "no answer" : all,
    });
    stage.nothingLeft();
  }
});

Deno.test("historically each medium fragment is copied once more on its way in", () => {
  let cached = 0;
  const copies = BOTH.map((historical) => {
    const workload = { kind: "pingpong", sizes: ["16 KiB"], iterations: 20 };
    const session = run({ path: "xen2mx", mechanisms: { historical }, workload });
    assert.deepEqual(session.drain(), []);
    const { sums, finished } = session.cluster.world.journeys;
    cached = copyTime(session.cluster.world.costs.copyCachedByte, 16384);
    return sums[COPY] / finished;
  });
  // Two fragments arrive side by side: the critical path has the last one's, or both.
  const more = copies[1] - copies[0];
  assert.ok(more >= cached / 2 - 1 && more <= cached + 1, `${copies}, one copy is ${cached}`);
});

Deno.test("what both have in common is not changed by the switch", () => {
  for (const sizes of [["16 B"], ["100 B"], ["256 KiB"]]) {
    const [now, then] = BOTH.map((historical) => {
      const workload = { kind: "pingpong", sizes, iterations: 10 };
      return run({ path: "xen2mx", mechanisms: { historical }, workload }).rows.rows[0].rttUs;
    });
    assert.equal(now, then, sizes[0]);
  }
});
