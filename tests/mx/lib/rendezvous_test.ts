import { KIB, MS, SECOND, US } from "../../../src/base/units.ts";
import type { Process } from "../../../src/hw/thread.ts";
import type { Mx } from "../../../src/mx/api.ts";
import {
  CMD_PULL,
  CMD_SEND_LIBACK,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
  EVENT_NOTIFY,
} from "../../../src/mx/driver/contract.ts";
import { RESEND_DELAY_PS, RESENDS_MAX } from "../../../src/mx/limits.ts";
import { STATUS_TRUNCATED } from "../../../src/mx/status.ts";
import { equal, ok } from "./expect.ts";
import { ALL, idle, KEY, linger, pair, type Script } from "./pair.ts";
import { KIND_NAMES } from "./toy_driver.ts";
import { ToyCluster } from "./toy_cluster.ts";

/* What a rendezvous, a pull and a notify say of the message that they belong to, and which of them count. */

Deno.test("a notify of an earlier region, or of none, is ignored", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64 * KIB, 2);
  const result = pair(cluster, {
    *a(ep, to, mx) {
      const request = yield* ep.issend(data, 100, to, 0, 1);
      yield* linger(ep, mx, mx.now + 100 * US);
      const { region, regionSeq } = cluster.sent.find((f) => f.command.kind === CMD_SEND_RNDV)!.command;
      const driver = cluster.hosts[0].drivers.get(1)!;
      const notify = (seq: number, small: number, extra: number) =>
        driver.inject(EVENT_NOTIFY, { peer: 1, endpoint: 2, seq, piggyack: 2, small, extra, length: 100 });
      notify(1, region, regionSeq - 1);
      notify(2, region + 5, regionSeq);
      yield* linger(ep, mx, mx.now + 100 * US);
      equal([request.done, ep.counters.staleNotifies], [false, 2]);
      notify(3, region, regionSeq);
      ok(yield* ep.wait(request));
      equal([request.code, request.transferLength], [0, 100]);
    },
    *b() {},
  });
  cluster.run(1 * SECOND);
  equal(result.endpoints[0].occupancy().regions, 0);
  ok(result.finished === 2);
});

Deno.test("a send that is notified before it is acknowledged gives its region back once, and ends with the ack", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64 * KIB, 2);
  const isDeaf = () => cluster.engine.now < 100 * MS;
  cluster.fate = ({ command }) => ({ drop: command.kind === CMD_SEND_LIBACK && isDeaf() });
  const result = pair(cluster, {
    *a(ep, to, mx) {
      const request = yield* ep.issend(data, 64 * KIB, to, 0, 1);
      yield* linger(ep, mx, mx.now + 100 * US);
      const { region, regionSeq } = cluster.sent.find((f) => f.command.kind === CMD_SEND_RNDV)!.command;
      const driver = cluster.hosts[0].drivers.get(1)!;
      // What acknowledges nothing: the next number that is awaited is still the rendezvous's.
      const notify = (seq: number) =>
        driver.inject(EVENT_NOTIFY, {
          peer: 1,
          endpoint: 2,
          seq,
          piggyack: 1,
          small: region,
          extra: regionSeq,
          length: 7,
        });
      notify(1);
      yield* linger(ep, mx, mx.now + 100 * US);
      equal([request.done, ep.occupancy().regions, ep.counters.staleNotifies], [false, 0, 0]);
      notify(2);
      yield* linger(ep, mx, mx.now + 100 * US);
      equal([request.done, ep.occupancy().regions, ep.counters.staleNotifies], [false, 0, 1]);
      ok(yield* ep.wait(request, { timeoutPs: 1 * SECOND }), "the rendezvous is sent again, and acknowledged");
      equal([request.code, request.transferLength], [STATUS_TRUNCATED, 7]);
    },
    *b() {},
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  equal(cluster.frames(0).filter((name) => name === "RNDV").length, 2);
});

Deno.test("a notify of a send that is over does not end a later one that has the same number in another region", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(64 * KIB);
  const result = pair(cluster, {
    *a(ep, to, mx) {
      yield* ep.irecv(into, 64 * KIB, 0, 2, ALL, ALL);
      const first = yield* ep.isend(data, 64 * KIB, to, 0, 1);
      ok(yield* ep.wait(first));
      ep.release(first);
      // The receive that goes on now is in the region of the first send, so the next send has the next one.
      cluster.fate = ({ command }) => ({ drop: command.kind === CMD_PULL });
      yield* linger(ep, mx, mx.now + 2 * MS);
      const second = yield* ep.issend(data, 64 * KIB, to, 0, 3);
      yield* linger(ep, mx, mx.now + 1 * MS);
      const rndvs = cluster.sent.filter(({ from, command }) => from.host.peer === 0 && command.kind === CMD_SEND_RNDV);
      equal(rndvs.map(({ command }) => [command.region, command.regionSeq]), [[0, 23], [1, 23]]);
      const late = { peer: 1, endpoint: 2, seq: 3, piggyack: 3, small: 0, extra: 23, length: 64 * KIB };
      cluster.hosts[0].drivers.get(1)!.inject(EVENT_NOTIFY, late);
      yield* linger(ep, mx, mx.now + 1 * MS);
      equal([second.done, ep.counters.staleNotifies], [false, 1]);
    },
    *b(ep, to, mx) {
      const first = yield* ep.irecv(into, 64 * KIB, 0, 1, ALL, ALL);
      ok(yield* ep.wait(first));
      yield* linger(ep, mx, mx.now + 1 * MS);
      yield* ep.isend(data, 64 * KIB, to, 0, 2);
    },
  }, { until: 100 * MS });
  cluster.run(200 * MS);
  equal(result.finished, 2);
});

