import assert from "node:assert/strict";
import {
  CMD_CREATE_REGION,
  CMD_PULL,
  CMD_SEND_LIBACK,
  RESULT_INVALID,
  RESULT_NO_RESOURCES,
  RESULT_OK,
} from "../../../src/mx/driver/contract.ts";
import { grantsOfEndpoint } from "../../../src/path/xen2mx/front_queues.ts";
import { STATUS_SUCCESS } from "../../../src/mx/status.ts";
import { Raw, scattered } from "./raw.ts";
import { finish, open, reach, receive, send, Stage } from "./support.ts";

/* What is finite and shared by the endpoints of a guest: grant references, and mappings in dom0. */

const SIZE = 1 << 20;

/** Leaves a guest this many grant references. */
function leaveReferences(stage: Stage, guest: number, left: number): void {
  const { grantTable } = stage.actors[guest].guest.site.domain!;
  const taken = 16384 - 8 - grantTable.reserved - left;
  assert.ok(grantTable.reserve(null, taken, new Int32Array(taken)));
}

/** Lets dom0 of a host map this many pages at most. */
function limitMappings(stage: Stage, host: number, limit: number): void {
  const { mappings } = stage.cluster.hosts[host].hypervisor!.domain(0)!;
  (mappings as { maxHandles: number }).maxHandles = limit;
}

/** Tells how many pages of the only guest dom0 maps. */
function pagesMapped(stage: Stage): () => number {
  const { mappings } = stage.cluster.hosts[0].hypervisor!.domain(0)!;
  const { id } = stage.actors[0].guest.site.domain!;
  return () => mappings.mappingsOf(id);
}

/** Each of two endpoints of a sends large messages from buffers of its own to one of b. */
function twoSenders(stage: Stage): void {
  const [a, b] = stage.actors;
  const buffers = [0, 1, 2, 3, 4, 5].map((salt) => a.filled(SIZE, salt));
  const into = b.alloc(SIZE);
  let received = 0;
  a.play(function* (mx) {
    const endpoints = [yield* open(mx, 0), yield* open(mx, 2)];
    const to = [yield* reach(endpoints[0], b.hostname, 1), yield* reach(endpoints[1], b.hostname, 3)];
    for (const i of [0, 1, 2, 3, 4, 5, 0, 1]) {
      const which = i % 2;
      assert.equal(yield* send(endpoints[which], buffers[i], SIZE, to[which], i), STATUS_SUCCESS);
    }
    for (const endpoint of endpoints) yield* finish(endpoint);
  });
  b.play(function* (mx) {
    const endpoints = [yield* open(mx, 1), yield* open(mx, 3)];
    for (const [i, endpoint] of endpoints.entries()) yield* reach(endpoint, a.hostname, 2 * i);
    for (const i of [0, 1, 2, 3, 4, 5, 0, 1]) {
      assert.equal(yield* receive(endpoints[i % 2], into, SIZE, i), STATUS_SUCCESS);
      assert.ok(stage.holds(into, SIZE, i));
      received++;
    }
    for (const endpoint of endpoints) yield* finish(endpoint);
  });
  stage.run(20);
  assert.equal(received, 8);
}

Deno.test("when references run out, an endpoint gets those of another's cached regions", () => {
  const stage = new Stage();
  // Two endpoints, and two regions of 257 references: six buffers have to take turns.
  leaveReferences(stage, 0, 2 * 1027 + 2 * 260);
  twoSenders(stage);
  const { grantTable } = stage.actors[0].guest.site.domain!;
  assert.ok(grantTable.counters.exhausted >= 4);
  stage.nothingLeft();
});

Deno.test("when dom0 cannot map more, cached mappings of the guest are given up", () => {
  const stage = new Stage();
  limitMappings(stage, 0, 2 + 2 * 1027 + 2 * 260);
  twoSenders(stage);
  const dom0 = stage.cluster.hosts[0].hypervisor!.domain(0)!;
  assert.ok(dom0.mappings.counters.exhausted > 0);
  stage.nothingLeft();
});

Deno.test("a region of many segments that cannot be mapped whole is not mapped at all", () => {
  for (const mechanisms of [{}, { grantReuse: false }, { grantBatching: false }, { overlap: true }]) {
    const stage = new Stage({ hosts: 1, guests: 1, mechanisms });
    limitMappings(stage, 0, 2 + 1027 + 30);
    const raw = new Raw(stage, stage.actors[0]);
    const mapped = pagesMapped(stage);
    raw.play(function* () {
      yield* raw.open(0, 11);
      const before = mapped();
      const wide = scattered(raw.actor, new Array(20).fill(5000), 0); // 2 pages and a list each
      assert.equal(yield* raw.create(0, wide), RESULT_NO_RESOURCES);
      assert.equal(mapped(), before);
      assert.equal(yield* raw.create(0, wide.slice(0, 5)), RESULT_OK);
      assert.equal(yield* raw.destroy(0), RESULT_OK);
      yield* raw.close();
    });
    stage.run();
    assert.ok(raw.finished);
    stage.nothingLeft();
  }
});

