import assert from "node:assert/strict";
import fc from "fast-check";
import { Capture } from "../../src/report/capture.ts";
import { decodeJson, decodeText, limitsOf } from "../../src/report/decode.ts";
import { readCapture } from "../../src/report/pcap_reader.ts";
import { type MxLimits, mxLimits } from "../../src/mx/limits.ts";
import * as wire from "../../src/mx/wire/mod.ts";
import { codecs } from "../mx/wire/codecs.ts";
import { ABOUT, ALL, CaptureBench, join } from "../support/capture_file.ts";
import { run, type ScenarioOptions } from "../support/scenario.ts";
import { dissect, type Dissected, HAS_TSHARK, SEVERITY_ERROR } from "./tshark.ts";

/*
 * The Wireshark dissector against our own reading: the same files through tshark and through `mxtop decode`, frame by
 * frame and field by field, and what is malformed in the one is so in the other.
 */

interface Decoded {
  readonly frame: number;
  readonly packet: string | null;
  readonly status: string;
  readonly fields: Record<string, number | string>;
}

/** Fields that Ethernet's own dissector has. */
const ETHERNET = ["dst", "src", "ethertype"];

async function both(file: Uint8Array, limits: MxLimits) {
  const capture = readCapture(file);
  const options = { limits, at: [], types: [] };
  const decoded = [...decodeJson(capture, options)].map((line) => JSON.parse(line) as Decoded);
  const lines = [...decodeText(capture, options)];
  const names = [...new Set(decoded.flatMap(({ fields }) => Object.keys(fields)))].filter((n) => !ETHERNET.includes(n));
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  try {
    await Deno.writeFile(path, file);
    const dissected = await dissect(path, names, limits.compat);
    assert.equal(dissected.length, decoded.length);
    return { decoded, dissected, lines };
  } finally {
    await Deno.remove(path);
  }
}

/** Numbers as numbers, whatever base they are printed in. */
function plain(fields: Readonly<Record<string, number | string>>): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([name]) => !ETHERNET.includes(name));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === "hostname" ? value : BigInt(value)]).filter(([, v]) => v !== ""),
  );
}

/** Same fields, same line, nothing wrong. */
function compare(decoded: readonly Decoded[], dissected: readonly Dissected[], lines: readonly string[]): void {
  for (const [i, { packet, status, fields }] of decoded.entries()) {
    const theirs = dissected[i];
    const about = `${packet}, frame ${i + 1}`;
    assert.equal(status, "ok", about);
    assert.deepEqual(plain(theirs.fields), plain(fields), about);
    assert.equal(theirs.protocols, "eth:ethertype:mxoe", about);
    assert.ok(!theirs.isMalformed && theirs.severity < SEVERITY_ERROR, `${about}: ${theirs.remarks}`);
    assert.ok(lines[i].includes(`, ${theirs.info}`), `${theirs.info}\n${lines[i]}`);
  }
}

/** Frames of every type, from the emitters, with fields of every value that has a well-formed frame. */
function everyType(limits: MxLimits): Uint8Array {
  const bench = new CaptureBench(["a-b"]);
  let at = 0;
  for (const codec of codecs) {
    const perType = [wire.PACKET_MEDIUM, wire.PACKET_PULL].includes(codec.type);
    if (perType && codec.compat !== limits.compat) continue;
    for (const fields of fc.sample(codec.arbitrary, { numRuns: 12, seed: 7 }) as Record<string, unknown>[]) {
      if (codec.type === wire.PACKET_HOST_REPLY) fields.hostname = `host-${at}.example`;
      const payload = fitPayload(codec.type, fields);
      const view = new DataView(new ArrayBuffer(9216));
      wire.emitHead(view, 0, 0x0200, 2, 0x0200, 1, at % 3 === 0 ? wire.UNKNOWN_PEER_INDEX : at);
      const length = wire.padFrame(view, 0, codec.emit(view, 0, fields) + payload);
      bench.show(0, 0, ++at * 1e6, new Uint8Array(view.buffer, 0, length));
    }
  }
  return bench.file();
}