Deno.test("a pull and its notify name whose message they are for, whoever else has sent one just before", () => {
  const cluster = new ToyCluster(3);
  const total = 3;
  const into = [1, 2].map(() => cluster.alloc(50 * KIB));
  const data = [1, 2].map((seed) => cluster.alloc(50 * KIB, seed));
  let finished = 0;
  const sender = (host: number) =>
    function* (mx: Mx): Process {
      // Other numbers than the receiver's, and sessions of their own.
      const ep = (yield* mx.openEndpoint(host + 5, KEY))!;
      const { address } = yield* ep.connect("a", 1, KEY, SECOND);
      for (let i = 0; i < total; i++) {
        const request = yield* ep.isend(data[host - 1], 40 * KIB + host, address!, 0, host);
        ok(yield* ep.wait(request, { timeoutPs: SECOND }));
        equal([request.code, request.transferLength], [0, 40 * KIB + host]);
      }
      finished++;
      yield* linger(ep, mx, 1.5 * SECOND);
    };
  cluster.hosts[0].start(function* (mx): Process {
    const ep = (yield* mx.openEndpoint(1, KEY))!;
    for (const host of [1, 2]) yield* ep.connect(cluster.hosts[host].name, host + 5, KEY, SECOND);
    for (let i = 0; i < total; i++) {
      const pair = [];
      for (const host of [1, 2]) pair.push(yield* ep.irecv(into[host - 1], 50 * KIB, 0, host, ALL, ALL));
      for (const request of pair) ok(yield* ep.wait(request, { timeoutPs: SECOND }));
      for (const host of [0, 1]) ok(cluster.same(data[host], into[host], 40 * KIB + host + 1));
    }
    finished++;
    yield* linger(ep, mx, 1.5 * SECOND);
  });
  for (const host of [1, 2]) cluster.hosts[host].start(sender(host));
  cluster.run(2 * SECOND);
  equal(finished, 3);
  const sentBy = (host: number, kind: number) =>
    cluster.sent.filter(({ from, command }) => from.host.peer === host && command.kind === kind).map((f) => f.command);
  const sessions = [1, 2].map((host) => cluster.hosts[host].drivers.get(host + 5)!.queues!.session);
  for (const host of [1, 2]) {
    const rndvs = sentBy(host, CMD_SEND_RNDV);
    const wanted = rndvs.map((
      { region, regionSeq },
    ) => [host + 5, sessions[host - 1], 40 * KIB + host, region, regionSeq]);
    equal(wanted.length, total);
    for (const kind of [CMD_PULL, CMD_SEND_NOTIFY]) {
      const answers = sentBy(0, kind).filter(({ peer }) => peer === host);
      equal(
        answers.map((c) => [c.endpoint, c.session, c.length, c.remoteRegion, c.remoteRegionSeq]),
        wanted,
        KIND_NAMES[kind],
      );
    }
  }
  // A pull is given up when a message would be.
  for (const { timeoutPs } of sentBy(0, CMD_PULL)) equal(timeoutPs, RESENDS_MAX * RESEND_DELAY_PS);
});

Deno.test("a region's number counts the messages that were sent from it, not those received into it", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(64 * KIB);
  const exchange = (sends: boolean[]): Script =>
    function* (ep, to) {
      for (const isSend of sends) {
        const request = isSend
          ? yield* ep.isend(data, 64 * KIB, to, 0, 1)
          : yield* ep.irecv(into, 64 * KIB, 0, 1, ALL, ALL);
        ok(yield* ep.wait(request));
        ep.release(request);
      }
    };
  const result = pair(cluster, { a: exchange([true, false, true]), b: exchange([false, true, false]) });
  cluster.run(3 * SECOND);
  const rndvs = cluster.sent.filter((f) => f.command.kind === CMD_SEND_RNDV);
  equal(rndvs.map(({ from, command }) => [from.host.peer, command.region, command.regionSeq]), [
    [0, 0, 23],
    [1, 0, 23],
    [0, 0, 24],
  ]);
  idle(cluster, result);
});

Deno.test("a rendezvous that is sent again after its notify names the region that it has named", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64 * KIB, 2);
  const into = cluster.alloc(64 * KIB);
  // Without the second fragment of the message before it the rendezvous is answered, and not acknowledged.
  cluster.fate = ({ command, nth }) => ({ drop: command.kind === CMD_SEND_MEDIUM_FRAG && nth === 1 });
  const result = pair(cluster, {
    *a(ep, to) {
      ep.release(yield* ep.isend(data, 16 * KIB, to, 0, 1));
      const request = yield* ep.isend(data, 64 * KIB, to, 0, 2);
      ok(yield* ep.wait(request));
      ep.release(request);
    },
    *b(ep) {
      const first = yield* ep.irecv(into, 16 * KIB, 0, 1, ALL, ALL);
      const second = yield* ep.irecv(into, 64 * KIB, 0, 2, ALL, ALL);
      for (const request of [second, first]) {
        ok(yield* ep.wait(request));
        ep.release(request);
      }
    },
  });
  cluster.run(3 * SECOND);
  const rndvs = cluster.sent.filter((f) => f.command.kind === CMD_SEND_RNDV).map(({ command }) => command);
  equal(rndvs.map(({ region, regionSeq }) => [region, regionSeq]), [[0, 23], [0, 23]]);
  equal(cluster.frames(1).filter((name) => name === "NOTIFY").length, 1);
  idle(cluster, result);
});
