import { MS, SECOND, US } from "../../../src/base/units.ts";
import type { Process, Wait } from "../../../src/hw/thread.ts";
import type { Mx, MxAddress, MxEndpoint } from "../../../src/mx/api.ts";
import { CMD_SEND_MEDIUM_FRAG, CMD_SEND_TINY } from "../../../src/mx/driver/contract.ts";
import { equal, ok } from "./expect.ts";
import { ALL, KEY, linger } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

/*
 * A partner that this side has given up or disconnected, and that knows nothing of it: the next connect, whoever makes
 * it, begins anew in both directions. Nothing is lost from then on, and nothing from before comes again.
 */

/** Match information of messages by what they are: one from before the end, a question, and its answer. */
const OLD = 1;
const QUESTION = 2;
const ANSWER = 3;

function* connect(ep: MxEndpoint, host: string, index: number): Generator<Wait, MxAddress> {
  for (;;) {
    const { address } = yield* ep.connect(host, index, KEY, 10 * SECOND);
    if (address !== null) return address;
  }
}

/** Receives a message with this match information; its length, -1 when none comes for a second. */
function* receive(ep: MxEndpoint, into: number, match: number): Generator<Wait, number> {
  const request = yield* ep.irecv(into, 65536, 0, match, ALL, ALL);
  if (!(yield* ep.wait(request, { timeoutPs: SECOND }))) return -1;
  equal(request.code, 0);
  return request.transferLength;
}

function* send(ep: MxEndpoint, to: MxAddress, at: number, length: number, match: number): Generator<Wait, void> {
  ep.release(yield* ep.isend(at, length, to, 0, match));
}

for (const connecting of ["who has disconnected", "the other side"]) {
  Deno.test(`disconnected, and connected again by ${connecting}: what both sides send arrives at once, each time`, () => {
    const cluster = new ToyCluster();
    const [data, into] = [cluster.alloc(65536, 4), cluster.alloc(131072)];
    const rounds = 9; // session numbers have two bits
    const took: number[] = [];
    const eps: MxEndpoint[] = [];
    cluster.hosts[0].start(function* (mx: Mx): Process {
      const ep = eps[0] = (yield* mx.openEndpoint(1, KEY))!;
      const first = yield* connect(ep, "b", 2);
      equal(yield* receive(ep, into, OLD), 8);
      yield* linger(ep, mx, 50 * MS); // until all is acknowledged
      yield* ep.disconnect(first);
      for (let round = 1; round <= rounds; round++) {
        const began = 100 * round * MS;
        yield* linger(ep, mx, began + (connecting === "the other side" ? 1 * MS : 0));
        const to = yield* connect(ep, "b", 2);
        yield* send(ep, to, data, 40000, QUESTION);
        equal(yield* receive(ep, into, ANSWER), 50000);
        took.push(mx.now - began);
        equal(yield* ep.iprobe(0, OLD, ALL, ALL), null);
        yield* linger(ep, mx, began + 50 * MS);
        yield* ep.disconnect(to);
      }
    });
    cluster.hosts[1].start(function* (mx: Mx): Process {
      const ep = eps[1] = (yield* mx.openEndpoint(2, KEY))!;
      let to = yield* connect(ep, "a", 1);
      yield* send(ep, to, data, 8, OLD);
      for (let round = 1; round <= rounds; round++) {
        yield* linger(ep, mx, 100 * round * MS);
        if (connecting === "the other side") to = yield* connect(ep, "a", 1);
        equal(yield* receive(ep, into + 65536, QUESTION), 40000);
        yield* send(ep, to, data, 50000, ANSWER);
      }
      yield* linger(ep, mx, 2 * SECOND);
    });
    cluster.run(3 * SECOND);
    equal(took.length, rounds);
    ok(took.every((time) => time < 2 * MS), `${took.map((time) => time / US)} us`);
    equal(cluster.journeys.live, 0);
  });
}

Deno.test("what was under way when one side has disconnected ends on the other one too when they are connected again", () => {
  const cluster = new ToyCluster();
  const [data, into] = [cluster.alloc(65536, 4), cluster.alloc(131072)];
  // Of a's medium message half arrives, and of its tiny ones the second: b has them unfinished, and early.
  cluster.fate = ({ from, command, nth, time }) => ({
    drop: from.host.peer === 0 && time < 10 * MS &&
      (command.kind === CMD_SEND_MEDIUM_FRAG ? nth === 1 : command.kind === CMD_SEND_TINY && nth === 0),
  });
  const eps: MxEndpoint[] = [];
  const codes: number[] = [];
  let done = 0;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = eps[0] = (yield* mx.openEndpoint(1, KEY))!;
    let to = yield* connect(ep, "b", 2);
    yield* linger(ep, mx, 5 * MS);
    for (const length of [16384, 8, 8]) yield* send(ep, to, data, length, OLD);
    yield* linger(ep, mx, 10 * MS);
    yield* ep.disconnect(to);
    to = yield* connect(ep, "b", 2);
    yield* send(ep, to, data, 40000, QUESTION);
    equal(yield* receive(ep, into, ANSWER), 8);
    done++;
    yield* linger(ep, mx, 2 * SECOND);
    equal(yield* ep.iprobe(0, OLD, ALL, ALL), null);
  });
  cluster.hosts[1].start(function* (mx: Mx): Process {
    const ep = eps[1] = (yield* mx.openEndpoint(2, KEY))!;
    const to = yield* connect(ep, "a", 1);
    const large = yield* ep.isend(data, 50000, to, 0, OLD); // acknowledged, and never pulled
    yield* linger(ep, mx, 9 * MS);
    equal([ep.occupancy().unexpected, ep.occupancy().early], [1, 1]);
    const late = yield* ep.issend(data, 0, to, 0, OLD); // not acknowledged
    equal(yield* receive(ep, into + 65536, QUESTION), 40000);
    codes.push(large.code, late.code);
    yield* send(ep, to, data, 8, ANSWER);
    done++;
    yield* linger(ep, mx, 2 * SECOND);
  });
  cluster.run(3 * SECOND);
  equal([done, ...codes], [2, 9, 9]);
  equal(eps.map((ep) => ep.counters.retransmits), [0, 0]);
  for (const ep of eps) {
    const { unacked, early, regions, unexpected } = ep.occupancy();
    equal([unacked, early, regions, unexpected], [0, 0, 0, 0]);
  }
  equal(cluster.journeys.live, 0);
});

