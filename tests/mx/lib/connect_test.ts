import { MS, SECOND, US } from "../../../src/base/units.ts";
import type { Process } from "../../../src/hw/thread.ts";
import type { Mx, MxEndpoint } from "../../../src/mx/api.ts";
import {
  CMD_CONNECT_REPLY,
  CMD_CONNECT_REQUEST,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_NOTIFY,
  CMD_SEND_TINY,
} from "../../../src/mx/driver/contract.ts";
import { NO_SESSION } from "../../../src/mx/lib/partner.ts";
import { equal, ok } from "./expect.ts";
import { ALL, linger } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

const partnersOf = (ep: MxEndpoint) => ep.library.core.partners.all;

Deno.test("connecting one way teaches the other side both sessions, and this side one", () => {
  const cluster = new ToyCluster();
  const eps: MxEndpoint[] = [];
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = eps[0] = (yield* mx.openEndpoint(1, 5))!;
    const { code, address } = yield* ep.connect("b", 2, 6, 1 * SECOND);
    equal([code, address!.peer, address!.endpoint], [0, 1, 2]);
  });
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const ep = eps[1] = (yield* mx.openEndpoint(2, 6))!;
    yield* linger(ep, mx, 1 * MS);
  });
  cluster.run(2 * MS);
  const [atA, atB] = [partnersOf(eps[0])[0], partnersOf(eps[1])[0]];
  equal([atA.trueSession, atA.backSession], [eps[1].session, NO_SESSION]);
  equal([atB.trueSession, atB.backSession], [eps[0].session, eps[0].session]);
  equal([atA.nextSend, atA.nextMatch, atB.nextSend, atB.nextMatch], [1, 1, 1, 1]);
  equal(cluster.frames(), ["CONNECT", "REPLY"]);
});

Deno.test("half-connected: messages and piggyacks pass, libacks and pulls of the half that is not known are refused", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(65536, 4);
  const into = cluster.alloc(65536);
  const eps: MxEndpoint[] = [];
  let pulled = -1;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = eps[0] = (yield* mx.openEndpoint(1, 5))!;
    const { address } = yield* ep.connect("b", 2, 6);
    ep.release(yield* ep.isend(data, 16, address!, 0, 1));
    const request = yield* ep.irecv(into, 65536, 0, 0, 0, 0);
    ok(yield* ep.wait(request));
    pulled = request.code;
    yield* linger(ep, mx, 2 * SECOND);
  });
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const ep = eps[1] = (yield* mx.openEndpoint(2, 6))!;
    const request = yield* ep.irecv(into, 64, 0, 1, ALL, ALL);
    ok(yield* ep.wait(request));
    // Never connected itself: the source of a message is an address all the same.
    yield* ep.isend(data, 50000, request.source!, 0, 2);
    yield* linger(ep, mx, 2 * SECOND);
  });
  cluster.run(3 * SECOND);
  equal(pulled, 10, "bad session");
  equal(eps[0].occupancy().unacked, 0);
  ok(eps[0].counters.nacks > 0);
});

Deno.test("what was received before the connect-back stays received", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(65536, 4);
  const eps: MxEndpoint[] = [];
  let answered = 0;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = eps[0] = (yield* mx.openEndpoint(1, 5))!;
    const { address } = yield* ep.connect("b", 2, 6);
    const parameters = yield* ep.issend(data, 44, address!, 0x12345678, 0x87654321);
    ok(yield* ep.wait(parameters));
    const ready = yield* ep.irecv(data, 0, 0, 0, 0, 0);
    ok(yield* ep.wait(ready));
    answered = mx.now;
    yield* linger(ep, mx, 3 * SECOND);
  });
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const ep = eps[1] = (yield* mx.openEndpoint(2, 6))!;
    const request = yield* ep.irecv(data + 4096, 64, 0, 0, 0, 0);
    ok(yield* ep.wait(request));
    const back = yield* ep.iconnect("a", 1, 5, 0xabcddcba, 0xabcddcba);
    ok(yield* ep.waitAny(0xabcddcba, 0xabcddcba, ALL, ALL));
    yield* ep.issend(data, 0, back.source!, 0, 0);
    yield* linger(ep, mx, 3 * SECOND);
  });
  cluster.run(4 * SECOND);
  // Open-MX would expect b's notify (1) again, though it may be acknowledged: a stall of half a second, or for ever.
  ok(answered < 1 * MS, `answered at ${answered}`);
  equal(cluster.sent.filter((f) => f.command.kind === CMD_SEND_NOTIFY && f.from.host.peer === 1).length, 1);
  equal(eps[0].counters.staleNotifies, 0);
  equal(cluster.journeys.live, 0);
});

