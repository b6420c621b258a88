import { Prng } from "../../../src/base/prng.ts";
import { seqOffset } from "../../../src/base/wrap.ts";
import { MS, SECOND, US } from "../../../src/base/units.ts";
import type { Wait } from "../../../src/hw/thread.ts";
import type { Mx, MxAddress, MxEndpoint, MxRequest } from "../../../src/mx/api.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import { equal, ok } from "./expect.ts";
import { ALL, linger } from "./pair.ts";
import { type Frame, ToyCluster } from "./toy_cluster.ts";

/*
 * Medium messages of two partners at once, whose fragments come in any order, late, more than once, or only when they
 * are sent again: each message is delivered once, in its partner's order and whole, and no ack runs ahead of what a
 * set of fragment numbers says has come (invariants 9, 10, 11).
 */

const KEY = 7;
const MESSAGES = 12;
const ROOM = 32768;
const END = 200 * SECOND;
const BUILDS = [{ mtu: 9000 }, { mtu: 1500 }, { mtu: 4144, compat: true }];

function byteOf(sender: number, message: number, i: number): number {
  return (i * 11 + (i >> 8) * 3 + message * 29 + sender * 101) & 0xff;
}

/** Lengths at the edges of fragments, and others. */
function lengthOf(random: Prng, fragment: number): number {
  const edge = fragment * (1 + random.below(Math.floor(ROOM / fragment))) + random.below(3) - 1;
  const any = random.below(4) === 0 ? random.below(ROOM) : edge;
  return Math.min(ROOM, Math.max(129, any));
}

/** What has come of each partner's messages, as sets of fragments: the first message of which something is missing. */
class Arrivals {
  readonly #fragments = new Map<string, Set<number>>();
  readonly #whole = new Map<string, number>();

