import assert from "node:assert/strict";
import { Lab } from "../../src/report/study/lab.ts";

Deno.test("a stream of the study is steady when its window opens: what queued up at the start is not counted", () => {
  const lab = new Lab("test");
  const costs = { txQueueLength: 32768 };
  for (const path of ["native", "iov"]) {
    const { throughput_MBps } = lab.stream(path, "vhpc12", 16 * 1024, 40, { costs }).totals;
    // Eager fragments of 4 KiB leave at most 99 % of 1250 MB/s.
    assert(throughput_MBps > 1100 && throughput_MBps < 1240, `${path}: ${throughput_MBps} MB/s`);
  }
});