Deno.test("a wrong key is refused, and its session is stored nevertheless", () => {
  const cluster = new ToyCluster();
  const eps: MxEndpoint[] = [];
  let code = 0;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = eps[0] = (yield* mx.openEndpoint(1, 5))!;
    code = (yield* ep.connect("b", 2, 7)).code;
  });
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const ep = eps[1] = (yield* mx.openEndpoint(2, 6))!;
    yield* linger(ep, mx, 1 * MS);
  });
  cluster.run(2 * MS);
  equal(code, 34);
  equal(partnersOf(eps[1])[0].trueSession, eps[0].session);
  equal(partnersOf(eps[0])[0].trueSession, NO_SESSION);
});

Deno.test("lost requests and replies are repeated; without any answer the connect times out", () => {
  const cluster = new ToyCluster();
  const codes: number[] = [];
  let silentUntil = 0;
  cluster.fate = (frame) => ({
    drop: frame.time < silentUntil || (frame.command.kind === CMD_CONNECT_REQUEST && frame.nth === 0) ||
      (frame.command.kind === CMD_CONNECT_REPLY && frame.nth === 0),
  });
  let ended = 0;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = (yield* mx.openEndpoint(1, 5))!;
    codes.push((yield* ep.connect("b", 2, 6, 5 * SECOND)).code);
    ok(mx.now > 1 * SECOND && mx.now < 1001 * MS);
    const again = yield* ep.connect("b", 2, 6, 5 * SECOND);
    codes.push(again.code);
    silentUntil = Infinity;
    const from = mx.now;
    codes.push((yield* ep.connect("b", 2, 6, 1 * SECOND)).code);
    ended = mx.now - from;
    equal([ep.counters.connectRetransmits, ep.counters.cleanups], [2 + 1, 0]);
    equal(partnersOf(ep)[0].connects.size, 0, "it is taken back");
    codes.push((yield* ep.isend(0, 0, again.address!, 0, 0)).code);
  });
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const ep = (yield* mx.openEndpoint(2, 6))!;
    yield* linger(ep, mx, 10 * SECOND);
  });
  cluster.run(11 * SECOND);
  equal(codes, [0, 0, 30, 0], "what was connected before stays so");
  ok(ended >= 1000 * MS && ended < 1001 * MS, `after its time, ${ended}`);
});

Deno.test("a connect that is repeated in vain as often as it may be gives the partner up, however long it would wait", () => {
  const cluster = new ToyCluster();
  cluster.fate = ({ command }) => ({ drop: command.kind === CMD_CONNECT_REQUEST });
  let ended = 0;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = (yield* mx.openEndpoint(1, 5, { resendsMax: 3 }))!;
    equal((yield* ep.connect("b", 2, 6)).code, 30);
    ended = mx.now;
    equal([ep.counters.connectRetransmits, ep.counters.cleanups], [3, 1]);
    // Its time is over before it is repeated: nothing is, and nobody is given up.
    equal((yield* ep.connect("b", 2, 6, 300 * MS)).code, 30);
    equal([ep.counters.connectRetransmits, ep.counters.cleanups], [3, 1]);
  });
  cluster.run(5 * SECOND);
  ok(ended >= 2000 * MS && ended < 2001 * MS, `${ended}`);
});

