import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Prng } from "../../src/base/prng.ts";
import { ANY_RANK, Communicator, type Operation } from "../../src/guest/collective.ts";
import type { Guest, GuestBuffer } from "../../src/guest/guest.ts";
import { runProgram } from "../support/program.ts";
import { totals } from "../support/scenario.ts";

/*
 * Collectives against the obvious: what every rank has is worked out beforehand, and what it should have afterwards is
 * a line of arithmetic over all of them.
 */

/** What a rank has in its buffer: numbers whose sums are exact, so that the order of adding does not matter. */
function valuesOf(rank: number, count: number, round: number): number[] {
  const random = new Prng(7, `values ${rank} ${round}`);
  return Array.from({ length: count }, () => random.below(1 << 20) - (1 << 19));
}

const OPERATIONS: Record<Operation, (values: number[]) => number> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
};

function doubles(guest: Guest, values: readonly number[]): GuestBuffer {
  const buffer = guest.alloc(values.length * 8);
  buffer.write(new Uint8Array(new Float64Array(values).buffer));
  return buffer;
}

function numbers(buffer: GuestBuffer): number[] {
  return [...new Float64Array(buffer.bytes().slice().buffer)];
}

function bytesOf(rank: number, length: number): Uint8Array {
  const random = new Prng(9, `bytes ${rank}`);
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Whether a buffer holds these blocks one after another. */
function same(buffer: GuestBuffer, blocks: readonly Uint8Array[]): void {
  assert.ok(Buffer.concat(blocks).equals(buffer.bytes()));
}

const all = (ranks: number) => Array.from({ length: ranks }, (_, rank) => rank);

/** Doubles for a rank to combine: none, one, an odd number, and with few ranks more than an eager message holds. */
const countsFor = (ranks: number) => [0, 1, 7, ranks <= 3 ? 4501 : 333];
/** Bytes of a block. */
const blocksFor = (ranks: number) => [0, 1, 13, ranks <= 3 ? 33_001 : 2001];

function* reductions(guest: Guest, comm: Communicator) {
  const { rank, ranks } = guest;
  for (const [round, count] of countsFor(ranks).entries()) {
    for (const operation of ["sum", "min", "max"] as const) {
      const given = all(ranks).map((other) => valuesOf(other, count, round));
      const wanted = all(count).map((i) => OPERATIONS[operation](given.map((values) => values[i])));
      const everywhere = doubles(guest, valuesOf(rank, count, round));
      yield* comm.allReduce(everywhere, operation);
      assert.deepEqual(numbers(everywhere), wanted);
      const root = (round * 5) % ranks;
      const there = doubles(guest, valuesOf(rank, count, round));
      yield* comm.reduce(root, there, operation);
      assert.deepEqual(numbers(there), rank === root ? wanted : valuesOf(rank, count, round));
      if (count > 300) break;
    }
  }
}

function* movements(guest: Guest, comm: Communicator) {
  const { rank, ranks } = guest;
  for (const [round, size] of blocksFor(ranks).entries()) {
    const root = (round * 3) % ranks;
    const buffer = guest.alloc(size);
    if (rank === root) buffer.write(bytesOf(root, size));
    yield* comm.broadcast(root, buffer);
    same(buffer, [bytesOf(root, size)]);

    const part = guest.alloc(size);
    part.write(bytesOf(rank, size));
    const whole = guest.alloc(size * ranks);
    yield* comm.gather(root, part, rank === root ? whole : null);
    if (rank === root) same(whole, all(ranks).map((from) => bytesOf(from, size)));

    const outgoing = guest.alloc(size * ranks);
    outgoing.write(bytesOf(rank, size * ranks));
    yield* comm.allToAll(outgoing, whole);
    same(whole, all(ranks).map((from) => bytesOf(from, size * ranks).slice(rank * size, (rank + 1) * size)));
  }
}

for (const path of ["native", "xen2mx"]) {
  const counts = path === "native" ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [2, 5];
  Deno.test(`collectives give every rank what arithmetic says, on ${path} with ${counts.join(", ")} ranks`, () => {
    for (const ranks of counts) {
      let ended = 0;
      const session = runProgram(function* (guest) {
        const comm = yield* Communicator.open(guest);
        yield* reductions(guest, comm);
        yield* movements(guest, comm);
        yield* comm.close();
        ended++;
      }, { guests: ranks, hosts: ranks > 4 ? 3 : 2, path, memoryBytes: 16 << 20 });
      assert.equal(session.failure, null);
      assert.equal(ended, ranks);
      assert.deepEqual(session.drain(), []);
    }
  });
}

Deno.test("nobody leaves a barrier before the last has come", () => {
  for (const ranks of [2, 3, 6]) {
    const came: number[] = [];
    const left: number[] = [];
    runProgram(function* (guest) {
      const comm = yield* Communicator.open(guest);
      for (let round = 0; round < 3; round++) {
        yield* guest.sleep(100 * ((guest.rank * 5 + round) % ranks));
        came[round] = Math.max(came[round] ?? 0, guest.now());
        yield* comm.barrier();
        left[round] = Math.min(left[round] ?? Infinity, guest.now());
      }
      yield* comm.close();
    }, { guests: ranks });
    assert.equal(left.length, 3);
    for (const [round, time] of left.entries()) assert.ok(time >= came[round], `${ranks} ranks, round ${round}`);
  }
});

Deno.test("point to point: by rank, by tag, from anybody; the meters see what came", () => {
  const got: unknown[] = [];
  const session = runProgram(function* (guest) {
    const comm = yield* Communicator.open(guest);
    const buffer = guest.alloc(100);
    if (guest.rank === 0) {
      got.push(yield* comm.recv(2, buffer, 9), buffer.text(3));
      got.push(yield* comm.recv(ANY_RANK, buffer, 5), buffer.text(3));
    } else {
      buffer.write(`r${guest.rank}!`);
      if (guest.rank === 1) yield* guest.sleep(50);
      yield* comm.send(0, buffer.segment(0, 3), guest.rank === 1 ? 5 : 9);
    }
    yield* comm.close();
  }, { guests: 3 });
  assert.deepEqual(got, [{ from: 2, tag: 9, length: 3 }, "r2!", { from: 1, tag: 5, length: 3 }, "r1!"]);
  assert.ok(totals(session).messages > 2);
  const sent = session.cluster.guests.map(({ meter }) => meter.sentMessages);
  assert.equal(sent.reduce((sum, count) => sum + count), totals(session).messages, "every message has a sender");
  assert.ok(session.cluster.guests[1].meter.sentLatency.count > 0);
});

Deno.test("what a program gets wrong is said in its own terms", () => {
  const says = (body: (guest: Guest, comm: Communicator) => Generator<number, unknown, void>) =>
    runProgram(function* (guest) {
      const comm = yield* Communicator.open(guest);
      yield* body(guest, comm);
    }).failure?.replace(/^vm\d\d \(rank \d\) at [\d.]+ us: test\.ts: /, "");
  assert.equal(says((guest, comm) => comm.send(7, guest.alloc(1))), "found rank 7, wanted 0 to 1");
  assert.equal(
    says((guest, comm) => comm.send(guest.rank, guest.alloc(1))),
    "found rank 1, wanted another rank than this one",
  );
  for (const [data, shown] of [["text", '"text"'], [undefined, "nothing"], [5n, "a bigint"]]) {
    const wanted = `found ${shown}, wanted a buffer of guest.alloc, or a segment of one`;
    assert.equal(says((guest, comm) => comm.send(1 - guest.rank, data as never)), wanted);
  }
  assert.equal(
    says((guest, comm) => comm.allReduce(guest.alloc(9))),
    "found a buffer of 9 bytes, wanted doubles of 8 bytes",
  );
  assert.equal(
    says((guest, comm) => comm.allToAll(guest.alloc(3), guest.alloc(3))),
    "allToAll: found 3 and 3 bytes, wanted two equal multiples of 2",
  );
  assert.equal(
    says((guest, comm) => guest.rank === 0 ? comm.send(1, guest.alloc(9)) : comm.recv(0, guest.alloc(4))),
    'a message ended with status "truncated" (9 bytes came, 4 fit)',
  );
});
