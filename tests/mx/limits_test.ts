import assert from "node:assert/strict";
import { blockMax, mediumMax, mxLimits, PULL_BLOCKS } from "../../src/mx/limits.ts";

/* The sizes of the three builds that can talk to others (omx_wire.h:45-111, 457-467; omx_io.h:54-72). */

const BUILDS = {
  "MTU 9000": mxLimits(9000),
  "MTU 1500": mxLimits(1500),
  "wire-compatible": mxLimits(0, true),
};

Deno.test("sizes of the builds for MTU 9000, for MTU 1500 and for MX on the wire", () => {
  const sizes = Object.values(BUILDS).map((limits) => ({
    mtu: limits.mtu,
    reply: limits.pullReplyBytes,
    fragment: limits.mediumFragmentBytes,
    slot: limits.slotBytes,
    fragments: limits.mediumFragments,
    medium: mediumMax(limits),
    replies: limits.repliesPerBlock,
    block: blockMax(limits),
    outstanding: PULL_BLOCKS * blockMax(limits),
  }));
  const of = (...all: number[]) => {
    const [mtu, reply, fragment, slot, fragments, medium, replies, block, outstanding] = all;
    return { mtu, reply, fragment, slot, fragments, medium, replies, block, outstanding };
  };
  assert.deepEqual(sizes, [
    of(9000, 8968, 8192, 8192, 32, 262144, 32, 286976, 1147904),
    of(1500, 1468, 1452, 2048, 32, 46464, 32, 46976, 187904),
    of(4144, 4096, 4096, 4096, 8, 32768, 8, 32768, 131072),
  ]);
});

Deno.test("a medium fragment is what the MTU leaves, in whole 4 or 8 KiB once that is more than 4 KiB", () => {
  const fragments = [1500, 4143, 4144, 5000, 8239, 8240, 9000].map((mtu) => mxLimits(mtu).mediumFragmentBytes);
  assert.deepEqual(fragments, [1452, 4095, 4096, 4096, 4096, 8192, 8192]);
});

Deno.test("frames, blocks and fragments of the worked sizes", () => {
  const counts = (limits: typeof BUILDS["MTU 9000"], bytes: number) => [
    Math.ceil(bytes / limits.mediumFragmentBytes),
    Math.ceil(bytes / limits.pullReplyBytes),
    Math.ceil(bytes / blockMax(limits)),
  ];
  assert.equal(counts(BUILDS["MTU 9000"], 32768)[0], 4);
  assert.deepEqual(counts(BUILDS["MTU 9000"], 1 << 20).slice(1), [117, 4]);
  assert.deepEqual(counts(BUILDS["MTU 9000"], 4 << 20).slice(1), [468, 15]);
  assert.equal(counts(BUILDS["MTU 1500"], 32768)[0], 23);
  assert.deepEqual(counts(BUILDS["MTU 1500"], 1 << 20).slice(1), [715, 23]);
});
