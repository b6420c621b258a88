import assert from "node:assert/strict";
import fc from "fast-check";
import * as wire from "../../../src/mx/wire/mod.ts";
import { codecs } from "./codecs.ts";
import { AT, COMPAT, dirtyView, NORMAL } from "./frames.ts";

for (const codec of codecs) {
  Deno.test(`fields of ${codec.name}: everything that was written, by the wire's own names`, () => {
    fc.assert(
      fc.property(codec.arbitrary, (written) => {
        const view = dirtyView();
        wire.emitHead(view, AT, 0x0200, 2, 0x0200, 1, 7);
        const length = wire.padFrame(view, AT, codec.emit(view, AT, written));
        const found = new Map(wire.fields(view, AT, length, codec.compat ? COMPAT : NORMAL));
        assert.equal(found.get("type"), codec.type);
        assert.equal(found.get("dst_src_peer_index"), 7);
        const parsed = codec.parse(view, AT) as Record<string, number | string | boolean>;
        for (const [name, value] of Object.entries(parsed)) {
          const field = name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
          // A connect has the fields of a request or of a reply, and NACK_LIB a second index.
          if (!found.has(field)) assert.ok(!value, `${field} is missing`);
          else if (field !== "dst_src_peer_index") {
            assert.equal(found.get(field), typeof value === "boolean" ? Number(value) : value, field);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
}
