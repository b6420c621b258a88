import assert from "node:assert/strict";
import { Capture } from "../../src/report/capture.ts";
import { decodeJson, limitsOf, wireText } from "../../src/report/decode.ts";
import { readCapture } from "../../src/report/pcap_reader.ts";
import { ABOUT, ALL, join } from "../support/capture_file.ts";
import { run, type ScenarioOptions } from "../support/scenario.ts";

/*
 * One message of 1 MiB, captured and decoded, against the reference exchange, frame by frame. What is expected is
 * computed here from the sizes of the layout alone: whole frames have at most `mtu` bytes with 32 of header in a pull
 * reply; a block has `replies` of them; four blocks are open.
 */

interface Mode {
  readonly name: string;
  readonly options: Pick<ScenarioOptions, "mtu" | "wire">;
  /** Payload of a full pull reply, and replies in a block. */
  readonly reply: number;
  readonly replies: number;
  /** Known figures of 1 MiB: replies, blocks, length of the last reply. */
  readonly known: readonly [number, number, number];
}

const MODES: readonly Mode[] = [
  { name: "MTU 9000", options: { mtu: 9000 }, reply: 8968, replies: 32, known: [117, 4, 8288] },
  { name: "MTU 1500", options: { mtu: 1500 }, reply: 1468, replies: 32, known: [715, 23, 424] },
  { name: "MX's own wire limits", options: { mtu: 9000, wire: "mx" }, reply: 4096, replies: 8, known: [256, 32, 4096] },
];
const LENGTH = 1 << 20;

interface Decoded {
  readonly packet: string;
  readonly direction: string;
  readonly status: string;
  readonly length: number;
  readonly fields: Record<string, number>;
}

function captured(path: string, options: Mode["options"]): Decoded[] {
  let capture: Capture | null = null;
  const workload = { kind: "stream", size: "1 MiB", messages: 1 };
  const session = run({ path, ...options, workload }, ({ cluster }) => {
    capture = new Capture(cluster.links.map(({ tap }) => tap), cluster.world.frames, ALL);
  });
  const about = { ...ABOUT, comment: wireText(session.cluster.world.mx) };
  const file = readCapture(join(capture!.file(about, session.now)));
  const limits = limitsOf(file);
  assert.deepEqual(limits, session.cluster.world.mx);
  return [...decodeJson(file, { limits, at: [], types: [] })].map((line) => JSON.parse(line));
}

/** What is compared of a frame, as one line: no times, no handles. */
function lineOf({ packet, direction, length, fields: f }: Decoded): string {
  const about: Record<string, string> = {
    RNDV: `length ${f.msg_length}`,
    PULL: `frame ${f.frame_index} block ${f.block_length} skip ${f.first_frame_offset} of ${f.total_length}`,
    PULL_REPLY: `frame ${f.frame_seqnum} offset ${f.msg_offset} length ${f.frame_length}`,
    NOTIFY: `length ${f.total_length}`,
  };
  return `${direction} ${packet} ${about[packet]}, ${length} bytes`;
}

/** The exchange by the reference's arithmetic (1.5, and 7 item 5), in the order of each direction. */
function expected({ reply, replies }: Mode, there: string, back: string): Record<"there" | "back", string[]> {
  const blockMax = reply * replies;
  const blocks = Array.from(
    { length: Math.ceil(LENGTH / blockMax) },
    (_, i) => Math.min(blockMax, LENGTH - i * blockMax),
  );
  const sizes = Array.from({ length: Math.ceil(LENGTH / reply) }, (_, i) => Math.min(reply, LENGTH - i * reply));
  return {
    there: [
      `${there} RNDV length ${LENGTH}, 60 bytes`,
      ...sizes.map((size, i) =>
        `${there} PULL_REPLY frame ${i % 256} offset ${i * reply} length ${size}, ${Math.max(60, 32 + size)} bytes`
      ),
    ],
    back: [
      ...blocks.map((size, i) => `${back} PULL frame ${i * replies} block ${size} skip 0 of ${LENGTH}, 60 bytes`),
      `${back} NOTIFY length ${LENGTH}, 60 bytes`,
    ],
  };
}

for (const mode of MODES) {
  for (const path of ["native", "xen2mx", "bridged"]) {
    Deno.test(`one mebibyte over ${path} at ${mode.name} is the reference exchange, frame by frame`, () => {
      const frames = captured(path, mode.options);
      assert.ok(frames.every(({ status }) => status === "ok"));
      const first = frames.findIndex(({ packet }) => packet === "RNDV");
      const last = frames.findIndex(({ packet }) => packet === "NOTIFY");
      const there = frames[first].direction;
      const back = there === "out" ? "in" : "out";
      const types = ["RNDV", "PULL", "PULL_REPLY", "NOTIFY"];
      const exchange = frames.slice(first, last + 1).filter(({ packet }) => types.includes(packet));
      const lines = exchange.map(lineOf);
      const wanted = expected(mode, there, back);
      assert.deepEqual(lines.filter((line) => line.startsWith(`${there} `)), wanted.there);
      assert.deepEqual(lines.filter((line) => line.startsWith(`${back} `)), wanted.back);
      assert.deepEqual([wanted.there.length - 1, wanted.back.length - 1], mode.known.slice(0, 2));
      assert.match(wanted.there[wanted.there.length - 1], new RegExp(`length ${mode.known[2]},`));

      // No block is asked for before the one four before it is complete.
      let received = 0;
      for (const { packet, fields } of exchange) {
        if (packet === "PULL_REPLY") received++;
        if (packet === "PULL") {
          assert.ok(fields.frame_index - 3 * mode.replies <= received, `frame ${fields.frame_index}`);
        }
      }
      const rndv = exchange[0].fields;
      const notify = exchange[exchange.length - 1].fields;
      assert.deepEqual([notify.pulled_rdma_id, notify.pulled_rdma_seqnum], [
        rndv.pulled_rdma_id,
        rndv.pulled_rdma_seqnum,
      ]);
      // It acknowledges the rendezvous, and the word of the workload that follows it.
      const said = frames.slice(0, last).filter(({ packet, direction }) => packet === "TINY" && direction === there);
      assert.equal(notify.lib_piggyack, Math.max(rndv.lib_seqnum, ...said.map(({ fields }) => fields.lib_seqnum)) + 1);
      for (const { packet, fields } of exchange) {
        if (packet !== "PULL") continue;
        assert.deepEqual([fields.pulled_rdma_id, fields.pulled_rdma_seqnum], [
          rndv.pulled_rdma_id,
          rndv.pulled_rdma_seqnum,
        ]);
      }
    });
  }
}
