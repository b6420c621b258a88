import fc from "fast-check";
import { Prng } from "../../../src/base/prng.ts";
import { seqOffset } from "../../../src/base/wrap.ts";
import { SECOND, US } from "../../../src/base/units.ts";
import type { Wait } from "../../../src/hw/thread.ts";
import type { MxAddress, MxEndpoint, MxRequest } from "../../../src/mx/api.ts";
import {
  CMD_CONNECT_REQUEST,
  CMD_PULL,
  CMD_SEND_LIBACK,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
} from "../../../src/mx/driver/contract.ts";
import { equal, ok } from "./expect.ts";
import { ALL, idle, linger, pair } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

const LENGTHS = [0, 1, 32, 33, 128, 129, 8192, 8193, 20000, 32768, 32769, 60000];

const world = fc.record({
  seed: fc.integer({ min: 1, max: 1 << 30 }),
  lossPercent: fc.constantFrom(0, 2, 10, 30),
  duplicatePercent: fc.constantFrom(0, 20),
  jitterUs: fc.constantFrom(0, 30, 300),
  slow: fc.boolean(),
  refusePercent: fc.constantFrom(0, 20),
  entries: fc.constantFrom(16, 64),
  block: fc.boolean(),
  synchronous: fc.boolean(),
});

function* exchange(
  cluster: ToyCluster,
  random: Prng,
  ep: MxEndpoint,
  to: MxAddress,
  side: number,
  options: { count: number; mode: "poll" | "block"; synchronous: boolean },
): Generator<Wait, void> {
  const { count, mode } = options;
  const room = 65536;
  const out = cluster.alloc(count * room);
  const into = cluster.alloc(count * room);
  const pending: MxRequest[] = [];
  const posted: MxRequest[] = [];
  for (let i = 0; i < count; i++) {
    const length = LENGTHS[random.below(LENGTHS.length)];
    const at = out + i * room;
    for (let b = 0; b < length; b++) cluster.memory.u8[at + b] = (b * 13 + i * 5 + side + length) & 0xff;
    if (random.below(2) === 0) posted.push(yield* ep.irecv(into + posted.length * room, room, 9, 0, ALL, 0));
    const synchronous = options.synchronous && random.below(4) === 0;
    pending.push(synchronous ? yield* ep.issend(at, length, to, 9, i) : yield* ep.isend(at, length, to, 9, i));
    if (random.below(3) === 0) yield random.below(50) * US;
  }
  while (posted.length < count) posted.push(yield* ep.irecv(into + posted.length * room, room, 9, 0, ALL, 0));
  for (let i = 0; i < count; i++) {
    ok(yield* ep.wait(posted[i], { mode }));
    equal([posted[i].code, posted[i].matchB], [0, i], "delivered in order");
    const length = posted[i].messageLength;
    for (let b = 0; b < length; b++) {
      const expected = (b * 13 + i * 5 + 1 - side + length) & 0xff;
      if (cluster.memory.u8[into + i * room + b] !== expected) throw new Error(`payload of ${i} differs at ${b}`);
    }
    ok(posted[i].latencyPs > 0);
  }
  for (const request of pending) {
    ok(yield* ep.wait(request, { mode }));
    equal([request.code, request.transferLength], [0, request.messageLength]);
  }
  for (const request of [...pending, ...posted]) ep.release(request);
}

Deno.test("whatever the wire does, messages arrive once, in order and whole, and nothing is left", () => {
  fc.assert(
    fc.property(world, ({ seed, lossPercent, duplicatePercent, jitterUs, slow, refusePercent, entries, ...rest }) => {
      const cluster = new ToyCluster(2, { entries });
      const random = new Prng(seed, "chaos");
      let calm = false;
      cluster.fate = (frame) => {
        // The toy's pull is not repeated by its driver, and the handshake has tests of its own.
        const safe = calm || frame.command.kind === CMD_PULL || frame.command.kind >= CMD_CONNECT_REQUEST &&
            frame.command.kind !== CMD_SEND_LIBACK;
        return {
          drop: !safe && random.below(100) < lossPercent,
          copies: frame.command.kind !== CMD_PULL && random.below(100) < duplicatePercent ? 2 : 1,
          extraPs: random.below(jitterUs + 1) * US,
        };
      };
      for (const host of cluster.hosts) {
        host.slow = slow;
        host.refuse = ({ kind }) => kind < CMD_CONNECT_REQUEST && random.below(100) < refusePercent;
      }
      const count = 30;
      const options = { count, mode: rest.block ? "block" as const : "poll" as const, synchronous: rest.synchronous };
      const until = 300 * SECOND;
      const result = pair(cluster, {
        *a(ep, to, mx) {
          yield* exchange(cluster, random, ep, to, 0, options);
          yield* linger(ep, mx, until - 20 * SECOND);
        },
        *b(ep, to, mx) {
          yield* exchange(cluster, random, ep, to, 1, options);
          yield* linger(ep, mx, until - 20 * SECOND);
        },
      }, { until });
      cluster.run(until - 30 * SECOND);
      calm = true;
      cluster.run(until + 1 * SECOND);
      equal(result.finished, 2);
      equal(cluster.journeys.finished, 2 * count);
      checkSequences(cluster, !slow && refusePercent === 0);
      checkAcks(cluster);
      idle(cluster, result);
    }),
    { numRuns: 40 },
  );
});

/** New sequences go up by one and repeated ones repeat an old one (invariant 8); none is left out. */
function checkSequences(cluster: ToyCluster, inOrder: boolean): void {
  for (const host of cluster.hosts) {
    let next = 1;
    const seen = new Set<number>();
    for (const { from, command } of cluster.sent) {
      if (from.host !== host || command.kind > CMD_SEND_NOTIFY || command.kind === CMD_PULL) continue;
      seen.add(command.seq);
      // A refused command is given again later, and a region that takes its time holds back only its own message.
      ok(command.seq <= next || !inOrder, "sequence");
      if (command.seq === next) next++;
    }
    equal(Math.max(...seen), seen.size);
  }
}

/** Acks never go back, and liback numbers go up by one (invariant 9). */
function checkAcks(cluster: ToyCluster): void {
  for (const host of cluster.hosts) {
    let ack = 1;
    let number = 0;
    for (const { from, command } of cluster.sent) {
      if (from.host !== host || command.kind === CMD_PULL) continue;
      const isMessage = command.kind <= CMD_SEND_NOTIFY;
      if (!isMessage && command.kind !== CMD_SEND_LIBACK) continue;
      const said = isMessage ? command.piggyack : command.seq;
      ok(seqOffset(said, ack) < 8192, "an ack went back");
      ack = said;
      if (!isMessage) equal(command.ackNumber, ++number);
      if (command.kind === CMD_SEND_RNDV) ok(command.regionSeq >= 0);
    }
  }
}
