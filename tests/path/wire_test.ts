import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { mxLimits } from "../../src/mx/limits.ts";
import { PATHS } from "../../src/path/registry.ts";
import { checkProtocol, payloadOf } from "../support/protocol.ts";
import { run, type ScenarioOptions, totals } from "../support/scenario.ts";
import { meddle, record, type WireFrame } from "../support/wire.ts";

/* Runs of whole clusters, read from their wires: whatever the path, what goes between hosts is the same protocol. */

const SIZES = [0, 32, 33, 128, 129, 8192, 8193, 32768, 32769, 65536, 286977];
const CONFIGURATIONS: { name: string; path: string | string[]; mtu: number }[] = [9000, 1500].flatMap((mtu) => [
  ...PATHS.map(({ name }) => ({ name: `${name} at MTU ${mtu}`, path: name, mtu })),
  { name: `xen2mx to native at MTU ${mtu}`, path: ["xen2mx", "native"], mtu },
]);

function recorded(options: ScenarioOptions): { frames: WireFrame[] } {
  let frames: WireFrame[] = [];
  const session = run(options, ({ cluster }) => frames = record(cluster));
  const { integrityErrors, lost, duplicated } = totals(session);
  assert.deepEqual([integrityErrors, lost, duplicated], [0, 0, 0]);
  assert.deepEqual(session.drain(), []);
  session.release();
  return { frames };
}

const bytes = (sizes: number[]) => sizes.map((size) => `${size} B`);
const named = (frames: WireFrame[], ...names: string[]) => frames.filter(({ name }) => names.includes(name));

for (const { name, path, mtu } of CONFIGURATIONS) {
  Deno.test(`${name}: shape, sessions, sequences, acks, fragments, pulls and notifies of a ping-pong`, () => {
    const workload = { kind: "pingpong", sizes: bytes(SIZES), iterations: 2, warmup_iterations: 0 };
    const { frames } = recorded({ path, mtu, guests: 4, workload });
    checkProtocol(frames, mxLimits(mtu));
  });

  Deno.test(`${name}: the same of a stream both ways`, () => {
    for (const size of [16, 9000, 100_000]) {
      const workload = { kind: "stream", size: `${size} B`, direction: "both-ways", messages: 12 };
      const { frames } = recorded({ path, mtu, guests: 4, workload });
      checkProtocol(frames, mxLimits(mtu));
      // Match information says who sends and which message: rank above, number below (invariant 5).
      const heads = named(frames, "TINY", "SMALL", "RNDV", "MEDIUM").filter(({ fields }) => !fields.fragSeqnum);
      const matches = heads.map(({ fields }) => (fields.matchA & 0x7fffffff) * 1000 + fields.matchB);
      const expected = [0, 1, 2, 3].flatMap((rank) => Array.from({ length: 13 }, (_, n) => rank * 1000 + n));
      assert.deepEqual(matches.sort((x, y) => x - y), expected);
    }
  });
}

Deno.test("the class of a message follows from its length alone, and its payload crosses the wire once", () => {
  for (const { path, mtu } of CONFIGURATIONS) {
    const classes = new Map<string, number[]>();
    for (const size of SIZES) {
      const workload = { kind: "pingpong", sizes: bytes([size]), iterations: 1, warmup_iterations: 0 };
      const { frames } = recorded({ path, mtu, workload });
      const [first] = named(frames, "TINY", "SMALL", "MEDIUM", "RNDV");
      classes.set(first.name, [...classes.get(first.name) ?? [], size]);
      assert.equal(frames.reduce((sum, frame) => sum + payloadOf(frame), 0), 2 * size, `${path} ${size}`);
    }
    assert.deepEqual(Object.fromEntries(classes), {
      TINY: [0, 32],
      SMALL: [33, 128],
      MEDIUM: [129, 8192, 8193, 32768],
      RNDV: [32769, 65536, 286977],
    });
  }
});

