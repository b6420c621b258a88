import assert from "node:assert/strict";
import { MS, SECOND } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { LOSS_TYPES, PacketLoss, type PacketLossSpec } from "../../../src/mx/driver/packet_loss.ts";
import { counted, DriverBench } from "../../support/driver_bench.ts";
import { run, totals } from "../../support/scenario.ts";
import * as make from "./frames.ts";

/* Every counter is moved by something, or listed with the reason why not; and the losses that keep frames uncounted. */

const A = 0xaaaa0001;
const B = 0xbbbb0002;
const to = { peer: 1, endpoint: 3, session: B, seq: 9, piggyack: 4, matchA: 1, matchB: 2 };

/** Everything that a driver can send and receive, and every way to fail, until both drivers have seen all of it. */
function everything(): Float64Array {
  const sums = new Float64Array(count.COUNTER_LABELS.length);
  const add = (t: DriverBench) => {
    for (const { driver } of [t.a, t.b]) for (const [i, value] of driver.counters.entries()) sums[i] += value;
  };
  add(commands());
  add(oddFrames());
  add(pulls());
  return sums;
}

function commands(): DriverBench {
  const t = new DriverBench({ parts: { copyOffload: true } });
  const mine = t.a.open(2, A);
  t.a.open(6, 0x600d);
  t.b.open(3, B);
  const address = t.memory.alloc(16384);
  const kinds = [
    c.CMD_SEND_TINY,
    c.CMD_SEND_SMALL,
    c.CMD_SEND_MEDIUM_FRAG,
    c.CMD_SEND_MEDIUM_VA,
    c.CMD_SEND_RNDV,
    c.CMD_SEND_NOTIFY,
    c.CMD_CONNECT_REQUEST,
    c.CMD_CONNECT_REPLY,
    c.CMD_SEND_LIBACK,
  ];
  for (const there of [to, { ...to, peer: 0, endpoint: 6, session: 0x600d }]) {
    for (const kind of kinds) t.a.execute(mine.endpoint, { ...there, kind, address, length: 5, fragmentLength: 5 });
  }
  t.a.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_TINY, session: 1 });
  t.a.burst((cpu) => t.a.driver.raw.send(cpu, make.raw(t.a, t.b, {})));
  t.a.burst((cpu) => t.a.driver.hosts.ask(cpu, t.a.driver.peers.at(1)!));
  // A pull between endpoints of the host that is long enough for the copy engine.
  const length = 2 << 20;
  const extents = [{ address: t.memory.alloc(length), length }];
  t.a.driver.createRegion(mine.endpoint, 1, length, extents);
  t.a.driver.createRegion(t.a.driver.endpoints[6]!, 1, length, extents);
  const local = { ...to, peer: 0, endpoint: 6, session: 0x600d, region: 1, remoteRegion: 1, length };
  t.a.execute(mine.endpoint, { ...local, kind: c.CMD_PULL });
  t.run(SECOND / 10);
  t.clean();
  return t;
}

function oddFrames(): DriverBench {
  const t = new DriverBench();
  const { a, b } = t;
  const mine = b.open(3, B);
  const good = { dstEndpoint: 3, srcEndpoint: 5, session: B };
  const typed = (type: number) => {
    const frame = make.eager(a, b, "TINY", good);
    frame[16] = type;
    return frame;
  };
  const magic = (endpoint: number) => (endpoint ^ 0x21071980) >>> 0;
  const frames = [
    make.rndv(a, b, { ...good, frameLength: 20 }),
    make.eager(a, b, "TINY", { ...good, length: 33 }),
    make.eager(a, b, "TINY", { ...good, length: 32 }),
    make.eager(a, b, "TINY", { ...good, peerIndex: 5 }),
    make.eager(a, b, "TINY", { ...good, dstEndpoint: 9 }),
    make.eager(a, b, "TINY", { ...good, session: 5 }),
    make.connect(a, b, { ...good, srcMac: 5 }),
    make.pull(a, b, { ...good, session: 5, blockLength: 1 }),
    make.pull(a, b, { ...good, pulledRdmaId: 3, blockLength: 1 }),
    make.pull(a, b, { ...good, pulledRdmaId: 1, blockLength: 300_000 }),
    make.pull(a, b, { ...good, pulledRdmaId: 1, blockLength: 2000 }),
    make.pullReply(a, b, { dstMagic: magic(9) }),
    make.pullReply(a, b, { dstMagic: magic(3), dstPullHandle: 77 }),
    make.nackMcp(a, b, { srcMagic: magic(9) }),
    make.nackMcp(a, b, { srcMagic: magic(3), srcPullHandle: 77 }),
    make.hostReply(a, b, { magic: 1 }),
    typed(32),
    typed(99),
  ];
  b.driver.createRegion(mine.endpoint, 1, 1000, [{ address: t.memory.alloc(1000), length: 1000 }]);
  for (const frame of frames) t.send(a, frame);
  t.send(a, make.raw(a, b, {}), make.pattern(1000));
  for (let i = 0; i < 33; i++) t.send(a, make.raw(a, b, {}));
  t.run(t.engine.now + MS);
  mine.sink.room = 0;
  t.send(a, make.eager(a, b, "TINY", good));
  t.run(t.engine.now + MS);
  b.portFull = true;
  b.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_MEDIUM_FRAG, length: 9, fragmentLength: 9 });
  t.clean();
  return t;
}