Deno.test("a new incarnation ends everything with the old one, and starts at a new session number", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(65536, 4);
  const codes: number[] = [];
  let second: MxEndpoint;
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const ep = (yield* mx.openEndpoint(2, 6))!;
    const { address } = yield* ep.connect("a", 1, 6);
    ok(address);
    yield* ep.isend(data, 8, address, 0, 1);
    yield* linger(ep, mx, 1 * MS);
    yield* ep.close();
    yield 1 * MS;
    second = (yield* mx.openEndpoint(2, 6))!;
    const again = yield* second.connect("a", 1, 6, 1 * SECOND);
    equal(again.code, 0);
    yield* second.isend(data, 8, again.address!, 0, 2);
    yield* linger(second, mx, 1 * SECOND);
  });
  let partner = 0;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = (yield* mx.openEndpoint(1, 6))!;
    const { address } = yield* ep.connect("b", 2, 6);
    ok(address);
    // The first message, then a large send that the old incarnation never matches.
    const first = yield* ep.irecv(data, 8, 0, 1, ALL, ALL);
    ok(yield* ep.wait(first));
    const large = yield* ep.isend(data, 50000, address, 0, 9);
    ok(yield* ep.wait(large));
    codes.push(large.code);
    const next = yield* ep.irecv(data, 8, 0, 2, ALL, ALL);
    ok(yield* ep.wait(next));
    codes.push(next.code);
    partner = partnersOf(ep)[0].nextMatch;
    yield* linger(ep, mx, 1 * SECOND);
  });
  cluster.run(2 * SECOND);
  equal(codes, [9, 0]);
  equal(partner, 0x4002, "session number 1, sequence 2");
  equal(cluster.journeys.live, 0);
});

Deno.test("a new incarnation of a partner that had never connected gets nothing of what was sent to the old one", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(65536, 4);
  // The old one has acknowledged a rendezvous and two messages; the fourth is lost.
  cluster.fate = ({ command, nth }) => ({ drop: command.kind === CMD_SEND_TINY && nth === 2 });
  const codes: number[] = [];
  const received: number[] = [];
  let atA: MxEndpoint;
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const old = (yield* mx.openEndpoint(2, 6))!;
    yield* linger(old, mx, 100 * MS);
    yield* old.close();
    yield 200 * MS - mx.now;
    const ep = (yield* mx.openEndpoint(2, 6))!;
    ok((yield* ep.connect("a", 1, 6, SECOND)).address);
    for (;;) {
      const request = yield* ep.irecv(data, 8, 0, 0, 0, 0);
      if (!(yield* ep.wait(request, { timeoutPs: 2 * SECOND - mx.now }))) return;
      received.push(request.matchB);
    }
  });
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = atA = (yield* mx.openEndpoint(1, 6))!;
    const { address } = yield* ep.connect("b", 2, 6);
    const large = yield* ep.isend(data, 50000, address!, 0, 1);
    for (const match of [2, 3]) yield* ep.isend(data, 8, address!, 0, match);
    yield* linger(ep, mx, 50 * MS);
    yield* ep.isend(data, 8, address!, 0, 4);
    equal([large.done, ep.occupancy().unacked], [false, 1]);
    yield* linger(ep, mx, 250 * MS);
    codes.push(large.code, ep.occupancy().unacked, ep.occupancy().regions);
    ok((yield* ep.connect("b", 2, 6, SECOND)).address === address); // so that it can acknowledge
    for (const match of [5, 6]) yield* ep.isend(data, 8, address!, 0, match);
    yield* linger(ep, mx, 2 * SECOND);
  });
  cluster.run(3 * SECOND);
  equal(codes, [9, 0, 0]);
  equal(received, [5, 6]);
  equal([atA!.counters.retransmits, atA!.occupancy().unacked], [0, 0]);
  equal(cluster.journeys.live, 0);
});

