import { MS, SECOND, US } from "../../../src/base/units.ts";
import type { Process } from "../../../src/hw/thread.ts";
import type { Mx } from "../../../src/mx/api.ts";
import {
  CMD_PULL,
  CMD_SEND_LIBACK,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
  EVENT_MEDIUM_FRAG,
  EVENT_SMALL,
  EVENT_TINY,
} from "../../../src/mx/driver/contract.ts";
import { SMALL_MAX, TINY_MAX } from "../../../src/mx/limits.ts";
import { equal, ok } from "./expect.ts";
import { ALL, linger, pair } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

/* Small rules of the library, one test each. */

Deno.test("each open draws a session of its own, and a seed draws the same ones again", () => {
  const draw = () => {
    const cluster = new ToyCluster(2);
    const sessions: number[] = [];
    for (const host of cluster.hosts) {
      host.start(function* (mx: Mx): Process {
        for (const index of [1, 2, 3]) sessions.push((yield* mx.openEndpoint(index, 5))!.session);
      });
    }
    cluster.run(MS);
    return sessions;
  };
  const sessions = draw();
  equal(new Set(sessions).size, 6);
  ok(sessions.every((session) => Number.isInteger(session) && session >= 0 && session < 0xffffffff));
  equal(draw(), sessions);
});

Deno.test("without self communication a message to the own endpoint goes through the driver", () => {
  const kinds = [true, false].map((selfComms) => {
    const cluster = new ToyCluster(1);
    const data = cluster.alloc(64, 3);
    const into = cluster.alloc(64);
    let received = 0;
    cluster.hosts[0].start(function* (mx: Mx): Process {
      const ep = (yield* mx.openEndpoint(1, 5, { selfComms }))!;
      const { address } = yield* ep.connect("a", 1, 5, SECOND);
      const receive = yield* ep.irecv(into, 64, 0, 9, ALL, ALL);
      yield* ep.isend(data, 64, address!, 0, 9);
      ok(yield* ep.wait(receive, { timeoutPs: SECOND }));
      received = receive.messageLength;
    });
    cluster.run(5 * SECOND);
    equal(received, 64);
    ok(cluster.same(data, into, 64));
    return cluster.frames().includes("SMALL");
  });
  equal(kinds, [false, true]);
});

Deno.test("the rendezvous threshold is an option, from 128 bytes to the longest medium message", () => {
  const classOf = (rndvThreshold: number, length: number, options: { mtu?: number; compat?: boolean } = {}) => {
    const cluster = new ToyCluster(2, { entries: 256, ...options });
    const data = cluster.alloc(length);
    pair(cluster, {
      *a(ep, to) {
        yield* ep.isend(data, length, to, 0, 1);
      },
      *b(ep) {
        yield* ep.wait(yield* ep.irecv(data, length, 0, 1, ALL, ALL));
      },
    }, { library: { rndvThreshold } });
    cluster.run(100 * MS);
    const kinds = cluster.sent.map(({ command }) => command.kind);
    return kinds.includes(CMD_SEND_RNDV) ? "large" : kinds.includes(CMD_SEND_MEDIUM_FRAG) ? "medium" : "small";
  };
  equal([classOf(1000, 1000), classOf(1000, 1001)], ["medium", "large"]);
  equal([classOf(0, 128), classOf(0, 129)], ["small", "large"]);
  equal([classOf(1e9, 262144), classOf(1e9, 262145)], ["medium", "large"]);
  equal([classOf(1e9, 46464, { mtu: 1500 }), classOf(1e9, 46465, { mtu: 1500 })], ["medium", "large"]);
  equal([classOf(1e9, 32768, { compat: true }), classOf(1e9, 32769, { compat: true })], ["medium", "large"]);
});

Deno.test("a close sends the acks that are owed, and waits for nothing", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64);
  let closing = 0;
  pair(cluster, {
    *a(ep, to) {
      yield* ep.isend(at, 8, to, 0, 1);
    },
    *b(ep, to, mx) {
      ok(yield* ep.wait(yield* ep.irecv(at, 8, 0, 1, ALL, ALL)));
      yield* ep.isend(at, 50_000, to, 0, 2); // nobody will receive it
      yield* ep.isend(at, 0, to, 0, 3);
      closing = mx.now;
      yield* ep.irecv(at, 8, 0, 4, ALL, ALL);
      yield* ep.close();
      ok(mx.now - closing < 100 * US);
    },
  });
  cluster.run(1 * SECOND);
  ok(closing > 0);
  // The sends have carried the ack: nothing was owed. A receiver that says nothing owes one.
  const acks = cluster.sent.filter(({ from, command }) => from.host.peer === 1 && command.kind === CMD_SEND_LIBACK);
  equal(acks.length, 0);
  const silent = new ToyCluster();
  const into = silent.alloc(64);
  let closed = 0;
  pair(silent, {
    *a(ep, to) {
      yield* ep.isend(into, 8, to, 0, 1);
    },
    *b(ep, _to, mx) {
      ok(yield* ep.wait(yield* ep.irecv(into, 8, 0, 1, ALL, ALL)));
      yield* ep.close();
      closed = mx.now;
    },
  });
  silent.run(1 * SECOND);
  const [ack] = silent.sent.filter(({ command }) => command.kind === CMD_SEND_LIBACK);
  ok(ack !== undefined && ack.time <= closed);
});