Deno.test("an endpoint takes as many of dom0's mappings as a scenario is checked for", () => {
  for (const mtu of [9000, 1500]) {
    const stage = new Stage({ hosts: 1, guests: 1, mtu });
    const raw = new Raw(stage, stage.actors[0]);
    const mapped = pagesMapped(stage);
    raw.play(function* () {
      assert.equal(mapped(), 2);
      yield* raw.open(0, 11);
      assert.equal(mapped(), 2 + grantsOfEndpoint(stage.cluster.world.mx));
      yield* raw.close();
    });
    stage.run();
    assert.ok(raw.finished);
  }
});

Deno.test("an open that dom0 cannot map is refused, with nothing left in either", () => {
  const stage = new Stage({ hosts: 1, guests: 1 });
  limitMappings(stage, 0, 900);
  const [a] = stage.actors;
  a.play(function* (mx) {
    assert.equal(yield* mx.openEndpoint(0, 0), null);
    assert.equal(mx.code, 15);
  });
  stage.run();
  stage.nothingLeft();
});

Deno.test("more commands at a time than the ring has slots: some wait, each gets its own answer", () => {
  for (const path of ["xen2mx", "xen2mx-plain"]) {
    const stage = new Stage({ path, hosts: 1, guests: 1, mtu: 1500 });
    const leader = new Raw(stage, stage.actors[0]);
    const raws = [leader, ...Array.from({ length: 29 }, () => new Raw(stage, stage.actors[0], leader))];
    const { device } = leader.driver;
    const address = leader.actor.alloc(1 << 20);
    leader.play(function* () {
      for (const [i, raw] of raws.entries()) yield* raw.open(i, 1);
      for (const [i, raw] of raws.entries()) {
        // Some are wrong, some go to the own endpoint, and some take several messages.
        const segments = new Array(i).fill({ address, length: 5000 });
        if (i % 3 === 0) raw.submit({ kind: CMD_PULL, region: 200, length: 1 });
        else if (i % 3 === 1) raw.submit({ kind: CMD_SEND_LIBACK, endpoint: i });
        else raw.submit({ kind: CMD_CREATE_REGION, region: 0, segments, length: 5000 * i });
      }
      for (const raw of raws) yield* raw.settle();
      const wanted = raws.map((_, i) => i % 3 === 0 ? RESULT_INVALID : RESULT_OK);
      assert.deepEqual(raws.map(({ result }) => result), wanted);
      assert.ok(device.counters.ringFull > 0);
      for (const raw of raws) yield* raw.close();
    });
    stage.run();
    assert.ok(leader.finished);
    assert.equal(device.counters.strayAnswers, 0);
    stage.nothingLeft();
  }
});

Deno.test("with overlap, a region can be given up while it is being mapped, and one that was not mapped is granted anew", () => {
  for (const grantReuse of [false, true]) {
    const stage = new Stage({ hosts: 1, guests: 1, mechanisms: { overlap: true, grantReuse } });
    limitMappings(stage, 0, 2 + 1027 + 300);
    const raw = new Raw(stage, stage.actors[0]);
    const mapped = pagesMapped(stage);
    raw.play(function* () {
      yield* raw.open(0, 11);
      const fits = [{ address: raw.actor.alloc(1 << 20), length: 1 << 20 }];
      for (let round = 0; round < 3; round++) {
        assert.equal(yield* raw.create(0, fits), RESULT_OK);
        assert.equal(yield* raw.destroy(0), RESULT_OK);
      }
      assert.equal(mapped(), 2 + 1027 + (grantReuse ? 257 : 0));
      // Too large for dom0, of which the guest hears when it comes back to the region.
      const large = [{ address: raw.actor.alloc(2 << 20), length: 2 << 20 }];
      assert.equal(yield* raw.create(1, large), RESULT_OK);
      assert.equal(yield* raw.destroy(1), RESULT_INVALID);
      assert.equal(yield* raw.create(1, large), grantReuse ? RESULT_NO_RESOURCES : RESULT_OK);
      yield* raw.close();
    });
    stage.run();
    assert.ok(raw.finished);
    stage.nothingLeft();
  }
});

Deno.test("with overlap, what comes for a region after a piece of it could not be mapped is given up with it", () => {
  let givenUp = 0;
  for (let left = 4; left < 60; left += 4) {
    const stage = new Stage({ hosts: 1, guests: 1, mechanisms: { overlap: true } });
    limitMappings(stage, 0, 2 + 1027 + left);
    const raw = new Raw(stage, stage.actors[0]);
    raw.play(function* () {
      yield* raw.open(0, 11);
      // Two messages, some 11 pages and a list for each of the segments.
      const told = yield* raw.create(0, scattered(raw.actor, [40_000, 40_000, 40_000, 40_000], 0));
      yield 5_000_000_000; // until dom0 is through
      if (told === RESULT_OK && (yield* raw.destroy(0)) === RESULT_INVALID) givenUp++;
      limitMappings(stage, 0, 100_000);
      // Its number can be had again.
      const small = scattered(raw.actor, [5000], 0);
      for (let round = 0; round < 2; round++) {
        assert.equal(yield* raw.create(0, small), RESULT_OK, `${left} left`);
        assert.equal(yield* raw.destroy(0), RESULT_OK, `${left} left`);
      }
      yield* raw.close();
    });
    stage.run();
    assert.ok(raw.finished);
    stage.nothingLeft();
  }
  assert.ok(givenUp > 3, `${givenUp}`);
});