/** Sends messages of every class each way, in turns; how long that takes. */
function* talk(
  ep: MxEndpoint,
  to: MxAddress,
  mx: Mx,
  data: number,
  into: number,
  first: boolean,
): Generator<Wait, number> {
  const began = mx.now;
  for (const length of [8, 100, 20000, 50000]) {
    if (first) yield* send(ep, to, data, length, QUESTION);
    equal(yield* receive(ep, into, first ? ANSWER : QUESTION), length, "received");
    if (!first) yield* send(ep, to, data, length, ANSWER);
  }
  // Explicit acks are wanted too.
  for (let i = 0; i < 20; i++) {
    if (!first) yield* send(ep, to, data, 8, ANSWER);
    else equal(yield* receive(ep, into, ANSWER), 8);
  }
  return mx.now - began;
}

/** Which frames are lost when a's first connects fail. */
const SILENCES: Record<string, (fromA: boolean) => boolean> = {
  "of which nothing is heard": () => true,
  "of which the answers are lost": (fromA) => !fromA,
};

/** What b does when nothing passes: says nothing, goes on for long, or gives a up as a does b. */
const OTHERS = ["idle", "patient", "gives up"] as const;

for (const [silence, isLost] of Object.entries(SILENCES)) {
  for (const connecting of ["it", "the other side", "both"]) {
    Deno.test(`given up, after up to 4 connects ${silence}, and connected by ${connecting}: both ways are open`, () => {
      for (const [vain, other] of [0, 1, 3, 4].flatMap((n) => OTHERS.map((b) => [n, b] as const))) {
        const cluster = new ToyCluster();
        const [data, into] = [cluster.alloc(65536, 4), cluster.alloc(131072)];
        // From 1 s on nothing passes, and from 5 s until 40 s what the test is about does not.
        cluster.fate = ({ from, time }) => ({
          drop: time > SECOND && time < 40 * SECOND && (time < 5 * SECOND || isLost(from.host.peer === 0)),
        });
        const eps: MxEndpoint[] = [];
        const took: number[] = [];
        const resent: number[] = [];
        const program = (side: 0 | 1, host: string) =>
          function* (mx: Mx): Process {
            const isImpatient = side === 0 || other === "gives up";
            const ep = eps[side] = (yield* mx.openEndpoint(side + 1, KEY, isImpatient ? { resendsMax: 2 } : {}))!;
            let to = yield* connect(ep, host, 2 - side);
            yield* linger(ep, mx, 10 * MS);
            yield* talk(ep, to, mx, data, into + side * 65536, side === 0);
            yield* linger(ep, mx, 2 * SECOND);
            if (isImpatient) {
              const lost = yield* ep.issend(data, 8, to, 0, OLD);
              ok(yield* ep.wait(lost));
              equal(lost.code, 9);
            } else if (other === "patient") yield* send(ep, to, data, 8, OLD);
            yield* linger(ep, mx, 5 * SECOND);
            for (let i = 0; side === 0 && i < vain; i++) equal((yield* ep.connect(host, 2, KEY)).code, 30);
            yield* linger(ep, mx, 40 * SECOND);
            if (connecting === "both" || (connecting === "it") === (side === 0)) {
              to = yield* connect(ep, host, 2 - side);
            }
            yield* linger(ep, mx, 40 * SECOND + MS);
            resent[side] = ep.counters.retransmits;
            took.push(yield* talk(ep, to, mx, data, into + side * 65536, side === 0));
            yield* linger(ep, mx, 42 * SECOND);
            equal(yield* ep.iprobe(0, OLD, ALL, ALL), null);
            resent[side] -= ep.counters.retransmits;
          };
        cluster.hosts[0].start(program(0, "b"));
        cluster.hosts[1].start(program(1, "a"));
        cluster.run(43 * SECOND);
        const about = `${vain} in vain, the other side ${other}`;
        ok(took.length === 2 && took.every((time) => time < 10 * MS), `${about}: ${took}`);
        equal([...resent, ...eps.map((ep) => ep.occupancy().unacked)], [0, 0, 0, 0], about);
        equal(cluster.journeys.live, 0);
      }
    });
  }
}
