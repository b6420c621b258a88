import assert from "node:assert/strict";
import { openScenario, overridesOf } from "../../src/cli/catalogue.ts";
import { RunRecorders } from "../../src/cli/run_recorders.ts";
import { Session } from "../../src/cluster/session.ts";
import { readCapture } from "../../src/report/pcap_reader.ts";
import type { Recorder } from "../../src/tui/run.ts";

const MS = 1e9;

function session(): Session {
  return new Session(openScenario("pingpong-tiny", overridesOf({ set: ["warmup=1 ms"] })), { endless: true });
}

/** Everything that a recorder gives, as bytes. */
function bytesOf(recorder: Recorder | string): { bytes: Uint8Array; note: string } {
  assert.ok(typeof recorder !== "string", String(recorder));
  const { parts, note } = recorder.finish();
  const pieces = [...parts].map((part) => typeof part === "string" ? new TextEncoder().encode(part) : part.slice());
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, note };
}

Deno.test("a capture has the frames of its stretch of virtual time, whatever the slices", () => {
  const files = [Infinity, 7].map((slice) => {
    const run = session();
    const recorders = new RunRecorders(run, "test");
    recorders.advance(2 * MS, Infinity);
    const recorder = recorders.record("capture", MS);
    for (let left = 100_000; left > 0 && run.now < 5 * MS; left--) recorders.advance(5 * MS, slice);
    return bytesOf(recorder);
  });
  assert.deepEqual(files[0].bytes, files[1].bytes);
  const packets = readCapture(files[0].bytes).frames;
  assert.ok(packets.length > 50, String(packets.length));
  assert.match(files[0].note, new RegExp(`^${packets.length} frames`));
  for (const { ns } of packets) assert.ok(Number(ns) >= 2e6 && Number(ns) <= 3e6, String(ns));
});

Deno.test("a trace ends at its instant, and can be read", () => {
  const run = session();
  const recorders = new RunRecorders(run, "test");
  recorders.advance(2 * MS, Infinity);
  const recorder = recorders.record("trace", MS / 10);
  assert.match(recorders.record("capture", MS) as string, /another recording/);
  recorders.advance(3 * MS, Infinity);
  assert.ok(typeof recorder !== "string" && recorder.done);
  const { bytes, note } = bytesOf(recorder);
  const { traceEvents, otherData } = JSON.parse(new TextDecoder().decode(bytes));
  assert.ok(traceEvents.length > 100);
  assert.deepEqual([otherData.virtual_from_ns, otherData.virtual_until_ns], ["2000000", "2100000"]);
  assert.match(note, /events/);
});

Deno.test("the run is the same with recordings as without, steps too", () => {
  const [plain, watched] = [session(), session()];
  const recorders = new RunRecorders(watched, "test");
  recorders.record("capture", MS / 2);
  for (let i = 0; i < 500; i++) recorders.step();
  assert.equal(watched.events, 500);
  for (let i = 0; i < 500; i++) plain.step();
  assert.equal(watched.fingerprint, plain.fingerprint);
  while (!recorders.advance(4 * MS, Infinity));
  recorders.record("trace", MS);
  while (!recorders.advance(6 * MS, Infinity));
  plain.advance(6 * MS);
  assert.equal(watched.fingerprint, plain.fingerprint);
});

Deno.test("a recording that is broken off has what was seen until then", () => {
  const run = session();
  const recorders = new RunRecorders(run, "test");
  recorders.advance(2 * MS, Infinity);
  const recorder = recorders.record("capture", 1000 * MS);
  recorders.advance(3 * MS, Infinity);
  assert.ok(typeof recorder !== "string" && !recorder.done);
  assert.ok(readCapture(bytesOf(recorder).bytes).frames.length > 50);
  assert.ok(typeof recorders.record("capture", MS) !== "string", "the next one can begin");
});