/** Large messages under every misfortune: replies lost, doubled, in the wrong place; regions that go; nobody answers. */
function pulls(): DriverBench {
  const t = new DriverBench({
    costs: { driverSend: 1_000_000, offloadByte: 1000 },
    parts: { copyOffload: true, debug: { packetLoss: { pull_reply: 70 } } },
  });
  const { a, b } = t;
  const mine = a.open(2, A);
  const theirs = b.open(3, B);
  const length = 2 << 20;
  const memory = t.memory.alloc(2 * length);
  const scattered = Array.from({ length: length / 256 }, (_, i) => ({ address: memory + i * 256, length: 256 }));
  a.driver.createRegion(mine.endpoint, 1, length, [{ address: memory + length, length }]);
  b.driver.createRegion(theirs.endpoint, 1, length, scattered);
  const pull = { ...to, kind: c.CMD_PULL, region: 1, remoteRegion: 1, length };
  // 50 replies, and of the next 234 the 20th, the 90th and so on are lost: blocks are complete before the first.
  for (const part of [50 * t.limits.pullReplyBytes, length]) {
    a.execute(mine.endpoint, { ...pull, length: part });
    t.run(t.engine.now + 3 * SECOND);
  }
  // Replies that lie about their place, and then nobody answers for 500 s.
  t.link.cut = true;
  t.takeWire();
  a.execute(mine.endpoint, pull);
  t.run(t.engine.now + MS);
  t.link.cut = false;
  const { srcPullHandle, srcMagic } = t.takeWire()[0].fields;
  const named = { dstPullHandle: srcPullHandle, dstMagic: srcMagic };
  t.send(b, make.pullReply(b, a, { ...named, frameSeqnum: 1, msgOffset: 0 }));
  const short = make.pullReply(b, a, { ...named, frameSeqnum: 0, msgOffset: 0 });
  short[19] = 5; // bytes
  t.send(b, short, make.pattern(5));
  t.run(t.engine.now + MS);
  t.link.cut = true;
  t.run(t.engine.now + 502 * SECOND);
  t.link.cut = false;
  // The region goes while it is streamed; the next request is refused.
  a.execute(mine.endpoint, pull);
  t.run(t.engine.now + MS / 100);
  b.execute(theirs.endpoint, { kind: c.CMD_DESTROY_REGION, region: 1 });
  t.run(t.engine.now + 2 * SECOND);
  const held: number[] = [];
  for (let frame = t.frames.take(60); frame >= 0; frame = t.frames.take(60)) held.push(frame);
  a.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_TINY });
  for (const frame of held) t.frames.free(frame);
  t.clean();
  return t;
}

/** Counters that this model never moves, and why. */
const NEVER_COUNTED: ReadonlyMap<number, string> = new Map([
  [31, "medium fragments are copied by a CPU: the copy engine is given nothing below 64 KiB (dmaasyncmin)"],
  [32, "as above"],
  [34, "the copy engine takes every copy that it is given"],
  [36, "a header is always in the linear part of a frame"],
  [40, "no medium event waits for the copy engine"],
  [count.DROP_NOT_IMPLEMENTED, "every type that has a name is handled, or counted as invalid"],
  [82, "fragments are below the 2 MiB from which a synchronous copy is given to the copy engine (dmasyncmin)"],
  [84, "the copy engine takes every copy that it is given"],
]);

