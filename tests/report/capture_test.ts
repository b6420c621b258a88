import assert from "node:assert/strict";
import fc from "fast-check";
import { INBOUND, LOST_BY_CHANCE, OUTBOUND } from "../../src/hw/tap.ts";
import { Capture } from "../../src/report/capture.ts";
import { choose } from "../../src/report/capture_names.ts";
import { PACKET_OVERHEAD } from "../../src/report/pcapng.ts";
import { readCapture } from "../../src/report/pcap_reader.ts";
import { ABOUT, ALL, CaptureBench, join } from "../support/capture_file.ts";
import { run } from "../support/scenario.ts";

/** Type, length, interface, time, five options of eight bytes, end of options, length. */
const STATISTICS_BYTES = 20 + 5 * 12 + 4 + 4;

const bytes = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i * 7) & 0xff);

Deno.test("what is written is what is read: any frames, at any places, in order of time", () => {
  const frame = fc.record({
    tap: fc.nat(2),
    way: fc.constantFrom(OUTBOUND, INBOUND),
    at: fc.nat(10 ** 9).map((x) => x * 1000 + 999),
    length: fc.oneof(fc.integer({ min: 14, max: 200 }), fc.integer({ min: 14, max: 9216 })),
    linear: fc.integer({ min: 14, max: 192 }),
    lost: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), fc.constantFrom(0, 1, 64, 5000), (shown, snaplen) => {
      const bench = new CaptureBench(["a-b", "a/nic", "vm01/eth0"], { ...ALL, snaplen });
      for (const [i, { tap, way, at, length, linear, lost }] of shown.entries()) {
        bench.show(tap, way, at, bytes(length, i), Math.min(linear, length));
        if (lost) bench.taps[tap].lose(LOST_BY_CHANCE);
      }
      const { frames, comments, interfaces, problem } = bench.read();
      assert.equal(problem, null);
      assert.deepEqual(comments, [ABOUT.comment]);
      assert.deepEqual(interfaces.map(({ name, description }) => [name, description]), [
        ["a-b", "place a-b"],
        ["a/nic", "place a/nic"],
        ["vm01/eth0", "place vm01/eth0"],
      ]);
      const expected = shown.map((frame, i) => ({ ...frame, i })).sort((x, y) => x.at - y.at || x.i - y.i);
      assert.deepEqual(
        frames.map((f) => ({ ...f, interface: f.interface.name, bytes: [...f.bytes] })),
        expected.map(({ tap, way, at, length, lost, i }) => ({
          ns: BigInt(Math.floor(at / 1000)),
          interface: ["a-b", "a/nic", "vm01/eth0"][tap],
          direction: way === OUTBOUND ? "out" : "in",
          bytes: [...bytes(length, i).subarray(0, snaplen === 0 ? length : snaplen)],
          length,
          comments: lost ? ["lost on the wire"] : [],
          dropped: 0,
        })),
      );
    }),
    { numRuns: 25 },
  );
});

Deno.test("beyond the limit frames are counted, and the file says so", () => {
  const bench = new CaptureBench(["x", "y"], { snaplen: 0, limitBytes: 3 * 1100 });
  for (let i = 0; i < 10; i++) bench.show(0, OUTBOUND, i * 1000, bytes(1000, i));
  bench.taps[0].lose(LOST_BY_CHANCE); // the last of them, which is not in the file
  bench.show(1, OUTBOUND, 20_000, bytes(9000));
  bench.show(0, INBOUND, 21_000, bytes(14)); // there is room for this one
  const { frames } = bench.read();
  assert.deepEqual(frames.map(({ length, dropped }) => [length, dropped]), [[1000, 0], [1000, 0], [1000, 0], [14, 7]]);
  assert.ok(frames.every(({ comments }) => comments.length === 0), "a loss that is noted at another frame");
  assert.equal(bench.capture.dropped, 8);
  assert.ok(bench.file().length < 3 * 1100 + 1000);
  bench.capture.stop();
  assert.ok(bench.taps.every(({ active }) => !active));
  const exact = new CaptureBench(["x"], { snaplen: 0, limitBytes: 2 * (1000 + PACKET_OVERHEAD) });
  for (let i = 0; i < 3; i++) exact.show(0, OUTBOUND, i * 1000, bytes(1000, i));
  assert.deepEqual([exact.capture.kept, exact.capture.dropped], [2, 1]);
  // Seen, left out and written, as the interface's last block says it: eight bytes each behind two instants.
  const file = exact.file();
  const view = new DataView(file.buffer, file.byteOffset + file.length - STATISTICS_BYTES);
  assert.equal(view.getUint32(0, true), 5);
  assert.deepEqual([48, 60, 72].map((at) => view.getUint32(at, true)), [3, 1, 2]);
  const one = new CaptureBench(["x"], { snaplen: 0, limitBytes: 2 * (100 + PACKET_OVERHEAD) });
  for (const length of [100, 200, 100]) one.show(0, OUTBOUND, 0, bytes(length));
  assert.deepEqual(one.read().frames.map(({ dropped }) => dropped), [0, 1], "a single frame that is missing");
});

