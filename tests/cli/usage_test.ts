import assert from "node:assert/strict";
import { mxtop, Series } from "./spawn.ts";
import { matchSnapshot } from "../support/snapshot.ts";

/*
 * Wrong use, through the real program: exit code 2, nothing on stdout, one clear message on stderr, no stack trace,
 * no prompt, no permission.
 */

let plain: Series;
Deno.test.beforeAll(() => {
  plain = new Series();
});
Deno.test.afterAll(() => plain[Symbol.asyncDispose]());

const WRONG: [title: string, args: string[], stderr: string | RegExp][] = [
  ["unknown command", ["rnu", "pingpong-tiny"], "mxtop: unknown command 'rnu'; did you mean run?\n"],
  [
    "scenario in the place of a command",
    ["scale-40-vms"],
    "mxtop: unknown command 'scale-40-vms'; wanted: mxtop run scale-40-vms, or mxtop dash scale-40-vms\n",
  ],
  [
    "unknown option",
    ["run", "pingpong-tiny", "--sed", "3"],
    "mxtop: unknown option '--sed'; did you mean one of --seed, --set?\n",
  ],
  [
    "counters in a format that has no room for them",
    ["run", "pingpong-tiny", "--counters", "--format", "csv"],
    "mxtop: --counters goes with --format table, found csv; json has them in hosts[].boards[]\n",
  ],
  [
    "verdicts of what has none",
    ["reproduce", "--only", "latency-16k", "--junit", "r.xml"],
    "mxtop: --junit: found only figures in --only, which have no verdict; wanted a result or a claim too\n",
  ],
  [
    "a series in a format that has no room for it",
    ["run", "pingpong-tiny", "--interval", "1 ms"],
    "mxtop: --interval goes with --format json, ndjson, csv; found table\n",
  ],
  [
    "an interval without a unit",
    ["run", "pingpong-tiny", "--interval", "10", "--format", "csv"],
    'mxtop: --interval: found "10", wanted a time such as 300 ns or 20 ms (with its unit)\n',
  ],
  [
    "an interval in which nothing can happen",
    ["run", "pingpong-tiny", "--interval", "0 s", "--format", "csv"],
    'mxtop: --interval: found "0 s", wanted at least 10 ns\n',
  ],
  [
    "more intervals than one value holds",
    ["run", "pingpong-tiny", "--interval", "10 us", "--format", "json"],
    "mxtop: --interval: found 10 us, which makes 1000000 intervals of 2 guests; " +
    "wanted at most 50000 in json, or --format ndjson\n",
  ],
  [
    "a tag that nobody knows, in an option",
    ["run", "pingpong-tiny", "--set", "title=!x y"],
    "--set title: not valid YAML: Unresolved tag: !x\n",
  ],
  [
    "a number beyond all",
    ["run", "pingpong-tiny", "--set", "seed=.inf"],
    "--set seed: found Infinity, wanted a whole number, 0 to 9007199254740991\n",
  ],
  [
    "a fault after the end of time",
    ["run", "pingpong-tiny", "--set", "faults=[{at: 9000 s, for: 8 s, guest: vm01, crash: true}]"],
    "--set faults: faults[0].for: at and for together pass 9007 s (2^53 ps), the end of virtual time\n",
  ],
  [
    "an argument that is for nothing",
    ["list", "machines", "pingpong-tiny"],
    "mxtop: list machines: found pingpong-tiny too, wanted nothing, or list taps pingpong-tiny\n",
  ],
  ["missing scenario", ["run"], "mxtop: missing required argument 'scenario' (or --program with a file)\n"],
  [
    "unknown scenario",
    ["run", "pinpong-tiny"],
    'mxtop: unknown scenario "pinpong-tiny"; did you mean pingpong-tiny? (the name of a file ends in .yaml)\n',
  ],
  ["zero guests", ["run", "scale-40-vms", "--guests", "0"], "--guests: found 0, wanted 1 to 4096\n"],
  ["too many guests", ["run", "scale-40-vms", "--guests", "4097"], "--guests: found 4097, wanted 1 to 4096\n"],
  [
    "wrong unit",
    ["run", "throughput-4m", "--set", "workload.size=4 MiBs"],
    '--set workload.size: found "4 MiBs", wanted a size such as 512 KiB\n',
  ],
  [
    "negative size",
    ["run", "throughput-4m", "--set", "workload.size=-4 KiB"],
    '--set workload.size: found "-4 KiB", wanted a size such as 512 KiB, not below 0\n',
  ],
  [
    "time without unit",
    ["run", "throughput-4m", "--duration", "10"],
    '--duration: found "10", wanted a time such as 300 ns or 20 ms (with its unit)\n',
  ],
  [
    "misspelt key",
    ["run", "throughput-4m", "--set", "warmpu=1 ms"],
    '--set warmpu: unknown key "warmpu"; did you mean warmup?\n',
  ],
  [
    "unknown metric in a threshold",
    ["run", "throughput-4m", "--set", "thresholds=[latency_us.p98 < 5]"],
    '--set thresholds: thresholds[0]: unknown metric "latency_us.p98": no "p98"; did you mean p90?\n',
  ],
  [
    "a user's file without permission or terminal",
    ["run", "my.yaml"],
    "mxtop: my.yaml: no permission to read it; wanted: deno run --allow-read=my.yaml main.ts ...\n",
  ],
  [
    "a result file without permission or terminal",
    ["run", "pingpong-tiny", "--out", "r/result.json"],
    "mxtop: r/result.json: no permission to write it; wanted: deno run --allow-write=r main.ts ...\n",
  ],
  [
    "a trace that begins at no time",
    ["run", "pingpong-tiny", "--trace", "t.json", "--trace-from", "5"],
    'mxtop: --trace-from: found "5", wanted a time such as 300 ns or 20 ms (with its unit)\n',
  ],
  [
    "a stretch of no trace",
    ["run", "pingpong-tiny", "--trace-for", "1 ms"],
    "mxtop: --trace-for: found it without --trace; wanted both\n",
  ],
  [
    "an option of a capture without a capture",
    ["run", "pingpong-tiny", "--pcap-at", "a-b"],
    "mxtop: --pcap-at: found it without --pcap; wanted --pcap <file> too\n",
  ],
  [
    "a capture that keeps nothing",
    ["run", "pingpong-tiny", "--pcap", "x.pcapng", "--pcap-snaplen", "0"],
    "mxtop: --pcap-snaplen: found 0, wanted more\n",
  ],
  [
    "two results in one file",
    ["run", "pingpong-tiny", "--out", "x", "--junit", "./x"],
    "mxtop: --junit: found ./x, which --out writes; wanted another file\n",
  ],
  [
    "taps of nothing",
    ["list", "taps"],
    "mxtop: list taps: found no scenario; wanted mxtop list taps <scenario>\n",
  ],
  [
    "a path of no taps",
    ["list", "paths", "--path", "iov"],
    "mxtop: --path: found it without taps, wanted list taps\n",
  ],
  [
    "decode of an unknown type",
    ["decode", "x.pcapng", "--type", "TINI"],
    /^mxtop: --type: unknown type 'TINI'; did you mean TINY\?; wanted NONE, RAW, /,
  ],
  [
    "a what-if of what one message does not have",
    ["explain", "xen2mx", "--set", "hypercall=400"],
    '--set hypercall: one message has no "hypercall"; did you mean costs.hypercall?\n',
  ],
  [
    "a path compared with itself",
    ["explain", "xen2mx", "--against", "xen2mx"],
    "mxtop: --against: found xen2mx itself, wanted another path; " +
    "--set alone is compared with the path as it is\n",
  ],
  [
    "a size in two units",
    ["explain", "native", "--size", "1 KiB", "--size", "1024 B"],
    "mxtop: --size: found 1 KiB twice, wanted each size once\n",
  ],
  [
    "a message that takes too long",
    ["explain", "native", "--size", "1 MiB", "--set", "link.rate=1 Mb/s"],
    "mxtop: native: messages of 1 MiB: a few of them take more than 10 s; wanted lower costs, or less to send\n",
  ],
  [
    "dashboard without a terminal",
    [],
    "mxtop: the dashboard needs a terminal; use `mxtop run <scenario>` without one\n",
  ],
  [
    "unknown list",
    ["list", "foo"],
    'mxtop: what: found "foo", wanted scenarios, paths, workloads, machines, mechanisms, costs, metrics, taps or ' +
    "schema\n",
  ],
  [
    "misspelt list",
    ["list", "metric"],
    /^mxtop: what: found "metric", wanted scenarios, .* or schema; did you mean metrics\?\n$/,
  ],
  [
    "a value in two words",
    ["run", "pingpong-tiny", "--duration", "20", "ms"],
    "mxtop: run: found pingpong-tiny, ms; wanted 1 argument at most, and quotes round a value with a space, " +
    "such as '20 ms'\n",
  ],
  [
    "misspelt format",
    ["run", "pingpong-tiny", "--format", "cvs"],
    'mxtop: --format: found "cvs", wanted table, json, ndjson, csv, markdown or html; did you mean csv?\n',
  ],
  [
    "a file of no name for a sweep",
    ["sweep", "pingpong-tiny", "--over", "seed=1,2", "--out", ""],
    "mxtop: --out: found an empty name, wanted a file\n",
  ],
  [
    "a file of no name",
    ["run", "pingpong-tiny", "--interval", "1 ms", "--format", "csv", "--out", ""],
    "mxtop: --out: found an empty name, wanted a file\n",
  ],
];
for (const [title, args, stderr] of WRONG) {
  Deno.test(`wrong use: ${title}`, async () => {
    const outcome = await plain.run(args);
    assert.deepEqual([outcome.code, outcome.stdout], [2, ""]);
    if (typeof stderr === "string") assert.equal(outcome.stderr, stderr);
    else assert.match(outcome.stderr, stderr);
  });
}