Deno.test("everything that can happen moves every counter, but for those that are listed with the reason why not", () => {
  const sums = everything();
  const still = [...sums.keys()].filter((i) => sums[i] === 0);
  assert.deepEqual(
    still.map((i) => `${i} ${count.COUNTER_LABELS[i]}`),
    [...NEVER_COUNTED.keys()].map((i) => `${i} ${count.COUNTER_LABELS[i]}`),
  );
});

Deno.test("a loss of one in N takes every Nth frame of its type, is not counted as sent, and costs no doorbell", () => {
  const t = new DriverBench({ parts: { debug: { packetLoss: { tiny: 3, medium_frag: 2 } } } });
  const mine = t.a.open(2, A);
  t.b.open(3, B);
  for (let seq = 1; seq <= 9; seq++) t.a.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_TINY, seq });
  for (let seq = 1; seq <= 4; seq++) t.a.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_SMALL, seq, length: 100 });
  const address = t.memory.alloc(8192 * 3);
  t.a.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_MEDIUM_VA, address, length: 3 * 8192, cookie: 44 });
  t.run(t.engine.now + MS);
  const seqs = (type: string) => t.wire.filter(({ name }) => name === type).map(({ fields }) => fields.libSeqnum);
  assert.deepEqual(seqs("TINY"), [1, 2, 4, 5, 7, 8]);
  assert.deepEqual(seqs("SMALL"), [1, 2, 3, 4]);
  assert.equal(t.wire.filter(({ name }) => name === "MEDIUM").length, 2);
  assert.deepEqual(counted(t.a), { [count.SEND_TINY]: 6, [count.SEND_SMALL]: 4, [count.SEND_MEDIUM_VA]: 2 });
  assert.equal(t.a.driver.loss!.dropped, 4);
  // On the bench nobody tells a driver that a frame has left: only the lost one is done.
  assert.equal(mine.sink.events.length, 0);
  t.clean();
});

Deno.test("the loss of all types counts the frames of all types that their own loss has left", () => {
  for (const spec of [{}, { all: 2 }, { tiny: 2 }, { all: 3, tiny: 2 }] as PacketLossSpec[]) {
    const loss = new PacketLoss(spec);
    let all = 0;
    let tiny = 0;
    for (let i = 0; i < 60; i++) {
      const isTiny = i % 3 === 0;
      const own = isTiny && spec.tiny !== undefined && ++tiny % spec.tiny === 0;
      const expected = own || spec.all !== undefined && ++all % spec.all === 0;
      assert.equal(
        loss.takes(isTiny ? count.SEND_TINY : count.SEND_PULL_REPLY),
        expected,
        `${JSON.stringify(spec)} ${i}`,
      );
    }
    assert.equal(loss.takes(count.SEND_HOST_QUERY), false, "host queries are never lost");
  }
});

Deno.test("messages survive the loss of any type of frame, and what is lost is sent again", () => {
  for (const type of LOSS_TYPES) {
    if (["nack_lib", "nack_mcp", "raw"].includes(type)) continue;
    const size = type.startsWith("pull") || type === "rndv" || type === "notify" ? "100 KiB" : "40 B";
    const sizes = { tiny: "8 B", medium_frag: "20000 B" }[type as string] ?? size;
    // Acks travel by themselves only where nothing goes the other way.
    const direction = type === "liback" ? "one-way" : "both-ways";
    const workload = { kind: "stream", size: sizes, messages: 25, outstanding: 4, direction };
    const period = type.startsWith("conn") || type === "liback" ? 2 : 5;
    const session = run({ path: "native", guests: 4, workload, packetLoss: { [type]: period } });
    const { integrityErrors, lost, duplicated, messages } = totals(session);
    assert.deepEqual([messages, integrityErrors, lost, duplicated], [type === "liback" ? 50 : 100, 0, 0, 0], type);
    const drivers = session.cluster.hosts.map((host) => [...host.paths.values()][0].boards[0].driver);
    assert.ok(drivers.some(({ loss }) => loss!.dropped > 0), `${type}: something was lost`);
    assert.deepEqual(session.drain(), [], type);
  }
});