Deno.test("one mebibyte, frame by frame", () => {
  for (const { name: path } of PATHS) {
    const workload = { kind: "stream", size: "1 MiB", messages: 1 };
    const { frames } = recorded({ path, workload });
    const message = frames.filter(({ name }) => !["CONNECT", "TRUC", "NACK_LIB"].includes(name)); // refused: not open yet
    const end = message.findIndex(({ name }) => name === "NOTIFY");
    const [sender, receiver] = [message[0].side, 1 - message[0].side];
    const shown = message.filter(({ name, fields }, i) => i <= end && !(name === "TINY" && fields.length === 0))
      .map(({ name, side, fields }) => ({ name, side, fields }));
    const pulls = shown.filter(({ name }) => name === "PULL");
    const replies = shown.filter(({ name }) => name === "PULL_REPLY");
    assert.deepEqual([shown[0].name, shown[0].side, shown[0].fields.msgLength], ["RNDV", sender, 1 << 20]);
    assert.ok(pulls.every(({ side }) => side === receiver) && replies.every(({ side }) => side === sender));
    assert.deepEqual(pulls.map(({ fields }) => fields.blockLength), [286976, 286976, 286976, 187648]);
    assert.deepEqual(pulls.map(({ fields }) => fields.frameIndex), [0, 32, 64, 96]);
    assert.equal(replies.length, 117);
    assert.deepEqual(replies.map(({ fields }) => fields.frameLength), [...new Array(116).fill(8968), 8288]);
    const { fields, side } = shown[shown.length - 1];
    const { pulledRdmaId, pulledRdmaSeqnum, libSeqnum } = shown[0].fields;
    assert.equal(side, receiver);
    assert.deepEqual([fields.totalLength, fields.pulledRdmaId, fields.pulledRdmaSeqnum], [
      1 << 20,
      pulledRdmaId,
      pulledRdmaSeqnum,
    ]);
    assert.ok(fields.libPiggyack > libSeqnum, "the notify acknowledges the rendezvous");
  }
});

Deno.test("a ping-pong of tiny messages needs no explicit ack, and a one-way stream one for every four", () => {
  for (const { name: path } of PATHS) {
    const pingpong = { kind: "pingpong", sizes: ["0 B", "20 B", "21 B", "32 B"], iterations: 50 };
    const there = named(recorded({ path, workload: pingpong }).frames, "TINY", "TRUC");
    const before = there.findIndex(({ name }) => name === "TRUC");
    assert.ok(before < 0 || before >= there.length - 3, "acks ride along until the last message");
    assert.deepEqual([...new Set(there.map(({ length }) => length))].sort(), [60, 61, 72]);
    const stream = { kind: "stream", size: "0 B", messages: 200, outstanding: 16 };
    const { frames } = recorded({ path, workload: stream });
    const sent = named(frames, "TINY").length;
    const acks = named(frames, "TRUC").map(({ fields }) => fields.libSeqnum);
    assert.ok(acks.length >= sent / 16 && acks.length <= sent / 4 + 2, `${path}: ${acks.length} acks of ${sent}`);
    // A progress round takes what has come, then acknowledges it: four or more, unless the message is the last.
    for (let i = 1; i < acks.length - 2; i++) assert.ok(acks[i] - acks[i - 1] >= 4, `${path}: ${acks}`);
  }
});

Deno.test("frames lost, doubled and late: messages arrive once, in order and whole, and numbers mean what they meant", () => {
  for (const { path, mtu } of CONFIGURATIONS) {
    for (const size of [16, 30_000, 100_000]) {
      let frames: WireFrame[] = [];
      const workload = { kind: "stream", size: `${size} B`, messages: 12, direction: "both-ways" };
      const session = run({ path, mtu, workload }, ({ cluster }) => {
        frames = record(cluster);
        const random = cluster.world.engine.random("meddler");
        meddle(cluster, ({ name }) => {
          const dice = random.below(100);
          if (name === "CONNECT") return {};
          return { lose: dice < 3, copies: dice % 10 === 5 ? 2 : 1, holdPs: dice % 4 === 0 ? dice * US : 0 };
        });
      });
      const { integrityErrors, lost, duplicated, messages } = totals(session);
      assert.deepEqual([integrityErrors, lost, duplicated, messages], [0, 0, 0, 24], `${path} ${size}`);
      assert.deepEqual(session.drain(), [], `${path} ${size}`);
      session.release();
      checkProtocol(frames, mxLimits(mtu), true);
    }
  }
});
