import assert from "node:assert/strict";
import * as count from "../../src/mx/driver/counters.ts";
import { OmxDriver } from "../../src/mx/driver/driver.ts";
import { Capture } from "../../src/report/capture.ts";
import { decodeJson, limitsOf, wireText } from "../../src/report/decode.ts";
import { readCapture } from "../../src/report/pcap_reader.ts";
import { ABOUT, ALL, join } from "../support/capture_file.ts";
import { run, type ScenarioOptions, totals } from "../support/scenario.ts";

/* What was sent again, counted in a capture of a lossy wire, is what library and drivers say that they sent again. */

interface Decoded {
  readonly packet: string;
  readonly comments: readonly string[];
  readonly fields: Record<string, number | string>;
}

/** A run with a capture of its wire, and the drivers that have opened an endpoint in it. */
function captured(options: ScenarioOptions) {
  const drivers = new Set<OmxDriver>();
  const { open } = OmxDriver.prototype;
  OmxDriver.prototype.open = function (...args: Parameters<typeof open>) {
    drivers.add(this);
    return open.apply(this, args);
  };
  try {
    let capture: Capture | null = null;
    const session = run(options, ({ cluster }) => {
      capture = new Capture(cluster.links.map(({ tap }) => tap), cluster.world.frames, { ...ALL, snaplen: 64 });
    });
    // What was sent again last is still on its way to the wire when the programs have ended.
    assert.deepEqual(session.drain(), []);
    const about = { ...ABOUT, comment: wireText(session.cluster.world.mx) };
    const file = readCapture(join(capture!.file(about, session.now)));
    const decoding = { limits: limitsOf(file), at: [], types: [] };
    const frames = [...decodeJson(file, decoding)].map((line) => JSON.parse(line) as Decoded);
    const counted = (...labels: number[]) =>
      [...drivers].reduce((sum, { counters }) => sum + labels.reduce((all, label) => all + counters[label], 0), 0);
    return { session, frames, counted };
  } finally {
    OmxDriver.prototype.open = open;
  }
}

/** Frames beyond the first one with the same key. */
function again(frames: readonly Decoded[], keyOf: (frame: Decoded) => string): number {
  return frames.length - new Set(frames.map(keyOf)).size;
}

/** One frame for each transmission of a message that has a number: of a medium, its first fragment. */
function messagesOf(frames: readonly Decoded[]): Decoded[] {
  const numbered = ["TINY", "SMALL", "MEDIUM", "RNDV", "NOTIFY"];
  return frames.filter(({ packet, fields }) => numbered.includes(packet) && (fields.frag_seqnum ?? 0) === 0);
}

const flow = ({ fields: { src, dst, src_endpoint, dst_endpoint } }: Decoded) =>
  `${src}/${src_endpoint} ${dst}/${dst_endpoint}`;

for (const path of ["native", "bridged"]) {
  Deno.test(`${path}: at 1 % loss the wire shows the resends that are counted`, () => {
    for (const [size, messages] of [["16 B", 150], ["20000 B", 60], ["70000 B", 60]] as const) {
      const workload = { kind: "stream", size, messages, direction: "both-ways" };
      const { session, frames, counted } = captured({ path, loss: 0.01, workload });
      const about = `${path}, ${size}`;
      const resent = again(messagesOf(frames), (frame) => `${flow(frame)} ${frame.fields.lib_seqnum}`);
      assert.equal(resent, totals(session).retransmits, about);
      assert.ok(resent > 0, `${about}: nothing was lost that matters`);

      const pulls = frames.filter(({ packet }) => packet === "PULL");
      assert.equal(pulls.length, counted(count.SEND_PULL_REQUEST), about);
      const block = ({ fields: f }: Decoded) => `${f.src} ${f.src_magic} ${f.src_pull_handle} ${f.frame_index}`;
      const repeated = again(pulls, block);
      // A pull of 70000 bytes is one block: whatever goes beyond one request for each message was asked for again.
      const larges = new Set(
        frames.filter(({ packet }) => packet === "RNDV").map((f) => `${flow(f)} ${f.fields.lib_seqnum}`),
      );
      assert.equal(repeated, counted(count.SEND_PULL_REQUEST) - larges.size, about);
      assert.equal(repeated, counted(count.PULL_TIMEOUT_FIRST, count.PULL_TIMEOUT_NON_FIRST), about);
      assert.equal(repeated > 0, size === "70000 B", about);
      const lost = frames.filter(({ comments }) => comments.includes("lost on the wire")).length;
      assert.equal(
        lost,
        session.cluster.links[0].directions.reduce((sum, direction) => sum + direction.lost, 0),
        about,
      );
    }
  });
}
