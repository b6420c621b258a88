import fc from "fast-check";
import { CMD_SEND_RNDV } from "../../../src/mx/driver/contract.ts";
import { SECOND } from "../../../src/base/units.ts";
import { RegistrationCache } from "../../../src/mx/lib/registration_cache.ts";
import { equal, ok } from "./expect.ts";
import { ALL, linger, pair } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

const step = fc.record({
  what: fc.constantFrom("take", "keep", "evict"),
  address: fc.constantFrom(4096, 8192, 12288),
  length: fc.constantFrom(10, 20, 30),
});

Deno.test("the cache of registrations agrees with an obvious model", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const cache = new RegistrationCache();
    let model: { id: number; address: number; length: number }[] = []; // idle, the oldest first
    steps.forEach(({ what, address, length }, id) => {
      const known = model.find((region) => region.address === address);
      if (what === "take") {
        const hit = known !== undefined && known.length >= length ? known : null;
        equal(cache.take(address, length), hit?.id ?? -1);
        model = model.filter((region) => region !== hit);
      } else if (what === "keep") {
        const loser = known === undefined ? -1 : known.length >= length ? id : known.id;
        equal(cache.keep(id, address, length), loser);
        if (loser === id) return;
        model = [...model.filter((region) => region !== known), { id, address, length }];
      } else equal(cache.evict(), model.shift()?.id ?? -1);
      equal(cache.size, model.length);
    });
  }));
});

/** Sends `messages` one after another, each received into the buffer with the same number. */
function send(cluster: ToyCluster, messages: readonly { buffer: number; length: number }[], buffers: number[][]) {
  const [from, into] = buffers;
  const result = pair(cluster, {
    *a(ep, to) {
      for (const { buffer, length } of messages) {
        const request = yield* ep.isend(from[buffer], length, to, 0, 1);
        ok(yield* ep.wait(request));
        equal(request.code, 0);
      }
    },
    *b(ep, _to, mx) {
      for (const { buffer, length } of messages) {
        cluster.memory.u8.fill(0, into[buffer], into[buffer] + length);
        const request = yield* ep.irecv(into[buffer], length, 0, 1, ALL, ALL);
        ok(yield* ep.wait(request));
        equal(request.code, 0);
        ok(cluster.same(into[buffer], from[buffer], length));
      }
      yield* linger(ep, mx, mx.now + 0.1 * SECOND);
    },
  }, { library: { registrationCache: true } });
  cluster.run(20 * SECOND);
  equal(result.finished, 2);
  equal(cluster.journeys.live, 0);
  return result.endpoints;
}

Deno.test("a buffer is registered once, as long as it is not exceeded", () => {
  const cluster = new ToyCluster();
  const buffers = [[cluster.alloc(300_000, 1)], [cluster.alloc(300_000)]];
  const lengths = [100_000, 100_000, 60_000, 200_000, 150_000];
  const endpoints = send(cluster, lengths.map((length) => ({ buffer: 0, length })), buffers);
  for (const [host, ep] of endpoints.entries()) {
    const driver = [...cluster.hosts[host].drivers.values()][0];
    const registering = driver.commands.filter((name) => name === "CREATE" || name === "DESTROY");
    // 200,000 bytes do not fit in what 100,000 have registered; afterwards the shorter region goes.
    equal(registering, ["CREATE", "CREATE", "DESTROY"]);
    equal(ep.library.registrations, { idle: 1, hits: 3, evictions: 0 });
    equal([driver.regionCount, ep.occupancy().regions], [1, 1]);
  }
});

Deno.test("more buffers than regions: the one that was idle for longest goes", () => {
  const cluster = new ToyCluster(2, { entries: 64 });
  const count = 258;
  const from = Array.from({ length: count }, (_, i) => cluster.alloc(40_000, i));
  const into = Array.from({ length: count }, () => cluster.alloc(40_000));
  const messages = [...from.keys()].map((buffer) => ({ buffer, length: 40_000 }));
  const endpoints = send(cluster, [...messages, messages[count - 1], messages[0]], [from, into]);
  for (const ep of endpoints) {
    const { idle, hits, evictions } = ep.library.registrations;
    equal([idle, hits, evictions], [256, 1, 3]);
  }
});

Deno.test("segments are registered anew each time", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(200_000, 1);
  const segments = [{ address: at, length: 50_000 }, { address: at + 60_000, length: 50_000 }];
  const result = pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < 2; i++) ok(yield* ep.wait(yield* ep.isendv(segments, false, to, 0, 1)));
    },
    *b(ep) {
      const into = cluster.alloc(100_000);
      for (let i = 0; i < 2; i++) ok(yield* ep.wait(yield* ep.irecv(into, 100_000, 0, 1, ALL, ALL)));
    },
  }, { library: { registrationCache: true } });
  cluster.run(3 * SECOND);
  equal(result.endpoints.map((ep) => ep.library.registrations.idle), [0, 1]);
});

Deno.test("a rendezvous says all of its message, also where nothing has to be registered for it", () => {
  const cluster = new ToyCluster();
  const [from, into] = [1, 2].map((seed) => [0, 1].map((i) => cluster.alloc(100_000, seed * 10 + i)));
  const messages = [0, 1, 0, 1].map((buffer, i) => ({
    buffer,
    length: 50_000 + 100 * i,
    matchA: i + 5,
    matchB: i + 50,
  }));
  // Those that come later have to fit in what the first of their buffer has registered.
  messages.reverse();
  const result = pair(cluster, {
    *a(ep, to) {
      for (const { buffer, length, matchA, matchB } of messages) {
        ok(yield* ep.wait(yield* ep.isend(from[buffer], length, to, matchA, matchB)));
        ok(yield* ep.wait(yield* ep.isend(from[buffer], 8, to, 1, 2)));
      }
    },
    *b(ep) {
      for (const { buffer, length, matchA, matchB } of messages) {
        // Both halves of the match information are compared.
        const request = yield* ep.irecv(into[buffer], 100_000, matchA, matchB, ALL, ALL);
        ok(yield* ep.wait(request, { timeoutPs: 2 * SECOND }));
        equal([request.code, request.messageLength, request.transferLength], [0, length, length]);
        ok(cluster.same(into[buffer], from[buffer], length));
        ok(yield* ep.wait(yield* ep.irecv(into[buffer], 8, 1, 2, ALL, ALL)));
      }
    },
  }, { library: { registrationCache: true } });
  cluster.run(9 * SECOND);
  equal(result.finished, 2);
  equal(result.endpoints.map((ep) => ep.library.registrations.hits), [2, 2]);
  const rndvs = cluster.sent.filter(({ command }) => command.kind === CMD_SEND_RNDV).map(({ command }) => command);
  equal(
    rndvs.map(({ matchA, matchB, length, region, regionSeq }) => [matchA, matchB, length, region, regionSeq]),
    messages.map(({ matchA, matchB, length }, i) => [matchA, matchB, length, i % 2, 23 + Math.floor(i / 2)]),
  );
});
