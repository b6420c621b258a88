import assert from "node:assert/strict";
import { demandApart } from "../../src/cli/files.ts";
import { filesRead } from "../../src/cli/run_input.ts";

Deno.test("no file is written twice, and none that is read; a device may be", () => {
  demandApart({ out: "a", junit: "b", log: undefined, pcap: "c/../a2" }, ["d.yaml"]);
  demandApart({ out: "/dev/null", junit: "/dev/null" });
  const message = "--pcap: found r/./a, which --out writes; wanted another file";
  assert.throws(() => demandApart({ out: "r/a", pcap: "r/./a" }), { name: "UsageError", message });
  const onto = "--out: found ./my.yaml, which is read; wanted another file";
  assert.throws(() => demandApart({ out: "./my.yaml" }, filesRead("my.yaml", undefined)), { message: onto });
  assert.throws(() => demandApart({ trace: "p.ts" }, filesRead("pingpong-tiny", "p.ts")), /--trace: found p.ts/);
});
