import assert from "node:assert/strict";
import { Series } from "./spawn.ts";

/*
 * `run --pcap` and `decode`, through the real program.
 */

const TINY = ["run", "pingpong-tiny", "--set", "workload.iterations=3", "--format", "json"];
const permissions = ["--allow-read", "--allow-write"];

Deno.test("a capture is written and read back; the result is that of a run without one", async (t) => {
  const cwd = await Deno.makeTempDir();
  try {
    await using series = new Series({ permissions, cwd });
    const mxtop = series.run;
    const plain = await mxtop(TINY);
    const captured = await mxtop([...TINY, "--pcap", "a.pcapng", "--pcap-at", "*"]);
    const result = (text: string) => text.replace(/"wall": \{[^}]*\}/, "");
    assert.equal(result(captured.stdout), result(plain.stdout));
    assert.match(captured.stderr, /^mxtop: \d+ frames in a\.pcapng\n$/);
    assert.deepEqual([...Deno.readDirSync(cwd)].map(({ name }) => name), ["a.pcapng"]);

    await t.step("as text", async () => {
      const { code, stdout, stderr } = await mxtop(["decode", "a.pcapng", "--at", "a-b", "--type", "connect"]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^(\d\.\d{9} a-b +(out|in ) .*MX CONNECT .*, frame 60\n)+$/);
    });
    await t.step("as JSON", async () => {
      const { stdout } = await mxtop(["decode", "a.pcapng", "--format", "json", "--type", "TINY"]);
      const frames = JSON.parse(stdout);
      assert.ok(frames.length > 10 && frames.every(({ packet }: { packet: string }) => packet === "TINY"));
      const none = await mxtop(["decode", "a.pcapng", "--format", "json", "--type", "RAW"]);
      assert.deepEqual([none.code, JSON.parse(none.stdout)], [0, []]);
    });
    await t.step("cut short: what is there, and a remark", async () => {
      const bytes = await Deno.readFile(`${cwd}/a.pcapng`);
      await Deno.writeFile(`${cwd}/cut.pcapng`, bytes.subarray(0, bytes.length - 500));
      const { code, stdout, stderr } = await mxtop(["decode", "cut.pcapng"]);
      assert.equal(code, 0);
      assert.ok(stdout.split("\n").length > 10);
      assert.match(stderr, /^mxtop: cut\.pcapng: the file ends inside a block .*; what comes before is shown\n$/);
    });
    await t.step("what is no capture, or has no such place: exit code 2", async () => {
      await Deno.writeTextFile(`${cwd}/x`, "name: x\n");
      const no = await mxtop(["decode", "x"]);
      const found = "found 8 bytes that begin with 6e 61 6d 65";
      assert.deepEqual(no, { code: 2, stdout: "", stderr: `mxtop: x: ${found}; wanted a capture, pcapng or pcap\n` });
      const at = await mxtop(["decode", "a.pcapng", "--at", "a-c"]);
      const wanted = "wanted one of a-b, a/nic, b/nic";
      assert.equal(at.stderr, `mxtop: --at: nothing is called 'a-c'; did you mean a-b?; ${wanted}\n`);
      const run = await mxtop([...TINY, "--pcap", "b.pcapng", "--pcap-at", "vm*/eth0"]);
      assert.deepEqual([run.code, run.stdout], [2, ""]);
      assert.equal(run.stderr, `mxtop: --pcap-at: nothing is called 'vm*/eth0'; ${wanted}\n`);
    });
    await t.step("a limit leaves frames out, and says so even when quiet", async () => {
      const limited = [...TINY, "--quiet", "--pcap", "l.pcapng", "--pcap-limit", "1 KiB"];
      const { code, stderr } = await mxtop(limited);
      assert.equal(code, 0);
      assert.match(stderr, /^mxtop: l\.pcapng: \d+ frames are not in it; --pcap-limit is 1 KiB\n$/);
    });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