Deno.test("the end of a large message is acknowledged at once where MX 1.2 wants it, and with the next ack elsewhere", () => {
  const waited = (compat: boolean) => {
    const cluster = new ToyCluster(2, { compat, mtu: compat ? 4144 : 9000 });
    const data = cluster.alloc(50_000);
    pair(cluster, {
      *a(ep, to) {
        ok(yield* ep.wait(yield* ep.isend(data, 50_000, to, 0, 1)));
      },
      *b(ep) {
        ok(yield* ep.wait(yield* ep.irecv(data, 50_000, 0, 1, ALL, ALL)));
      },
    });
    cluster.run(1 * SECOND);
    const of = (kind: number) => cluster.sent.filter(({ command }) => command.kind === kind);
    const [[notify], acks] = [of(CMD_SEND_NOTIFY), of(CMD_SEND_LIBACK)];
    return acks.find(({ from }) => from !== notify.from)!.time - notify.time;
  };
  ok(waited(true) < 100 * US);
  ok(waited(false) >= 16 * MS);
});

Deno.test("an endpoint cannot be closed from its unexpected handler", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64);
  let code = -1;
  pair(cluster, {
    *a(ep, to) {
      yield* ep.isend(at, 8, to, 0, 1);
    },
    *b(ep, _to, mx) {
      ep.setUnexpectedHandler(() => {
        ep.close().next();
        code = ep.code;
        return 0;
      });
      yield* linger(ep, mx, mx.now + 10 * MS);
      ok(ep.isOpen);
    },
  });
  cluster.run(1 * SECOND);
  equal(code, 41);
});

Deno.test("event slots are given back a quarter of a queue at a time", () => {
  const cluster = new ToyCluster(2, { entries: 64 });
  const at = cluster.alloc(64);
  const given: number[] = [];
  pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < 100; i++) {
        ep.release(yield* ep.isend(at, 8, to, 0, 1));
        yield 5 * US;
      }
    },
    *b(ep) {
      const driver = cluster.hosts[1].drivers.get(2)!;
      const release = driver.release.bind(driver);
      driver.release = (unexpected, expected) => {
        given.push(unexpected);
        release(unexpected, expected);
      };
      for (let i = 0; i < 100; i++) ok(yield* ep.wait(yield* ep.irecv(at, 8, 0, 1, ALL, ALL)));
    },
  });
  cluster.run(1 * SECOND);
  ok(given.length >= 4);
  for (let i = 1; i < given.length; i++) ok(given[i] - given[i - 1] >= 16, `${given}`);
});

Deno.test("a packet whose lengths do not fit together is counted, and the message with its number still arrives", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64);
  const fragment = cluster.limits.mediumFragmentBytes;
  const wrong: [number, { length: number; small?: number; extra?: number }][] = [
    [EVENT_TINY, { length: TINY_MAX + 1 }],
    [EVENT_SMALL, { length: SMALL_MAX + 1 }],
    [EVENT_MEDIUM_FRAG, { length: 32 * fragment + 1, extra: fragment }], // more fragments than a mask has bits
    [EVENT_MEDIUM_FRAG, { length: 2 * fragment, small: 2, extra: 0 }], // one that begins where the message ends
    [EVENT_MEDIUM_FRAG, { length: 2 * fragment, small: 1, extra: fragment - 1 }],
    [EVENT_MEDIUM_FRAG, { length: fragment + 7, small: 1, extra: 8 }],
  ];
  const result = pair(cluster, {
    *a(ep, to, mx) {
      yield* linger(ep, mx, mx.now + 10 * MS);
      yield* ep.isend(at, 8, to, 0, 5);
    },
    *b(ep, _to, mx) {
      const driver = cluster.hosts[1].drivers.get(2)!;
      for (const [type, fields] of wrong) driver.inject(type, { peer: 0, endpoint: 1, seq: 1, piggyack: 1, ...fields });
      yield* linger(ep, mx, mx.now + MS);
      equal([ep.counters.malformed, ep.occupancy().unexpected], [wrong.length, 0]);
      const receive = yield* ep.irecv(at, 64, 0, 5, ALL, ALL);
      ok(yield* ep.wait(receive));
      equal(receive.messageLength, 8);
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
});

Deno.test("a rendezvous that names an offset into its region is pulled from there", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(5000);
  pair(cluster, {
    *a() {},
    *b(ep, _to, mx) {
      const driver = cluster.hosts[1].drivers.get(2)!;
      driver.inject(0x16, {
        peer: 0,
        endpoint: 1,
        seq: 1,
        piggyack: 1,
        length: 5000,
        small: 9,
        extra: 23 | 4321 << 16,
      });
      yield* ep.irecv(at, 5000, 0, 0, 0, 0);
      yield* linger(ep, mx, mx.now + MS);
    },
  });
  cluster.run(10 * MS);
  const pull = cluster.sent.find(({ command }) => command.kind === CMD_PULL)!.command;
  equal([pull.remoteRegion, pull.remoteRegionSeq, pull.remoteOffset, pull.length], [9, 23, 4321, 5000]);
});
