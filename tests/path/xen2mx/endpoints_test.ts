import assert from "node:assert/strict";
import type { MxEndpoint } from "../../../src/mx/api.ts";
import { MX_BUSY, MX_NO_RESOURCES, STATUS_SUCCESS } from "../../../src/mx/status.ts";
import { ALL, between, finish, open, reach, receive, send, Stage, until } from "./support.ts";

/* Several endpoints of one guest on one device: reference, sections 4.3 and 4.4, and invariant 15. */

Deno.test("a guest talks through several endpoints at once, to another host and to its own", () => {
  for (const path of ["xen2mx", "xen2mx-plain"]) {
    const stage = new Stage({ path });
    const [a, b] = stage.actors;
    const indexes = [0, 3, 255];
    const sizes = [32, 5000, 200_000];
    const received: number[] = [];
    const at = indexes.map((_, i) => a.filled(sizes[i], i));
    const into = sizes.map((size) => b.alloc(size));
    a.play(function* (mx) {
      const endpoints = [];
      for (const index of indexes) endpoints.push(yield* open(mx, index));
      for (const [i, endpoint] of endpoints.entries()) {
        const to = yield* reach(endpoint, b.hostname, indexes[i]);
        assert.equal(yield* send(endpoint, at[i], sizes[i], to), STATUS_SUCCESS);
      }
      // From one endpoint to the next, inside the guest.
      const to = yield* between(endpoints[0], endpoints[1], a.hostname);
      yield* between(endpoints[1], endpoints[0], a.hostname);
      const inside = a.alloc(sizes[1]);
      const request = yield* endpoints[1].irecv(inside, sizes[1], 0, 9, ALL, ALL);
      const sent = yield* endpoints[0].isend(at[1], sizes[1], to, 0, 9);
      yield* until(endpoints[1], request, endpoints[0]);
      yield* until(endpoints[0], sent, endpoints[1]);
      assert.ok(stage.holds(inside, sizes[1], 1));
      for (const endpoint of endpoints) yield* finish(endpoint);
    });
    b.play(function* (mx) {
      const endpoints = [];
      for (const index of indexes) endpoints.push(yield* open(mx, index));
      for (const [i, endpoint] of endpoints.entries()) {
        yield* reach(endpoint, a.hostname, indexes[i]);
        assert.equal(yield* receive(endpoint, into[i], sizes[i]), STATUS_SUCCESS);
        received.push(i);
      }
      for (const endpoint of endpoints) yield* finish(endpoint);
    });
    stage.run();
    assert.deepEqual(received, [0, 1, 2]);
    for (const [i, size] of sizes.entries()) assert.ok(stage.holds(into[i], size, i), `message ${i}`);
    stage.nothingLeft();
    assert.equal(a.device.counters.strayAnswers, 0);
  }
});

Deno.test("an index is opened, closed and opened again, and nothing is left of it each time", () => {
  const stage = new Stage({ hosts: 1, guests: 1 });
  const [a] = stage.actors;
  let pages = 0;
  a.play(function* (mx) {
    for (let round = 0; round < 20; round++) {
      const endpoint = yield* open(mx, 4);
      yield* endpoint.close();
      if (round === 0) pages = a.guest.site.domain!.pages;
    }
  });
  stage.run();
  stage.nothingLeft();
  assert.equal(a.guest.site.domain!.pages, pages, "queues are reused");
});

Deno.test("messages reach the present owner of an index, whoever had it before", () => {
  const stage = new Stage({ guests: 2 });
  const [a, b] = stage.actors;
  const at = a.filled(8192, 1);
  const into = b.alloc(8192);
  let sent = 0;
  a.play(function* (mx) {
    for (let round = 0; round < 5; round++) {
      const endpoint = yield* open(mx, 0);
      const to = yield* reach(endpoint, b.hostname, 1);
      for (let i = 0; i < 8; i++) if ((yield* send(endpoint, at, 1000 * (i + 1), to)) === STATUS_SUCCESS) sent++;
      yield* finish(endpoint);
    }
  });
  let received = 0;
  b.play(function* (mx) {
    const endpoint = yield* open(mx, 1);
    for (let i = 0; i < 40; i++) {
      assert.equal(yield* receive(endpoint, into, 8192), STATUS_SUCCESS);
      assert.ok(stage.holds(into, 1000 * (i % 8 + 1), 1));
      received++;
    }
    yield* finish(endpoint);
  });
  stage.run();
  assert.deepEqual([sent, received], [40, 40]);
  stage.nothingLeft();
});

