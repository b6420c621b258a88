import assert from "node:assert/strict";
import { Prng } from "../../../src/base/prng.ts";
import { MS, SECOND, US } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import { type BenchSide, DriverBench } from "../../support/driver_bench.ts";
import { frameOf, mutate, seeFrame, type SeenFrame } from "../../support/mutate.ts";
import * as make from "./frames.ts";

/*
 * A hundred thousand frames that are wrong, twisted or late, between those of transfers that are under way: no driver
 * breaks, nothing leaks, and what comes afterwards arrives.
 */

const FRAMES = 100_000;
/** Stands for the wire-compatible build. */
const COMPAT = 4144;
const A = 0xaaaa0001;
const B = 0xbbbb0002;
const LENGTH = 60_000;
/** Frames between two rounds of transfers. */
const ROUND = 250;

interface Side {
  readonly side: BenchSide;
  readonly index: number;
  readonly session: number;
  readonly end: ReturnType<BenchSide["open"]>;
  readonly out: number;
  readonly into: number;
}

class Battle {
  readonly t: DriverBench;
  readonly sides: readonly [Side, Side];
  readonly data = make.pattern(LENGTH);
  readonly seen: SeenFrame[] = [];
  #region = 0;

  constructor(mtu: number) {
    this.t = new DriverBench({ mtu, compat: mtu === COMPAT });
    const { t } = this;
    this.sides = [this.#side(t.a, 2, A), this.#side(t.b, 3, B)];
    // Every kind of frame once, then whatever the drivers themselves put on the wire.
    for (const bytes of this.#samples()) this.seen.push({ bytes, linear: bytes.length });
    const kinds = this.seen.length;
    t.link.tap.listen((_side, frame) => {
      const place = this.seen.length < kinds + 200 ? this.seen.length : kinds + t.engine.events % 200;
      this.seen[place] = seeFrame(t.frames, frame);
    });
  }

  #side(side: BenchSide, index: number, session: number): Side {
    const end = side.open(index, session);
    const out = this.t.memory.alloc(LENGTH);
    this.t.memory.u8.set(this.data, out);
    return { side, index, session, end, out, into: this.t.memory.alloc(LENGTH) };
  }

  #samples(): Uint8Array[] {
    const { a, b } = this.t;
    const to = { dstEndpoint: 3, srcEndpoint: 2, session: B, libSeqnum: 1 };
    const medium = new Uint8Array(48 + this.t.limits.mediumFragmentBytes);
    medium.set(make.medium(a, b, { ...to, length: medium.length - 48, fragLength: medium.length - 48 }));
    return [
      make.eager(a, b, "TINY", to, make.pattern(32)),
      make.eager(a, b, "SMALL", to, make.pattern(128)),
      medium,
      make.rndv(a, b, { ...to, msgLength: 70000 }),
      make.notify(a, b, to),
      make.truc(a, b, { ...to, sessionId: B, acknum: 1 }),
      make.connect(a, b, { ...to, srcDstPeerIndex: 1 }),
      make.connect(a, b, { ...to, srcDstPeerIndex: 1, isReply: true }),
      make.pull(a, b, { ...to, pulledRdmaId: 1, blockLength: LENGTH }),
      make.nackLib(a, b, { dstEndpoint: 3, nackType: 2 }),
      make.nackMcp(a, b, { nackType: 4 }),
    ];
  }

  /** Both pull from one another under new region numbers, and send one message of each small class. */
  transfers(): void {
    const id = this.#region++ % 256;
    const { t } = this;
    for (const [me, other] of [this.sides, [...this.sides].reverse()] as Side[][]) {
      const { driver } = me.side;
      for (const [region, address] of [[id, me.out], [(id + 128) % 256, me.into]]) {
        me.side.execute(me.end.endpoint, { kind: c.CMD_DESTROY_REGION, region });
        driver.createRegion(me.end.endpoint, region, LENGTH, [{ address, length: LENGTH }]);
      }
      const to = { peer: 1, endpoint: other.index, session: other.session, length: 30, address: me.out };
      for (const kind of [c.CMD_CONNECT_REQUEST, c.CMD_SEND_TINY, c.CMD_SEND_SMALL, c.CMD_SEND_LIBACK]) {
        me.side.execute(me.end.endpoint, { ...to, kind, ownSession: me.session });
      }
      const pull = { ...to, kind: c.CMD_PULL, length: LENGTH, region: (id + 128) % 256, remoteRegion: id };
      me.side.execute(me.end.endpoint, pull);
      me.end.sink.events.length = 0;
    }
    t.run(t.engine.now + 20 * US);
  }

  inject(random: Prng, count: number): void {
    const { t } = this;
    for (let i = 0; i < count; i++) {
      const frame = frameOf(t.frames, mutate(random, this.seen));
      assert.ok(frame >= 0, "frames are given back");
      t.link.carry(random.below(2) as 0 | 1, frame, 0);
      if (random.below(4) === 0) t.run(t.engine.now + random.below(3) * US);
    }
  }

  /** What is asked for now works: whole, once, and everything is given back. */
  finish(): void {
    const { t } = this;
    t.run(t.engine.now + 600 * SECOND); // pulls whose answers were spoilt time out
    this.transfers(); // a connect that lied about a peer index is put right by one that does not
    t.run(t.engine.now + 3 * SECOND);
    for (const { into } of this.sides) t.memory.u8.fill(0, into, into + LENGTH);
    this.transfers();
    t.run(t.engine.now + 100 * MS);
    for (const { end, into, side } of this.sides) {
      const types = end.sink.events.map(({ type }) => type).sort();
      assert.deepEqual(types, [
        c.EVENT_CONNECT_REQUEST,
        c.EVENT_TINY,
        c.EVENT_SMALL,
        c.EVENT_LIBACK,
        c.EVENT_PULL_DONE,
      ]);
      assert.equal(end.sink.events.find(({ type }) => type === c.EVENT_PULL_DONE)!.small, c.PULL_OK);
      assert.equal(Buffer.compare(t.memory.u8.subarray(into, into + LENGTH), this.data), 0, "the bytes of a pull");
      assert.equal(side.driver.pulls.active, 0, "pulls");
      side.driver.close(end.endpoint);
    }
    t.clean();
  }
}

for (const [seed, mtu] of [9000, 9000, 1500, COMPAT].entries()) {
  Deno.test(`${FRAMES / 4} frames that are wrong, seed ${seed}, MTU ${mtu}`, () => {
    const battle = new Battle(mtu);
    const random = new Prng(seed, "onslaught");
    for (let sent = 0; sent < FRAMES / 4; sent += ROUND) {
      battle.transfers();
      battle.inject(random, ROUND);
    }
    battle.finish();
  });
}