Deno.test("a reply of a new incarnation ends everything with the old one too, and its messages are taken and acknowledged", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(65536, 4);
  // The old one leaves half a message behind, a rendezvous that it has acknowledged, and acks with numbers up to 2.
  cluster.fate = ({ from, command, nth }) => ({
    drop: from.host.peer === 1 && command.kind === CMD_SEND_MEDIUM_FRAG && nth === 1,
  });
  const codes: number[] = [];
  let atA: MxEndpoint, atB: MxEndpoint;
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const old = (yield* mx.openEndpoint(2, 6))!;
    const { address } = yield* old.connect("a", 1, 6);
    yield* old.isend(data, 8, address!, 0, 1);
    yield* old.isend(data, 16384, address!, 0, 1);
    yield* linger(old, mx, 100 * MS);
    yield* old.close();
    const ep = atB = (yield* mx.openEndpoint(2, 6))!;
    const request = yield* ep.irecv(data, 8, 0, 2, ALL, ALL);
    ok(yield* ep.wait(request));
    yield* linger(ep, mx, 250 * MS);
    const back = yield* ep.connect("a", 1, 6, SECOND);
    ok(yield* ep.wait(yield* ep.isend(data, 8, back.address!, 0, 3)));
    yield* linger(ep, mx, 2 * SECOND);
  });
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = atA = (yield* mx.openEndpoint(1, 6))!;
    const { address } = yield* ep.connect("b", 2, 6);
    const half = yield* ep.irecv(data, 8, 0, 1, ALL, ALL);
    ok(yield* ep.wait(half));
    const large = yield* ep.isend(data, 50000, address!, 0, 9);
    yield* linger(ep, mx, 150 * MS);
    equal([large.done, ep.occupancy().unacked], [false, 0]);
    const again = yield* ep.connect("b", 2, 6, SECOND);
    codes.push(again.code, large.code);
    equal([ep.occupancy().unexpected, ep.occupancy().regions], [0, 0]);
    yield* ep.isend(data, 8, again.address!, 0, 2);
    yield* linger(ep, mx, 220 * MS);
    codes.push(ep.occupancy().unacked);
    const next = yield* ep.irecv(data, 8, 0, 3, ALL, ALL);
    ok(yield* ep.wait(next, { timeoutPs: SECOND }));
    ok(mx.now < 300 * MS);
    yield* linger(ep, mx, 2 * SECOND);
  });
  cluster.run(3 * SECOND);
  equal(codes, [0, 9, 0]);
  equal([atA!.counters.retransmits, atB!.counters.retransmits, atB!.occupancy().unacked], [0, 0, 0]);
  equal(cluster.journeys.live, 0);
});

Deno.test("who gave the other up says so by its session number, and is heard though both have connected already", () => {
  // A request of b's dead endpoint is late. It reaches a while a connects to b's next one, which connects to a: to a,
  // that one is a new incarnation, and a gives up what it had begun. What a had asked before arrives at b even so.
  const cluster = new ToyCluster();
  const data = cluster.alloc(4096, 4);
  cluster.fate = ({ from, command, nth }) => {
    if (from.host.peer === 1 && command.kind === CMD_CONNECT_REQUEST && nth === 0) return { extraPs: 500 * US };
  };
  const codes: number[] = [];
  const arrived: number[] = [];
  let atA: MxEndpoint, atB: MxEndpoint;
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const dead = (yield* mx.openEndpoint(2, 6))!;
    yield* dead.iconnect("a", 1, 6, 0, 0);
    yield* dead.close();
    yield 500 * US - mx.now;
    const ep = atB = (yield* mx.openEndpoint(2, 6))!;
    const request = yield* ep.irecv(data, 8, 0, 1, ALL, ALL);
    ok((yield* ep.connect("a", 1, 6, 1 * SECOND)).address);
    ok(yield* ep.wait(request));
    arrived.push(mx.now);
    ok(yield* ep.wait(yield* ep.isend(data, 8, request.source!, 0, 2)));
    yield* linger(ep, mx, 1 * SECOND);
  });
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = atA = (yield* mx.openEndpoint(1, 6))!;
    yield* linger(ep, mx, 500 * US);
    let address = null;
    while (address === null) {
      const connected = yield* ep.connect("b", 2, 6, 1 * SECOND);
      codes.push(connected.code);
      address = connected.address;
    }
    const answer = yield* ep.irecv(data, 8, 0, 2, ALL, ALL);
    ok(yield* ep.wait(yield* ep.isend(data, 8, address, 0, 1)));
    ok(yield* ep.wait(answer));
    arrived.push(mx.now);
    yield* linger(ep, mx, 1 * SECOND);
  });
  cluster.run(3 * SECOND);
  equal(codes, [30, 0], "given up, then connected");
  equal([partnersOf(atA!)[0].nextMatch, partnersOf(atB!)[0].nextMatch], [0x4002, 2]);
  ok(arrived.length === 2 && arrived[1] < 1 * MS, `arrived at ${arrived}`);
  equal(atA!.counters.obsolete + atB!.counters.obsolete, 0);
  equal(cluster.journeys.live, 0);
});

