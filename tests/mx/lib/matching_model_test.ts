import fc from "fast-check";
import { US } from "../../../src/base/units.ts";
import type { Wait } from "../../../src/hw/thread.ts";
import type { Mx, MxAddress, MxEndpoint, MxRequest } from "../../../src/mx/api.ts";
import {
  MX_BAD_MATCH_MASK,
  MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK,
  MX_SUCCESS,
  STATUS_SUCCESS,
  STATUS_TRUNCATED,
} from "../../../src/mx/status.ts";
import { equal, ok } from "./expect.ts";
import { linger } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

/*
 * Whole endpoints against two lists: receives that were posted and messages that wait, both searched from the front,
 * whoever sent the message and whatever its class (invariant 11). Sends by two partners and by the endpoint itself,
 * receives with and without wildcards, cancels and probes in any order.
 */

const KEY = 7;
const LENGTHS = [0, 1, 32, 100, 128, 129, 8192, 9000, 32769, 40000];
const ROOM = 40000;
/** Longer than anything takes from one process to the other, a large message too. */
const SETTLE = 200 * US;
/** Bits 16 to 19 of the match information are a context id. */
const CONTEXT = { contextBits: 4, contextShift: 16 };
const CONTEXT_MASK = 0xf0000n;

const word = fc.constantFrom(0x00000n, 0x00001n, 0x00002n, 0x10001n, 0x20001n, 0x8000000000000001n);
const mask = fc.constantFrom(
  0xffffffffffffffffn,
  0xffffffffffffffffn,
  CONTEXT_MASK,
  0xffffffffffff0000n,
  0x00000000000f0001n,
  0n,
  0xffffffff0000ffffn,
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      send: fc.nat(2),
      info: word,
      length: fc.constantFrom(...LENGTHS),
      count: fc.constantFrom(1, 1, 3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      post: word,
      mask,
      isClean: fc.integer({ min: 0, max: 9 }),
      room: fc.constantFrom(...LENGTHS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ cancel: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ probe: word, mask }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const high = (value: bigint) => Number(value >> 32n);
const low = (value: bigint) => Number(value & 0xffffffffn);
const wide = ({ matchA, matchB }: { matchA: number; matchB: number }) =>
  (BigInt(matchA >>> 0) << 32n) | BigInt(matchB >>> 0);

interface Message {
  readonly from: number;
  readonly info: bigint;
  readonly length: number;
  readonly seed: number;
}

interface Posted {
  readonly request: MxRequest;
  readonly info: bigint;
  readonly mask: bigint;
  readonly room: number;
  readonly at: number;
  message: Message | null;
  cancelled: boolean;
}

/** The lists. */
class Model {
  readonly receives: Posted[] = [];
  readonly waiting: Message[] = [];

  arrives(message: Message): void {
    const receive = this.receives.find((r) => r.message === null && !r.cancelled && (r.mask & message.info) === r.info);
    if (receive === undefined) this.waiting.push(message);
    else receive.message = message;
  }

  /** A receive takes the first message that waits for it. */
  posts(receive: Posted): void {
    const at = this.findWaiting(receive.info, receive.mask);
    if (at >= 0) receive.message = this.waiting.splice(at, 1)[0];
    this.receives.push(receive);
  }

  findWaiting(info: bigint, mask: bigint): number {
    return this.waiting.findIndex((message) => (message.info & mask) === info);
  }
}

function byteOf(seed: number, i: number): number {
  return (i * 7 + seed * 31) & 0xff;
}

class Game {
  readonly cluster = new ToyCluster(3, { entries: 256 });
  readonly model = new Model();
  /** What the other two are to send. */
  readonly orders: Message[][] = [[], [], []];
  readonly out = this.cluster.alloc(ROOM);
  over = false;
  ended = 0;
  #seed = 0;

  write(seed: number, length: number): number {
    const at = this.cluster.alloc(length, undefined);
    for (let i = 0; i < length; i++) this.cluster.memory.u8[at + i] = byteOf(seed, i);
    return at;
  }

  *partner(mx: Mx, rank: number): Generator<Wait, void> {
    const ep = (yield* mx.openEndpoint(rank, KEY))!;
    const { address } = yield* ep.connect("a", 9, KEY);
    while (!this.over) {
      for (let order = this.orders[rank].shift(); order !== undefined; order = this.orders[rank].shift()) {
        const { info, length, seed } = order;
        yield* ep.forget(yield* ep.isend(this.write(seed, length), length, address!, high(info), low(info)));
      }
      yield* linger(ep, mx, mx.now + 5 * US);
    }
    this.ended++;
  }

  *player(mx: Mx, steps: readonly Step[]): Generator<Wait, void> {
    const ep = (yield* mx.openEndpoint(9, KEY, CONTEXT))!;
    const own = (yield* ep.connect("a", 9, KEY)).address!;
    for (const rank of [1, 2]) yield* ep.connect(this.cluster.hosts[rank].name, rank, KEY);
    yield* linger(ep, mx, mx.now + SETTLE);
    for (const step of steps) {
      if ("send" in step) yield* this.#send(ep, own, step);
      else if ("post" in step) yield* this.#post(ep, step);
      else if ("cancel" in step) yield* this.#cancel(ep, step.cancel);
      else yield* this.#probe(ep, step.probe & step.mask, step.mask);
      yield* linger(ep, mx, mx.now + SETTLE);
      this.#compare(ep);
    }
    this.over = true;
    this.ended++;
  }

  *#send(ep: MxEndpoint, own: MxAddress, order: { send: number; info: bigint; length: number; count: number }) {
    for (let n = 0; n < order.count; n++) {
      const message = { from: order.send, info: order.info, length: order.length, seed: ++this.#seed };
      if (order.send > 0) this.orders[order.send].push(message);
      else {
        const at = this.write(message.seed, message.length);
        yield* ep.forget(yield* ep.isend(at, message.length, own, high(message.info), low(message.info)));
      }
      this.model.arrives(message);
    }
  }

  *#post(ep: MxEndpoint, order: { post: bigint; mask: bigint; isClean: number; room: number }) {
    const { mask, room } = order;
    const info = order.isClean > 0 ? order.post & mask : order.post;
    const at = this.cluster.alloc(room + 16);
    const request = yield* ep.irecv(at, room, high(info), low(info), high(mask), low(mask));
    const code = (info & ~mask) !== 0n
      ? MX_BAD_MATCH_MASK
      : (CONTEXT_MASK & ~mask) !== 0n
      ? MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK
      : MX_SUCCESS;
    equal(request.returnCode, code, "return code of irecv");
    if (code === MX_SUCCESS) this.model.posts({ request, info, mask, room, at, message: null, cancelled: false });
  }

  *#cancel(ep: MxEndpoint, which: number) {
    const open = this.model.receives.filter(({ cancelled }) => !cancelled);
    if (open.length === 0) return;
    const receive = open[which % open.length];
    const isFree = receive.message === null;
    equal(yield* ep.cancel(receive.request), isFree, "cancel");
    receive.cancelled = isFree;
  }

  *#probe(ep: MxEndpoint, info: bigint, mask: bigint) {
    const found = yield* ep.iprobe(high(info), low(info), high(mask), low(mask));
    const message = this.model.waiting[this.model.findWaiting(info, mask)];
    ok((found === null) === (message === undefined), "probe");
    if (found === null) return;
    ok(wide(found) === message.info, "probe: match information");
    equal([found.messageLength, found.source!.peer], [message.length, message.from], "probe");
  }

  #compare(ep: MxEndpoint): void {
    const { u8 } = this.cluster.memory;
    equal(ep.occupancy().unexpected, this.model.waiting.length, "messages that wait");
    for (const { request, message, room, at, cancelled } of this.model.receives) {
      if (cancelled) continue;
      equal(request.done, message !== null, "done");
      if (message === null) continue;
      const received = Math.min(room, message.length);
      const status = received < message.length ? STATUS_TRUNCATED : STATUS_SUCCESS;
      ok(wide(request) === message.info, "match information");
      equal([request.code, request.messageLength, request.transferLength], [status, message.length, received]);
      equal(request.source!.peer, message.from, "source");
      for (let i = 0; i < received; i++) if (u8[at + i] !== byteOf(message.seed, i)) throw new Error(`byte ${i}`);
      for (let i = received; i < room + 16; i++) if (u8[at + i] !== 0) throw new Error(`byte ${i} was written`);
    }
  }
}

Deno.test("endpoints match as two lists do: any order of sends, receives, cancels and probes", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      const game = new Game();
      game.cluster.hosts[0].start((mx) => game.player(mx, steps));
      for (const rank of [1, 2]) game.cluster.hosts[rank].start((mx) => game.partner(mx, rank));
      game.cluster.run(1_000_000 * US);
      equal(game.ended, 3, "programs end");
    }),
    { numRuns: 40 },
  );
});
