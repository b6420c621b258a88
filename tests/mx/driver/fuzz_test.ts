import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, SECOND } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import { DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";

/* Whatever arrives, a driver counts, answers or drops it: it never breaks, and no frame and no journey is left. */

const A = 0xaaaa0001;
const B = 0xbbbb0002;
const LENGTH = 40000;

/** Both drivers with an endpoint, a region and a pull under way in each direction. */
function busy() {
  const t = new DriverBench();
  const mine = t.a.open(2, A);
  const theirs = t.b.open(3, B);
  const address = t.memory.alloc(2 * LENGTH);
  t.a.driver.createRegion(mine.endpoint, 1, LENGTH, [{ address, length: LENGTH }]);
  t.b.driver.createRegion(theirs.endpoint, 1, LENGTH, [{ address: address + LENGTH, length: LENGTH }]);
  t.link.cut = true;
  t.b.execute(theirs.endpoint, {
    kind: c.CMD_PULL,
    peer: 1,
    endpoint: 2,
    session: A,
    length: LENGTH,
    region: 1,
    remoteRegion: 1,
  });
  t.run(MS);
  t.link.cut = false;
  const { srcPullHandle, srcMagic } = t.takeWire()[0].fields;
  return { t, mine, theirs, handle: srcPullHandle, magic: srcMagic };
}

/** Good frames of every kind from a to b, for mutation. */
function samples({ t, handle, magic }: ReturnType<typeof busy>): { bytes: Uint8Array; payload?: Uint8Array }[] {
  const { a, b } = t;
  const to = { dstEndpoint: 3, srcEndpoint: 2, session: B, libSeqnum: 1 };
  return [
    { bytes: make.eager(a, b, "TINY", to, make.pattern(32)) },
    { bytes: make.eager(a, b, "SMALL", to, make.pattern(128)) },
    { bytes: make.medium(a, b, { ...to, length: 8192, fragLength: 8192 }), payload: make.pattern(8192) },
    { bytes: make.rndv(a, b, { ...to, msgLength: 70000 }) },
    { bytes: make.notify(a, b, to) },
    { bytes: make.truc(a, b, { ...to, sessionId: B, acknum: 1 }) },
    { bytes: make.connect(a, b, { ...to, srcDstPeerIndex: 1 }) },
    { bytes: make.pull(a, b, { ...to, pulledRdmaId: 1, blockLength: LENGTH, srcPullHandle: handle, srcMagic: magic }) },
    {
      bytes: make.pullReply(a, b, { frameSeqnum: 0, dstPullHandle: handle, dstMagic: magic }),
      payload: make.pattern(8968),
    },
    { bytes: make.nackLib(a, b, { dstEndpoint: 3, nackType: 2 }) },
    { bytes: make.hostQuery(a, b, { srcDstPeerIndex: 1 }) },
    { bytes: make.hostReply(a, b, { srcDstPeerIndex: 1, hostname: "a" }) },
    { bytes: make.raw(a, b, { serial: 1 }) },
    { bytes: make.nackMcp(a, b, { nackType: 4, srcPullHandle: handle, srcMagic: magic }) },
  ];
}

function finish(world: ReturnType<typeof busy>): void {
  const { t, mine, theirs } = world;
  t.run(t.engine.now + 3 * SECOND);
  t.a.driver.close(mine.endpoint);
  t.b.driver.close(theirs.endpoint);
  t.clean();
  assert.equal(t.a.driver.pulls.active + t.b.driver.pulls.active, 0);
}

Deno.test("random bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 14, maxLength: 192 }), { maxLength: 30 }), (frames) => {
      const world = busy();
      for (const bytes of frames) world.t.send(world.t.a, bytes);
      finish(world);
    }),
    { numRuns: 30 },
  );
});

Deno.test("random bodies behind good heads", () => {
  const body = fc.tuple(fc.integer({ min: 35, max: 45 }), fc.uint8Array({ minLength: 43, maxLength: 175 }));
  fc.assert(
    fc.property(fc.array(body, { maxLength: 50 }), (bodies) => {
      const world = busy();
      const { t } = world;
      for (const [type, rest] of bodies) {
        const bytes = new Uint8Array(17 + rest.length);
        bytes.set(make.eager(t.a, t.b, "TINY", {}).subarray(0, 16));
        bytes[16] = type;
        bytes.set(rest, 17);
        if (type !== 45) bytes[17] %= 5; // often an endpoint that is open
        t.send(t.a, bytes);
      }
      finish(world);
    }),
    { numRuns: 50 },
  );
});

Deno.test("good frames with bytes changed, cut, doubled, and in any order", () => {
  const mutation = fc.record({
    sample: fc.nat(13),
    changes: fc.array(fc.tuple(fc.nat(60), fc.nat(0xff)), { maxLength: 3 }),
    cut: fc.option(fc.nat(70), { freq: 8 }),
    copies: fc.integer({ min: 1, max: 2 }),
    withPayload: fc.boolean(),
    gapUs: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 5, maxLength: 60 }), fc.nat(20), (mutations, room) => {
      const world = busy();
      const { t } = world;
      world.theirs.sink.room = 3 * room;
      for (const { sample, changes, cut, copies, withPayload, gapUs } of mutations) {
        const { bytes, payload } = samples(world)[sample];
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const whole = cut === null ? bytes : bytes.subarray(0, Math.max(cut, 14));
        for (let i = 0; i < copies; i++) t.send(t.a, whole, withPayload && cut === null ? payload : undefined);
        t.run(t.engine.now + gapUs * 1_000_000);
      }
      finish(world);
    }),
    { numRuns: 80 },
  );
});

Deno.test("padding, generation and checksum change nothing that a receiver does", () => {
  // By sample of above: bytes that mean nothing, beyond the generation of those that have one.
  const meaningless = [
    [19, 22, 23],
    [19, 22, 23],
    [19, 43, 44, 45, 46, 47],
    [19, 22, 23, 50],
    [19, 30, 31, 38],
    [
      19,
      21,
      43,
      50,
    ],
    [19, 21, 28, 31, 45, 55],
    [19, 33, 34, 35],
    [],
    [18, 20, 24, 30, 40],
    [14, 15, 17, 20, 23, 28, 31, 45], // HOST_QUERY
    [14, 15, 20, 23, 28, 31, 45], // HOST_REPLY
    [17, 30, 44, 60], // RAW
    [18, 20, 23, 50],
  ];
  const run = (dirty: boolean) => {
    const world = busy();
    const { t, theirs } = world;
    for (const [i, { bytes, payload }] of samples(world).entries()) {
      if (dirty) { for (const at of meaningless[i]) if (at < bytes.length) bytes[at] = 0x5a; }
      t.send(t.a, bytes, payload);
      t.run(t.engine.now + MS);
    }
    return { events: theirs.sink.events, counters: [...t.b.driver.counters], wire: t.wire.length };
  };
  assert.deepEqual(run(true), run(false));
});