Deno.test("wrong use ends a process of its own the same way", async () => {
  const [title, args, stderr] = WRONG[0];
  assert.deepEqual(await mxtop(args), { code: 2, stdout: "", stderr }, title);
});

Deno.test("wrong use: unknown path", async () => {
  const { code, stderr } = await plain.run(["run", "pingpong-tiny", "--path", "xen2mxx"]);
  assert.equal(code, 2);
  assert.match(stderr, /^--path: found "xen2mxx", wanted a path: .*; did you mean xen2mx\?\n$/);
});

Deno.test("bad files: each is refused with one message", async (t) => {
  const directory = await Deno.makeTempDir();
  await using series = new Series({ permissions: ["--allow-read"], cwd: directory });
  const refuse = async (name: string, content: string | Uint8Array | null, stderr: string | RegExp) => {
    await t.step(name, async () => {
      if (content !== null) await Deno.writeFile(`${directory}/${name}`, bytesOf(content));
      const outcome = await series.run(["run", name]);
      assert.equal(outcome.code, 2);
      assert.equal(outcome.stdout, "");
      if (typeof stderr === "string") assert.equal(outcome.stderr, `${stderr}\n`);
      else assert.match(outcome.stderr, stderr);
    });
  };
  await Deno.mkdir(`${directory}/folder.yaml`);
  await refuse("missing.yaml", null, "mxtop: missing.yaml: no such file or directory");
  await refuse("folder.yaml", null, "mxtop: folder.yaml: not a file; wanted a scenario in YAML");
  await refuse(
    "binary.yaml",
    new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]),
    "mxtop: binary.yaml: a binary file, or not UTF-8; wanted a scenario in YAML",
  );
  await refuse(
    "latin1.yaml",
    new Uint8Array([0x6e, 0xe9]),
    "mxtop: latin1.yaml: a binary file, or not UTF-8; wanted a scenario in YAML",
  );
  await refuse("large.yaml", "#".repeat(2 << 20), "mxtop: large.yaml: found 2097152 bytes, wanted at most 1 MiB");
  await refuse(
    "twins.yaml",
    "hosts: [{name: a}, {name: a}]\nworkload: {kind: stream}\n",
    'twins.yaml:1:27: hosts[1].name: found "a" twice, wanted a name for each',
  );
  if (Deno.uid() !== 0) {
    await Deno.writeTextFile(`${directory}/secret.yaml`, "a: 1", { mode: 0 });
    await refuse("secret.yaml", null, "mxtop: secret.yaml: permission denied");
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("help is the whole surface of the command line", async (t) => {
  for (
    const args of [
      ["--help"],
      ["run", "--help"],
      ["sweep", "--help"],
      ["sensitivity", "--help"],
      ["reproduce", "--help"],
      ["replay", "--help"],
      ["list", "--help"],
      ["explain", "--help"],
      ["dash", "--help"],
      [
        "decode",
        "--help",
      ],
    ]
  ) {
    const { code, stdout, stderr } = await plain.run(args);
    assert.deepEqual([code, stderr], [0, ""]);
    await matchSnapshot(t, import.meta, stdout, args.join(" "));
  }
});

Deno.test("list names everything that the other commands take", async () => {
  const { code, stdout } = await plain.run(["list"]);
  assert.equal(code, 0);
  for (const name of ["scale-40-vms", "native", "xen2mx", "pingpong", "stream", "vhpc12"]) {
    assert.match(stdout, new RegExp(`^  (\\d+ +)?${name} `, "m"));
  }
  assert.match((await plain.run(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