  note({ from, command }: Frame, fragmentBytes: number): void {
    const key = `${from.host.peer} ${command.seq}`;
    if (!this.#fragments.has(key)) this.#fragments.set(key, new Set());
    const seen = this.#fragments.get(key)!;
    const isMedium = command.kind === c.CMD_SEND_MEDIUM_FRAG;
    seen.add(isMedium ? command.fragment : 0);
    this.#whole.set(key, isMedium ? Math.ceil(command.length / fragmentBytes) : 1);
  }

  firstMissing(peer: number): number {
    let seq = 1;
    const isWhole = (key: string) => this.#fragments.get(key)?.size === this.#whole.get(key);
    while (this.#fragments.has(`${peer} ${seq}`) && isWhole(`${peer} ${seq}`)) seq++;
    return seq;
  }
}

function* connect(ep: MxEndpoint, host: string, index: number): Generator<Wait, MxAddress> {
  const { address } = yield* ep.connect(host, index, KEY, 20 * SECOND);
  ok(address !== null);
  return address!;
}

interface Run {
  readonly cluster: ToyCluster;
  readonly random: Prng;
  readonly lengths: number[][];
  /** Messages as they were delivered: sender and number. */
  readonly delivered: [number, number][];
  ended: number;
}

function* sender(run: Run, mx: Mx, rank: number): Generator<Wait, void> {
  const { cluster, random } = run;
  const ep = (yield* mx.openEndpoint(rank, KEY))!;
  const to = yield* connect(ep, "a", 9);
  yield* linger(ep, mx, 10 * MS);
  for (const [n, length] of run.lengths[rank].entries()) {
    const at = cluster.alloc(length);
    for (let i = 0; i < length; i++) cluster.memory.u8[at + i] = byteOf(rank, n, i);
    yield* ep.isend(at, length, to, rank, n);
    if (random.below(3) === 0) yield random.below(200) * US;
  }
  yield* linger(ep, mx, END);
  equal(ep.occupancy().unacked, 0);
  run.ended++;
}

function* receiver(run: Run, mx: Mx): Generator<Wait, void> {
  const { cluster, random } = run;
  const ep = (yield* mx.openEndpoint(9, KEY))!;
  for (const rank of [1, 2]) yield* connect(ep, cluster.hosts[rank].name, rank);
  const into = cluster.alloc(ROOM);
  for (let n = 0; n < 2 * MESSAGES; n++) {
    // Posted before, in the middle of, or after the message; from anybody, or from one of them.
    if (random.below(2) === 0) yield* linger(ep, mx, mx.now + random.below(700) * US);
    const rank = 1 + random.below(2);
    const isOpen = run.delivered.filter(([from]) => from === rank).length < MESSAGES;
    const request: MxRequest = yield* ep.irecv(into, ROOM, isOpen ? rank : 0, 0, isOpen ? ALL : 0, 0);
    ok(yield* ep.wait(request));
    const { matchA: from, matchB: number, messageLength } = request;
    equal([request.code, messageLength, request.transferLength], [0, run.lengths[from][number], messageLength]);
    for (let i = 0; i < messageLength; i++) {
      if (cluster.memory.u8[into + i] !== byteOf(from, number, i)) {
        throw new Error(`message ${from}/${number}, byte ${i}`);
      }
    }
    run.delivered.push([from, number]);
    ep.release(request);
  }
  yield* linger(ep, mx, END);
  const { unexpected, early, regions } = ep.occupancy();
  equal([unexpected, early, regions, ep.library.core.buffers.used], [0, 0, 0, 0]);
  run.ended++;
}

/** Loses, doubles and holds back fragments, and notes what comes to the receiver when. */
function spoil(run: Run, arrivals: Arrivals, losses: number, jitterUs: number): void {
  const { cluster, random } = run;
  const { engine } = cluster;
  const fragmentBytes = cluster.limits.mediumFragmentBytes;
  const notes: Frame[] = [];
  const note = engine.handler("note", (i) => arrivals.note(notes[i], fragmentBytes));
  cluster.fate = (frame) => {
    const { kind, piggyack, seq } = frame.command;
    if (kind !== c.CMD_SEND_MEDIUM_FRAG && kind !== c.CMD_SEND_LIBACK) return;
    if (frame.from.host.peer === 0) {
      const first = arrivals.firstMissing(frame.command.peer);
      const ack = kind === c.CMD_SEND_LIBACK ? seq : piggyack;
      ok(seqOffset(first, ack) < 8192, `ack ${ack} when ${first} is missing`);
      return { drop: losses > 0 && random.below(4) === 0 };
    }
    if (losses > 0 && random.below(3) === 0) {
      losses--;
      return { drop: true };
    }
    const copies = 1 + (random.below(4) === 0 ? 1 + random.below(2) : 0);
    const extraPs = random.below(jitterUs + 1) * US;
    engine.at(engine.now, note, notes.push(frame) - 1); // no later than it can come
    return { copies, extraPs };
  };
}

for (const build of BUILDS) {
  Deno.test(`fragments in any order, of two partners at once, ${build.compat ? "compat" : `MTU ${build.mtu}`}`, () => {
    for (let seed = 0; seed < 8; seed++) {
      const cluster = new ToyCluster(3, { ...build, entries: 256 });
      const random = new Prng(seed, "assembly");
      const fragment = cluster.limits.mediumFragmentBytes;
      const lengths = [0, 1, 2].map(() => Array.from({ length: MESSAGES }, () => lengthOf(random, fragment)));
      const run: Run = { cluster, random, lengths, delivered: [], ended: 0 };
      spoil(run, new Arrivals(), [0, 5, 40, 200][seed % 4], [0, 40, 900, 3000][seed % 3]);
      for (const rank of [1, 2]) cluster.hosts[rank].start((mx) => sender(run, mx, rank));
      cluster.hosts[0].start((mx) => receiver(run, mx));
      cluster.run(END + SECOND);
      equal(run.ended, 3, `seed ${seed}: programs end`);
      for (const rank of [1, 2]) {
        const numbers = run.delivered.filter(([from]) => from === rank).map(([, number]) => number);
        equal(numbers, Array.from({ length: MESSAGES }, (_, n) => n), `seed ${seed}: once each, in order`);
      }
      equal(cluster.journeys.live, 0, "journeys");
    }
  });
}