/** Makes a length field one that its type may have; returns the bytes that follow the header. */
function fitPayload(type: number, fields: Record<string, unknown>): number {
  const fit = (name: string, most: number) => fields[name] = Number(fields[name]) % (most + 1);
  if (type === wire.PACKET_TINY) return fit("length", 32);
  if (type === wire.PACKET_SMALL) return fit("length", 128);
  if (type === wire.PACKET_MEDIUM) return fit("fragLength", 4096);
  return type === wire.PACKET_PULL_REPLY ? fit("frameLength", 4096) : 0;
}

for (const limits of [mxLimits(9000), mxLimits(0, true)]) {
  const layout = limits.compat ? "mx" : "open-mx";
  Deno.test({
    name: `dissector: every packet type in the layout of ${layout}, field by field`,
    ignore: !HAS_TSHARK,
    fn: async () => {
      const { decoded, dissected, lines } = await both(everyType(limits), limits);
      const types = new Set(decoded.map(({ packet }) => packet));
      const known = wire.PACKET_TYPES.filter(([type]) => wire.headerLength(type, limits.compat) > 0);
      assert.deepEqual([...types].sort(), known.map(([, name]) => name).sort());
      compare(decoded, dissected, lines);
    },
  });
}

function captured(options: ScenarioOptions): Uint8Array {
  let capture: Capture | null = null;
  const session = run(options, ({ cluster }) => {
    capture = new Capture(cluster.taps, cluster.world.frames, { ...ALL, snaplen: 256 });
  });
  return join(capture!.file(ABOUT, session.now));
}

Deno.test({
  name: "dissector: a run, seen at wires, NICs and guests' interfaces, has no frame that tshark finds fault with",
  ignore: !HAS_TSHARK,
  fn: async () => {
    // Of a frame that was not kept whole the payload is missing, and that is no fault of it.
    const workload = { kind: "pingpong", sizes: ["8 B", "100 B", "9000 B", "40000 B"], iterations: 1 };
    const file = captured({ path: "bridged", workload: { ...workload, warmup_iterations: 0 }, mtu: 1500 });
    const { decoded, dissected, lines } = await both(file, mxLimits(1500));
    assert.ok(decoded.length > 200);
    compare(decoded, dissected, lines);
  },
});

Deno.test({
  name: "dissector: what is malformed is named by the same words, and only that",
  ignore: !HAS_TSHARK,
  fn: async () => {
    const bench = new CaptureBench(["a-b"]);
    const message = { dstEndpoint: 1, srcEndpoint: 2, libSeqnum: 3, libPiggyack: 4, matchA: 5, matchB: 6, session: 7 };
    let at = 0;
    const show = (length: number, ...emits: ((view: DataView) => unknown)[]) => {
      const view = new DataView(new ArrayBuffer(2048));
      wire.emitHead(view, 0, 0x0200, 2, 0x0200, 1, 1);
      for (const emit of emits) emit(view);
      bench.show(0, 0, ++at * 1e6, new Uint8Array(view.buffer, 0, length));
    };
    const tiny = (length: number) => (view: DataView) => wire.emitTiny(view, 0, { ...message, length, checksum: 0 });
    show(60, tiny(33));
    show(60, tiny(21));
    show(39, tiny(0));
    for (const type of [0, 2, 33, 77]) show(60, (view) => view.setUint8(16, type));
    const truc = (view: DataView) => wire.emitTruc(view, 0, { ...wire.newTrucFields(), acknum: 1 });
    show(60, truc, (view) => view.setUint8(28, 0x56));
    show(60, truc, (view) => view.setUint8(20, 15));
    show(1025, (view) => wire.emitRaw(view, 0, wire.newRawFields()));
    const { decoded, dissected } = await both(bench.file(), mxLimits(9000));
    for (const [i, { status }] of decoded.entries()) {
      assert.notEqual(status, "ok");
      assert.deepEqual(
        dissected[i].remarks.map((text) => text.toLowerCase()),
        [status.toLowerCase()],
        `frame ${i + 1}`,
      );
      assert.equal(dissected[i].severity, SEVERITY_ERROR);
    }
    assert.equal(limitsOf(readCapture(bench.file())).mtu, 9000);
  },
});
