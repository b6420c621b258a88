import { KIB, MS, SECOND, US } from "../../../src/base/units.ts";
import type { MxRequest } from "../../../src/mx/api.ts";
import {
  CMD_CREATE_REGION,
  CMD_PULL,
  CMD_SEND_LIBACK,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
  CMD_SEND_TINY,
} from "../../../src/mx/driver/contract.ts";
import { STATUS_ABORTED, STATUS_BAD_RDMAWIN, STATUS_ENDPOINT_UNREACHABLE } from "../../../src/mx/status.ts";
import { equal, ok } from "./expect.ts";
import { ALL, idle, linger, pair } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

Deno.test("region, RNDV; region, PULL, destroy, NOTIFY; destroy: in this order, with matching ids", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(100 * KIB, 2);
  const into = cluster.alloc(100 * KIB);
  const result = pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < 3; i++) {
        const request = yield* ep.isend(data, 100 * KIB, to, 0, i);
        ok(!request.done);
        ok(yield* ep.wait(request));
        ep.release(request);
      }
    },
    *b(ep) {
      for (let i = 0; i < 3; i++) {
        const request = yield* ep.irecv(into, 100 * KIB, 0, i, ALL, ALL);
        ok(yield* ep.wait(request));
        ep.release(request);
      }
    },
  });
  cluster.run(3 * SECOND);
  const [a, b] = cluster.hosts.map((host) => [...host.drivers.values()][0].commands.slice(2));
  equal(a.filter((name) => name !== "LIBACK").slice(0, 3), ["CREATE", "RNDV", "DESTROY"]);
  equal(b.filter((name) => name !== "LIBACK").slice(0, 4), ["CREATE", "PULL", "DESTROY", "NOTIFY"]);
  const rndvs = cluster.sent.filter((f) => f.command.kind === CMD_SEND_RNDV).map((f) => f.command);
  const notifies = cluster.sent.filter((f) => f.command.kind === CMD_SEND_NOTIFY).map((f) => f.command);
  equal(rndvs.map((r) => r.regionSeq), [23, 24, 25]);
  equal(notifies.map((n) => [n.remoteRegion, n.remoteRegionSeq]), rndvs.map((r) => [r.region, r.regionSeq]));
  equal(notifies.map((n) => n.length), [100 * KIB, 100 * KIB, 100 * KIB]);
  idle(cluster, result);
});

Deno.test("each packet of a large message may be lost", () => {
  for (const kind of [CMD_SEND_RNDV, CMD_SEND_NOTIFY, CMD_SEND_LIBACK]) {
    const cluster = new ToyCluster();
    const data = cluster.alloc(64 * KIB, 2);
    const into = cluster.alloc(64 * KIB);
    cluster.fate = (frame) => ({ drop: frame.command.kind === kind && frame.nth === 0 });
    const result = pair(cluster, {
      *a(ep, to) {
        const request = yield* ep.isend(data, 64 * KIB, to, 0, 1);
        ok(yield* ep.wait(request));
        equal([request.code, request.transferLength], [0, 64 * KIB]);
      },
      *b(ep) {
        const request = yield* ep.irecv(into, 64 * KIB, 0, 1, ALL, ALL);
        ok(yield* ep.wait(request));
        equal(request.code, 0);
        if (kind === CMD_SEND_RNDV) ok(request.latencyPs > 500 * MS);
      },
    });
    cluster.run(4 * SECOND);
    equal(result.finished, 2);
    // With the notify its piggyack is lost, so the rendezvous is sent again too.
    const again = result.endpoints[0].counters.retransmits + result.endpoints[1].counters.retransmits;
    equal(again, kind === CMD_SEND_NOTIFY ? 2 : 1);
    equal(cluster.journeys.finished, 1);
    ok(cluster.same(data, into, 64 * KIB));
    idle(cluster, result);
  }
});

