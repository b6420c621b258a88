import assert from "node:assert/strict";
import { Prng } from "../../src/base/prng.ts";
import type { WirePort } from "../../src/hw/link.ts";
import * as wire from "../../src/mx/wire/mod.ts";
import { PATHS } from "../../src/path/registry.ts";
import { codecs } from "../mx/wire/codecs.ts";
import { payloadOf } from "../support/protocol.ts";
import { run, type ScenarioOptions, totals } from "../support/scenario.ts";
import { readFrame } from "../support/wire.ts";

/* Real frames carry whatever a buffer held in pads, in src_generation and in checksums: no receiver cares (invariant 3). */

const CHECKSUMS: Record<number, number[]> = {
  [wire.PACKET_TINY]: [22, 23],
  [wire.PACKET_SMALL]: [22, 23],
  [wire.PACKET_MEDIUM]: [44, 45],
};

/** Writes noise into every byte of arriving frames that means nothing. Returns how many bytes that were. */
function soil(options: ScenarioOptions, random: Prng | null): { fingerprint: string; sums: object; soiled: number } {
  let soiled = 0;
  const session = run(options, ({ cluster }) => {
    const { frames, mx, memory } = cluster.world;
    for (const { directions } of cluster.links) {
      for (const { to } of directions) {
        const port = to as WirePort;
        const receive = port.receive.bind(port);
        port.receive = (frame: number) => {
          const seen = readFrame(frames, frame, mx, { link: 0, side: 0, at: 0 });
          const codec = codecs.find(({ type, compat }) => type === seen.type && compat === mx.compat)!;
          const used = wire.headerLength(seen.type, mx.compat) + payloadOf(seen);
          const tail = Array.from({ length: Math.max(0, seen.bytes.length - used) }, (_, i) => used + i);
          for (const at of [...codec.pads, ...CHECKSUMS[seen.type] ?? [], ...tail]) {
            if (random !== null) memory.u8[frames.at(frame) + at] = random.below(256);
            soiled++;
          }
          receive(frame);
        };
      }
    }
  });
  return { fingerprint: session.fingerprint, sums: totals(session), soiled };
}

for (const { name: path } of PATHS) {
  Deno.test(`${path}: noise in pads, generations and checksums changes no event`, () => {
    const sizes = [0, 20, 32, 33, 128, 129, 20_000, 40_000].map((size) => `${size} B`);
    const workload = { kind: "pingpong", sizes, iterations: 2, warmup_iterations: 0 };
    const clean = soil({ path, workload, seed: 5 }, null);
    assert.deepEqual(soil({ path, workload, seed: 5 }, new Prng(1, "soil")), clean);
    assert.ok(clean.soiled > 500, "there was something to write");
  });
}
