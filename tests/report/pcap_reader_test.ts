import assert from "node:assert/strict";
import fc from "fast-check";
import { OUTBOUND } from "../../src/hw/tap.ts";
import { mxLimits } from "../../src/mx/limits.ts";
import * as wire from "../../src/mx/wire/mod.ts";
import { decodeJson, decodeText, limitsOf } from "../../src/report/decode.ts";
import { NoCapture, type ReadCapture, readCapture } from "../../src/report/pcap_reader.ts";
import { CaptureBench } from "../support/capture_file.ts";

/** Bytes in either order: numbers are [width, value]. */
function pack(little: boolean, ...parts: (readonly [1 | 2 | 4 | 8, number | bigint] | Uint8Array)[]): Uint8Array {
  const pieces = parts.map((part) => {
    if (part instanceof Uint8Array) return part;
    const [width, value] = part;
    const view = new DataView(new ArrayBuffer(width));
    if (width === 8) view.setBigUint64(0, BigInt(value), little);
    else if (width === 4) view.setUint32(0, Number(value), little);
    else if (width === 2) view.setUint16(0, Number(value), little);
    else view.setUint8(0, Number(value));
    return new Uint8Array(view.buffer);
  });
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

function block(little: boolean, type: number, body: Uint8Array): Uint8Array {
  const fill = new Uint8Array(-body.length & 3);
  const length = 12 + body.length + fill.length;
  return pack(little, [4, type], [4, length], body, fill, [4, length]);
}

const section = (little: boolean) => block(little, 0x0a0d0d0a, pack(little, [4, 0x1a2b3c4d], [2, 1], [2, 0], [8, 0]));
const FRAME = Uint8Array.from({ length: 61 }, (_, i) => i);
const list = (capture: ReadCapture) => capture.frames.map(({ ns, bytes, length }) => [ns, bytes.length, length]);

Deno.test("classic pcap: both byte orders, microseconds and nanoseconds, and where it is cut short", () => {
  for (const little of [true, false]) {
    for (const [magic, unit] of [[0xa1b2c3d4, 1000n], [0xa1b23c4d, 1n]] as const) {
      const header = pack(little, [4, magic], [2, 2], [2, 4], [8, 0], [4, 65535], [4, 1]);
      const record = pack(little, [4, 1_600_000_000], [4, 123_456], [4, 61], [4, 90], FRAME);
      const file = new Uint8Array([...header, ...record, ...record]);
      const ns = 1_600_000_000_000_000_000n + 123_456n * unit;
      const capture = readCapture(file);
      assert.deepEqual([list(capture), capture.problem], [[[ns, 61, 90], [ns, 61, 90]], null]);
      const cut = readCapture(file.subarray(0, file.length - 1));
      assert.deepEqual(list(cut), [[ns, 61, 90]]);
      assert.equal(cut.problem, "the file ends inside a block (at byte 101), after 1 frames");
    }
  }
});

Deno.test("pcapng: sections of either order, resolutions and offsets, old and simple packets, unknown blocks", () => {
  const parts: Uint8Array[] = [];
  for (const little of [true, false]) {
    const interfaceOf = (options: Uint8Array) =>
      block(little, 1, new Uint8Array([...pack(little, [2, 1], [2, 0], [4, 64]), ...options]));
    parts.push(
      section(little),
      block(little, 0x77777777, pack(little, [4, 1], [4, 2])),
      interfaceOf(pack(little, [2, 2], [2, 3], new Uint8Array([101, 116, 104, 0]))), // "eth", microseconds
      interfaceOf(pack(little, [2, 9], [2, 1], [1, 0x83], [1, 0], [2, 0], [2, 14], [2, 8], [8, 5])), // eighths, from 5 s
      block(little, 6, pack(little, [4, 0], [4, 1], [4, 2], [4, 61], [4, 61], FRAME)),
      block(little, 6, pack(little, [4, 1], [4, 0], [4, 4], [4, 61], [4, 61], FRAME)),
      block(little, 2, pack(little, [2, 0], [2, 0], [4, 0], [4, 7], [4, 61], [4, 99], FRAME)),
      block(little, 3, pack(little, [4, 61], FRAME)),
    );
  }
  const capture = readCapture(new Uint8Array(parts.flatMap((part) => [...part])));
  const once = [[4294967298000n, 61, 61], [5_500_000_000n, 61, 61], [7000n, 61, 99], [null, 61, 61]];
  assert.deepEqual([list(capture), capture.problem], [[...once, ...once], null]);
  assert.deepEqual(capture.interfaces.map(({ name }) => name), ["eth", "", "eth", ""]);
});

Deno.test("what is no capture is refused; what makes no sense ends the reading, with what came before", () => {
  const refused = (file: number[], message: string) =>
    assert.throws(
      () => readCapture(new Uint8Array(file)),
      (error) => error instanceof NoCapture && error.message === message,
    );
  refused([], "an empty file");
  refused([1, 2, 3], "3 bytes that begin with 01 02 03");
  refused([0x0a, 0x0d, 0x0d, 0x0a], "4 bytes that begin with 0a 0d 0d 0a");
  const problem = (...blocks: Uint8Array[]) => readCapture(new Uint8Array(blocks.flatMap((b) => [...b]))).problem;
  assert.equal(problem(section(true), pack(true, [4, 6], [4, 8], [4, 8])), "byte 28: a block of 8 bytes cannot be");
  assert.equal(
    problem(section(true), block(true, 6, pack(true, [4, 3], [8, 0], [4, 0], [4, 0]))),
    "byte 36: a packet of interface 3, which was not described",
  );
  assert.match(
    problem(section(true), pack(true, [4, 6], [4, 32], [4, 8]))!,
    /^the file ends inside a block \(at byte 28\)/,
  );
});

const head = { dstEndpoint: 3, srcEndpoint: 4, libSeqnum: 1, libPiggyack: 2, matchA: 1, matchB: 2, session: 5 };

/** A capture with a tiny and a medium fragment. */
function sample(snaplen = 0): CaptureBench {
  const bench = new CaptureBench(["a-b"], { snaplen, limitBytes: 1e9 });
  const bytes = new Uint8Array(1500);
  const view = new DataView(bytes.buffer);
  wire.emitHead(view, 0, 0x0200, 2, 0x0200, 1, 7);
  wire.emitTiny(view, 0, { ...head, length: 4, checksum: 0 });
  bench.show(0, OUTBOUND, 1_000_000, bytes.subarray(0, 60));
  wire.emitMedium(
    view,
    0,
    { ...head, length: 1000, fragLength: 1000, fragSeqnum: 0, fragPipeline: 0, checksum: 0 },
    false,
  );
  bench.show(0, OUTBOUND, 2_000_000, bytes.subarray(0, 1048));
  return bench;
}

const DECODE = { limits: mxLimits(9000), at: [], types: [] };

Deno.test("decode: a frame whose payload was not kept is judged as it was on the wire", () => {
  const lines = [...decodeText(sample(52).read(), DECODE)];
  assert.deepEqual(lines, [
    "0.000001000 a-b out 02:00:00:00:00:01 > 02:00:00:00:00:02, MX TINY peer 7 ep 4 > 3, seq 1, ack 2, " +
    "match 0x00000001:00000002, session 0x00000005, length 4, frame 60  # 52 of 60 bytes kept",
    "0.000002000 a-b out 02:00:00:00:00:01 > 02:00:00:00:00:02, MX MEDIUM peer 7 ep 4 > 3, seq 1, ack 2, " +
    "match 0x00000001:00000002, session 0x00000005, frag 0, 1000 of length 1000, frame 1048  # 52 of 1048 bytes kept",
  ]);
  assert.match([...decodeText(sample(30).read(), DECODE)][0], /\[header cut short: 30 of 40 bytes\]/);
  assert.equal([...decodeText(sample().read(), { ...DECODE, types: [wire.PACKET_MEDIUM] })].length, 1);
});

Deno.test("decode reads the layout from what our captures say, unless it is told", () => {
  const said = (text: string, asked = {}) => {
    const { mtu, compat } = limitsOf({ comments: ["x", text] }, asked);
    return [mtu, compat];
  };
  assert.deepEqual(said("mxtop run x\nwire open-mx, MTU 1500"), [1500, false]);
  assert.deepEqual(said("wire mx, MTU 4144"), [4144, true]);
  assert.deepEqual(said("wire mx, MTU 4144", { wire: "open-mx" }), [9000, false]);
  assert.deepEqual(said("wire open-mx, MTU 1500", { mtu: 9000 }), [9000, false]);
  assert.deepEqual(said("not ours: wire open-mx, MTU 77"), [9000, false]);
});

Deno.test("no corruption of a file is more than a message: bytes changed, cut, doubled and made up", () => {
  const good = sample().file();
  const change = fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) });
  const corrupted = fc.tuple(fc.array(change, { maxLength: 12 }), fc.nat(good.length)).map(([changes, end]) => {
    const file = good.slice();
    for (const { at, value } of changes) file[at] = value;
    return changes.length % 2 === 0 ? file : file.subarray(0, end);
  });
  const madeUp = fc.tuple(fc.constantFrom(good.subarray(0, 28), good.subarray(0, 4)), fc.uint8Array({ maxLength: 200 }))
    .map(([start, rest]) => new Uint8Array([...start, ...rest]));
  const noisePcap = fc.uint8Array({ maxLength: 200 }).map((rest) => new Uint8Array([0xd4, 0xc3, 0xb2, 0xa1, ...rest]));
  fc.assert(
    fc.property(fc.oneof(corrupted, madeUp, noisePcap), fc.constantFrom(false, true), (file, compat) => {
      let capture: ReadCapture;
      try {
        capture = readCapture(file);
      } catch (error) {
        assert.ok(error instanceof NoCapture);
        return;
      }
      const options = { limits: mxLimits(9000, compat), at: [], types: [] };
      const lines = [...decodeText(capture, options)];
      assert.equal(lines.length, capture.frames.length);
      assert.ok(lines.every((line) => !line.includes("\n") && !line.includes("\u001b")));
      for (const line of decodeJson(capture, options)) JSON.parse(line);
    }),
    { numRuns: 2000 },
  );
});