Deno.test("the own endpoint is reached inside the library", () => {
  const cluster = new ToyCluster(1);
  const data = cluster.alloc(65536, 4);
  const into = cluster.alloc(65536);
  let ran = false;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = (yield* mx.openEndpoint(1, 5))!;
    const { code, address } = yield* ep.connect("a", 1, 99);
    equal([code, address === ep.address()], [0, true]);
    const posted = yield* ep.irecv(into, 60000, 0, 1, ALL, ALL);
    const first = yield* ep.isend(data, 50000, address!, 0, 1);
    ok(first.done && posted.done);
    equal([posted.code, posted.transferLength, first.transferLength], [0, 50000, 50000]);
    ok(posted.latencyPs > 6 * US && cluster.same(data, into, 50000));
    const second = yield* ep.issend(data, 50000, address!, 0, 2);
    ok(!second.done && (yield* ep.ibuffered(second)));
    equal((yield* ep.iprobe(0, 2, ALL, ALL))!.messageLength, 50000);
    const late = yield* ep.irecv(into, 100, 0, 2, ALL, ALL);
    equal([late.code, late.transferLength, second.code, second.transferLength], [5, 100, 5, 100]);
    equal(cluster.sent.length, 0);
    const unmatched = yield* ep.isend(data, 10, address!, 0, 3);
    yield* ep.disconnect(address!);
    equal([unmatched.code, yield* ep.iprobe(0, 3, ALL, ALL)], [9, null], "unreachable, and gone");
    yield* ep.isend(data, 10, ep.address()!, 0, 3);
    yield* ep.close();
    ran = true;
  });
  cluster.run(1 * SECOND);
  ok(ran);
  equal(cluster.journeys.live, 0);
});

Deno.test("endpoints that are taken or out of range cannot be opened", () => {
  const cluster = new ToyCluster(1);
  let ran = false;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    ok(yield* mx.openEndpoint(3, 5));
    equal([yield* mx.openEndpoint(3, 5), mx.code], [null, 20]);
    equal([yield* mx.openEndpoint(256, 5), mx.code], [null, 9]);
    equal([yield* mx.openEndpoint(-1, 5), mx.code], [null, 9]);
    equal([yield* mx.openEndpoint(4, 5, { contextBits: 17 }), mx.code], [null, 26]);
    const ep = (yield* mx.openEndpoint(4, 5, { contextBits: 8, contextShift: 28 }))!;
    yield* ep.irecv(0, 0, 0, 0, 0, 0);
    equal(ep.code, 42);
    yield* ep.irecv(0, 0, 0x3, 0x20000000, 0xf, 0xf0000000);
    equal(ep.code, 0);
    ran = true;
  });
  cluster.run(1 * MS);
  ok(ran);
});