Deno.test("an index that is taken is refused: by the guest for its own, by dom0 for another guest's", () => {
  const stage = new Stage({ hosts: 1, guests: 2 });
  const [a, b] = stage.actors;
  let step = 0;
  a.play(function* (mx) {
    const endpoint = yield* open(mx, 5);
    assert.equal(yield* mx.openEndpoint(5, 0), null);
    assert.equal(mx.code, MX_BUSY);
    step = 1;
    while (step < 2) yield 50_000_000;
    yield* endpoint.close();
    step = 3;
  });
  b.play(function* (mx) {
    while (step < 1) yield 50_000_000;
    assert.equal(yield* mx.openEndpoint(5, 0), null);
    assert.equal(mx.code, MX_BUSY);
    assert.equal(b.device.counters.opensRefused, 1);
    assert.equal(b.guest.site.domain!.grantTable.activeGrants, 2, "the two rings");
    assert.equal(b.guest.site.domain!.grantTable.mappedGrants, 2);
    step = 2;
    while (step < 3) yield 50_000_000;
    // The number has come free, and the guest's own table has forgotten the failure.
    yield* (yield* open(mx, 5)).close();
  });
  stage.run();
  assert.equal(step, 3);
  assert.ok(b.finished);
  stage.nothingLeft();
});

Deno.test("grant references bound the endpoints of a guest: one too many is refused, and works when there is room", () => {
  const stage = new Stage({ hosts: 1, guests: 1 });
  const [a] = stage.actors;
  let opened = 0;
  a.play(function* (mx) {
    const endpoints: MxEndpoint[] = [];
    for (;;) {
      const endpoint: MxEndpoint | null = yield* mx.openEndpoint(endpoints.length, 0);
      if (endpoint === null) break;
      endpoints.push(endpoint);
    }
    assert.equal(mx.code, MX_NO_RESOURCES);
    opened = endpoints.length;
    yield* endpoints[3].close();
    endpoints[3] = yield* open(mx, 200);
    for (const endpoint of endpoints) yield* endpoint.close();
  });
  stage.run();
  // 16384 entries, 8 of them the toolstack's and 2 the rings'; 2 x 512 pages, 2 lists and a page for each endpoint.
  assert.equal(opened, Math.floor((16384 - 10) / 1027));
  assert.ok(a.finished);
  stage.nothingLeft();
});

Deno.test("closing with messages under way leaves nothing in guest or dom0, and others go on", () => {
  for (const overlap of [false, true]) {
    for (const path of ["xen2mx", "xen2mx-plain"]) {
      const stage = new Stage({ path, guests: 2, mechanisms: { overlap } });
      const [a, b] = stage.actors;
      const size = 1 << 20;
      const at = a.filled(size, 1);
      const into = b.alloc(2 * size);
      let other = -1;
      a.play(function* (mx) {
        const [leaving, staying] = [yield* open(mx, 0), yield* open(mx, 2)];
        const to = yield* reach(leaving, b.hostname, 1);
        const to2 = yield* reach(staying, b.hostname, 3);
        yield* leaving.isend(at, size, to, 0, 1);
        yield* leaving.isend(at, 3000, to, 0, 2);
        yield* leaving.isend(at, 16, to, 0, 3);
        yield* leaving.close();
        other = yield* send(staying, at, size, to2);
        yield* finish(staying);
      });
      b.play(function* (mx) {
        const [first, second] = [yield* open(mx, 1), yield* open(mx, 3)];
        yield* reach(first, a.hostname, 0);
        yield* reach(second, a.hostname, 2);
        yield* first.irecv(into, size, 0, 1, ALL, ALL);
        assert.equal(yield* receive(second, into + size, size), STATUS_SUCCESS);
        yield* second.flush();
        yield* first.close(); // with a receive whose sender has gone
        yield* second.close();
      });
      stage.run(10);
      assert.equal(other, STATUS_SUCCESS);
      assert.ok(stage.holds(into + size, size, 1), path);
      stage.nothingLeft();
    }
  }
});