Deno.test("a receive that is being pulled ends with its partner, and its credit comes back with the end of the pull", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(64 * KIB);
  cluster.fate = ({ command }) => ({ extraPs: command.kind === CMD_PULL ? 1 * MS : 0 });
  const result = pair(cluster, {
    *a(ep, to, mx) {
      const { eventCredits } = ep.occupancy();
      const request = yield* ep.irecv(into, 64 * KIB, 0, 1, ALL, ALL);
      while (!cluster.frames(0).includes("PULL")) yield* linger(ep, mx, mx.now + 100 * US);
      yield* ep.disconnect(to);
      equal([request.done, request.code, request.transferLength], [true, STATUS_ENDPOINT_UNREACHABLE, 0]);
      equal([ep.occupancy().eventCredits, ep.occupancy().regions], [eventCredits - 1, 0]);
      yield* linger(ep, mx, mx.now + 10 * MS);
      equal(ep.occupancy().eventCredits, eventCredits);
    },
    *b(ep, to) {
      yield* ep.isend(data, 64 * KIB, to, 0, 1);
    },
  }, { until: 50 * MS });
  cluster.run(100 * MS);
  equal(result.finished, 2);
  equal(cluster.frames(0).includes("NOTIFY"), false);
});

Deno.test("what cannot be registered is announced all the same, refused to who pulls it, and notified as nothing", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(64 * KIB);
  cluster.hosts[0].invalid = () => true;
  const result = pair(cluster, {
    *a(ep, to) {
      const request = yield* ep.isend(data, 64 * KIB, to, 0, 1);
      ok(yield* ep.wait(request));
      equal([request.code, request.transferLength], [STATUS_ABORTED, 0]);
    },
    *b(ep) {
      const request = yield* ep.irecv(into, 64 * KIB, 0, 1, ALL, ALL);
      ok(yield* ep.wait(request));
      equal([request.code, request.transferLength, request.messageLength], [STATUS_BAD_RDMAWIN, 0, 64 * KIB]);
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  equal(cluster.sent.filter(({ command }) => command.kind === CMD_SEND_NOTIFY).map(({ command }) => command.length), [
    0,
  ]);
  equal(result.endpoints.map((ep) => [ep.occupancy().regions, ep.counters.invalid]), [[0, 1], [0, 0]]);
});

Deno.test("large sends beyond 128 wait, and everything submitted later behind them", () => {
  const cluster = new ToyCluster(2, { entries: 256 });
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(64 * KIB);
  const total = 140;
  const order: number[] = [];
  const result = pair(cluster, {
    *a(ep, to) {
      const sends: MxRequest[] = [];
      for (let i = 0; i < total; i++) sends.push(yield* ep.issend(data, 4 * KIB, to, 0, i));
      sends.push(yield* ep.isend(data, 8, to, 0, total));
      equal(ep.occupancy().regions, 128);
      ok(!sends[total].done, "the tiny one is not posted yet");
      for (const send of sends) ok(yield* ep.wait(send));
      ok(ep.counters.delayed >= 13);
    },
    *b(ep) {
      for (let i = 0; i <= total; i++) {
        const request = yield* ep.irecv(into, 64 * KIB, 0, 0, 0, 0);
        ok(yield* ep.wait(request));
        order.push(request.matchB);
        ep.release(request);
      }
    },
  });
  cluster.run(10 * SECOND);
  equal(result.finished, 2);
  equal(order, Array.from({ length: total + 1 }, (_, i) => i));
  idle(cluster, result);
});

Deno.test("receives share regions and credits with sends, and wait for them", () => {
  const cluster = new ToyCluster(2, { entries: 16 });
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(2048 * KIB);
  const total = 30;
  const result = pair(cluster, {
    *a(ep, to) {
      const sends: MxRequest[] = [];
      for (let i = 0; i < total; i++) sends.push(yield* ep.isend(data, (i % 2) * 30000 + 30000, to, 0, i));
      for (const send of sends) ok(yield* ep.wait(send));
    },
    *b(ep) {
      const receives: MxRequest[] = [];
      for (let i = 0; i < total; i++) receives.push(yield* ep.irecv(into + i * 65536, 64 * KIB, 0, i, ALL, ALL));
      for (const receive of receives) ok(yield* ep.wait(receive));
      for (let i = 0; i < total; i++) ok(cluster.same(data, into + i * 65536, receives[i].transferLength));
    },
  }, { until: 20 * SECOND });
  cluster.run(21 * SECOND);
  equal(result.finished, 2);
  ok(result.endpoints[0].counters.delayed > 0);
  idle(cluster, result);
});

Deno.test("pulls that no event would have room for wait, and are counted", () => {
  const cluster = new ToyCluster(2, { entries: 16 });
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(64 * KIB);
  const total = 20;
  const atOnce = 13; // of 16 entries three are kept for what may be on its way
  let pulls = 0;
  cluster.fate = ({ command }) => ({ extraPs: command.kind === CMD_PULL ? 10 * MS : 0 });
  const result = pair(cluster, {
    *a(ep, to) {
      const sends: MxRequest[] = [];
      for (let i = 0; i < total; i++) sends.push(yield* ep.isend(data, 50_000, to, 0, 1));
      for (const send of sends) ok(yield* ep.wait(send));
    },
    *b(ep, _to, mx) {
      const receives: MxRequest[] = [];
      for (let i = 0; i < total; i++) receives.push(yield* ep.irecv(into, 50_000, 0, 1, ALL, ALL));
      yield* linger(ep, mx, mx.now + 5 * MS);
      pulls = cluster.frames(1).filter((name) => name === "PULL").length;
      equal([ep.counters.delayed, ep.occupancy().eventCredits], [total - atOnce, 0]);
      for (const receive of receives) ok(yield* ep.wait(receive));
    },
  });
  cluster.run(3 * SECOND);
  equal([result.finished, pulls], [2, atOnce]);
  equal(result.endpoints[1].counters.delayed, total - atOnce, "each once, however often it is tried");
  idle(cluster, result);
});

Deno.test("a driver that spins, and one that has no room now, change nothing but the time", () => {
  const kinds = [CMD_SEND_TINY, CMD_SEND_MEDIUM_FRAG, CMD_SEND_RNDV, CMD_PULL, CMD_SEND_NOTIFY, CMD_CREATE_REGION];
  for (const slow of [false, true]) {
    const cluster = new ToyCluster();
    const data = cluster.alloc(64 * KIB, 2);
    const into = cluster.alloc(64 * KIB);
    const refused = new Map<number, number>();
    for (const host of cluster.hosts) {
      host.slow = slow;
      host.refuse = ({ kind }) => {
        const count = refused.get(kind) ?? 0;
        refused.set(kind, count + 1);
        return kinds.includes(kind) && count < 3;
      };
    }
    const lengths = [8, 30000, 50000, 100];
    const result = pair(cluster, {
      *a(ep, to) {
        for (const length of lengths) {
          const request = yield* ep.isend(data, length, to, 0, length);
          ok(yield* ep.wait(request));
          equal(request.code, 0);
        }
      },
      *b(ep) {
        for (const length of lengths) {
          const request = yield* ep.irecv(into, 64 * KIB, 0, length, ALL, ALL);
          ok(yield* ep.wait(request));
          equal([request.code, request.messageLength], [0, length]);
          ok(request.latencyPs > 0);
          ok(cluster.same(data, into, length));
        }
      },
    }, { until: 10 * SECOND });
    cluster.run(11 * SECOND);
    equal(result.finished, 2);
    for (const kind of kinds) ok(refused.get(kind)! > 3, `kind ${kind} was refused`);
    equal(cluster.journeys.finished, lengths.length);
    idle(cluster, result);
  }
});
