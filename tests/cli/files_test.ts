import assert from "node:assert/strict";
import { demandApart, OutputFile } from "../../src/cli/files.ts";
import { filesRead } from "../../src/cli/run_input.ts";

Deno.test("no file is written twice, and none that is read; a device may be", () => {
  demandApart({ out: "a", junit: "b", log: undefined, pcap: "c/../a2" }, ["d.yaml"]);
  demandApart({ out: "/dev/null", junit: "/dev/null" });
  const message = "--pcap: found r/./a, which --out writes; wanted another file";
  assert.throws(() => demandApart({ out: "r/a", pcap: "r/./a" }), { name: "UsageError", message });
  const onto = "--out: found ./my.yaml, which is read; wanted another file";
  assert.throws(() => demandApart({ out: "./my.yaml" }, filesRead("my.yaml", null)), { message: onto });
  assert.throws(
    () => demandApart({ trace: "p.ts" }, filesRead("pingpong-tiny", { files: ["p.ts", "lib.ts"] })),
    /--trace: found p.ts/,
  );
});

Deno.test("a file is known by all of its names", () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/my.yaml`, "");
    Deno.mkdirSync(`${folder}/in`);
    Deno.symlinkSync("my.yaml", `${folder}/link.yaml`);
    Deno.symlinkSync(".", `${folder}/here`);
    for (const name of ["my.yaml", "link.yaml", "here/my.yaml", "in/../my.yaml"]) {
      const path = `${folder}/${name}`;
      assert.throws(() => demandApart({ out: path }, [`${folder}/my.yaml`]), /which is read; wanted another file$/);
    }
    const twice = { out: `${folder}/new.json`, junit: `${folder}/here/new.json` }; // not there yet
    assert.throws(() => demandApart(twice), /^UsageError: --junit: .*, which --out writes; wanted another file$/);
    demandApart({ out: `${folder}/new.json`, junit: `${folder}/in/new.json` });
    // Links to a file that is not there yet, and to each other.
    Deno.symlinkSync("later.json", `${folder}/first`);
    Deno.symlinkSync("here/first", `${folder}/second`);
    Deno.symlinkSync("round", `${folder}/round`);
    for (const out of ["first", "second"]) {
      const both = { out: `${folder}/${out}`, junit: `${folder}/later.json` };
      assert.throws(() => demandApart(both), /^UsageError: --junit: .*, which --out writes; wanted another file$/);
    }
    demandApart({ out: `${folder}/first`, junit: `${folder}/round` });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the file of a built-in scenario is read too", () => {
  const out = new URL("../../scenarios/pingpong-tiny.yaml", import.meta.url).pathname;
  assert.throws(() => demandApart({ out }, filesRead("pingpong-tiny", null)), /which is read; wanted another file$/);
  demandApart({ out }, filesRead("scale-40-vms", null));
});

Deno.test("a place that cannot be written to is refused before the run", () => {
  const file = Deno.makeTempFileSync();
  try {
    assert.throws(() => new OutputFile(""), /found an empty name/);
    assert.throws(() => new OutputFile(`${file}/x`), /x: a part of its path is not a directory$/);
    assert.throws(() => new OutputFile(`${file}.d/x`), /no such file or directory$/);
    assert.throws(() => new OutputFile(`${file}${"x".repeat(250)}`), /File name too long \(os error \d+\)$/);
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("a place is tried without a trace, and a name may be as long as names may be", () => {
  const folder = Deno.makeTempDirSync();
  const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
  try {
    const path = `${folder}/${"x".repeat(255)}`;
    const file = new OutputFile(path);
    assert.deepEqual(names(), []);
    file.write("one");
    new OutputFile(path);
    assert.equal(Deno.readTextFileSync(path), "one");
    file.write(["t", "wo"]);
    assert.deepEqual([names().length, Deno.readTextFileSync(path)], [1, "two"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