Deno.test("a file of several megabytes comes in pieces, and every block is whole", () => {
  const bench = new CaptureBench(["x"]);
  const frame = bytes(9000);
  for (let i = 0; i < 400; i++) bench.show(0, OUTBOUND, i * 1000, frame);
  const pieces = [...bench.capture.file(ABOUT, 1e9)];
  assert.ok(pieces.length > 4 && pieces.every(({ length }) => length <= 1 << 20));
  const { frames, problem } = readCapture(join(pieces));
  assert.deepEqual([frames.length, problem], [400, null]);
  assert.ok(frames.every(({ bytes }) => Buffer.compare(bytes, frame) === 0));
});

Deno.test("more places than one piece of the file has room for", () => {
  const names = Array.from({ length: 12_000 }, (_, i) => `h001/vm${i}/eth0`);
  const { interfaces, problem } = new CaptureBench(names, ALL).read();
  assert.equal(problem, null);
  assert.deepEqual(interfaces.map(({ name }) => name), names);
});

Deno.test("a capture changes nothing of a run, and has every frame that the wire has carried, lost ones marked", () => {
  const options = { path: "bridged", loss: 0.02, workload: { kind: "stream", size: "20000 B", messages: 30 } };
  let capture: Capture | null = null;
  const session = run(options, ({ cluster }) => {
    capture = new Capture(cluster.taps, cluster.world.frames, ALL);
  });
  assert.equal(session.fingerprint, run(options).fingerprint);
  capture!.stop();
  const { frames } = readCapture(join(capture!.file(ABOUT, session.now)));
  const [link] = session.cluster.links;
  const wire = frames.filter((frame) => frame.interface.name === "a-b");
  const lost = wire.filter(({ comments }) => comments[0] === "lost on the wire");
  const sum = (of: (direction: typeof link.directions[0]) => number) => of(link.directions[0]) + of(link.directions[1]);
  assert.deepEqual([wire.length, lost.length], [sum((d) => d.frames), sum((d) => d.lost)]);
  assert.ok(lost.length > 0);
});

Deno.test("names and patterns of places", () => {
  const all = ["a-b", "a/nic", "b/nic", "vm01/eth0", "vm02/eth0"].map((name) => ({ name }));
  const names = (...patterns: string[]) => choose(all, patterns).map(({ name }) => name);
  assert.deepEqual(names("vm*/eth0", "a-b"), ["a-b", "vm01/eth0", "vm02/eth0"]);
  assert.deepEqual(names("?/nic", "a/nic"), ["a/nic", "b/nic"]);
  assert.deepEqual(names("*"), all.map(({ name }) => name));
  const list = "wanted one of a-b, a/nic, b/nic, vm01/eth0, vm02/eth0";
  assert.throws(() => names("a.b"), { message: `nothing is called 'a.b'; did you mean a-b?; ${list}` });
  assert.throws(() => names("a-b", "c*"), { message: `nothing is called 'c*'; ${list}` });
});
