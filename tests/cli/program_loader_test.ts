import assert from "node:assert/strict";
import { EditedText } from "../../src/cli/program_edits.ts";
import { openProgram } from "../../src/cli/program_loader.ts";
import { missingRank } from "../../src/cli/run_input.ts";
import { MS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { programScenario } from "../support/program.ts";
import { failure, outcome, refusal, withProgram } from "./program_files.ts";

const GUEST = 'import type { Guest } from "mxtop";\n';

Deno.test("a program that cannot be loaded: file, line, column, and what is wanted", async () => {
  const wrong: [Record<string, string>, string | RegExp][] = [
    [{ "main.ts": "export default function* () {\n  let x = ;\n}" }, "main.ts:2:11: not TypeScript: Unexpected token"],
    [{ "main.ts": 'import { MX_SUCCES } from "mxtop";\nMX_SUCCES;' }, /^main\.ts:1:\d+: .*no export "MX_SUCCES"$/],
    [{ "main.ts": 'import fs from "node:fs";' }, /^main\.ts:1:16: found import "node:fs", wanted "mxtop" or a file/],
    [{ "main.ts": '\nexport * from "npm:zod";' }, /^main\.ts:2:15: found import "npm:zod"/],
    [{ "main.ts": 'import { x } from "./x.ts";' }, "x.ts: no such file or directory"],
    [
      { "main.ts": 'import { x } from "./lib/x.ts"; x;', "lib/x.ts": '\nimport "../main.ts"; export const x = 1;' },
      'lib/x.ts:2:8: "../main.ts" imports this module again; wanted imports without a cycle',
    ],
    [
      { "main.ts": '\nimport d from "./x.json" with { type: "json" };' },
      "main.ts:2:1: found import attributes, wanted an import of a program's module alone",
    ],
    [{ "main.ts": "export const a = 1;\nnothing.at.all();" }, "main.ts:2:1: ReferenceError: nothing is not defined"],
    [{ "main.ts": "export async function rank0() {}" }, /^main\.ts:1:8: async and await are not for guest programs/],
    [{ "main.ts": "const x = await 3;" }, /^main\.ts:1:11: async and await/],
    [{ "main.ts": "eval('1');" }, /^main\.ts:1:1: eval is not for guest programs/],
    [{ "main.ts": "const x = import('./y.ts');" }, /^main\.ts:1:11: import\(\) is not/],
    [{ "main.ts": "for (;;) ;" }, /^main\.ts:1:1: a loop ran 20000000 turns/],
    [{ "main.ts": "const t = Date.now();" }, /^main\.ts:1:16: Date is not there in a guest program/],
    [{ "main.ts": 'export const memory = "4 PiB";' }, /^main\.ts: export memory: found "4 PiB", wanted a size from/],
    [{ "main.ts": "export const guests = 0;" }, "main.ts: export guests: found 0, wanted 1 to 4096"],
  ];
  for (const [files, text] of wrong) {
    const message = await refusal(files);
    if (typeof text === "string") assert.equal(message, text);
    else assert.match(message, text);
  }
});

Deno.test("which rank runs what, and what a program says of itself", async () => {
  const text = "export const memory = '1 MiB'; export const guests = 3;\n" +
    "export function* rank0() {}\nexport function* rank2() {}";
  await withProgram({ "main.ts": text }, async (file) => {
    const program = await openProgram(file);
    assert.deepEqual([program.memoryBytes, program.guests], [1 << 20, 3]);
    assert.deepEqual([0, 1, 2].map((rank) => program.has(rank)), [true, false, true]);
    assert.equal(missingRank(program, 1), null);
    assert.match(
      missingRank(program, 3)!,
      /no program for rank 1 of 3; wanted export default function\* \(guest\), or/,
    );
  });
});

Deno.test("an error has its own file, line and column, in a file that is imported too", async () => {
  const throws = (body: string) => failure(`${GUEST}export default function* (guest: Guest) {\n${body}\n}`);
  assert.equal(await throws('  for (const x of [1]) if (x) throw new Error("no");'), "main.ts:3:37: no");
  assert.equal(await throws("  const o: any = {};\n  o.f();"), "main.ts:4:5: TypeError: o.f is not a function");
  assert.equal(await throws('  throw "text";'), "main.ts:3:3: threw text");
  assert.equal(
    await throws("  yield 1.5;"),
    "main.ts:3:3: yield without a star: wanted yield* and a call of the library",
  );
  // Where the stack ends is the engine's affair: in the call, or in the head of what is called.
  assert.match(
    (await throws("  const f = (): number => f() + 1;\n  f();"))!,
    /^main\.ts:3:(13|27): recursion without end/,
  );
  assert.match((await throws("  Math.random();"))!, /^main\.ts:3:8: Math\.random is not there .* guest\.random\(\)/);
  assert.match((await throws("  new Promise(() => {});"))!, /^main\.ts:3:3: Promise is not there/);
  assert.match((await throws("  guest.alloc(1e9);"))!, /^main\.ts:3:9: alloc: found 1000000000 bytes/);
  const deep = 'export function deep() {\n  /* é */ throw new Error("below");\n}';
  const text = 'import { deep } from "./lib/deep.ts"; export default function* () { deep(); }';
  assert.equal(await failure(text, { "lib/deep.ts": deep }), "lib/deep.ts:2:17: below");
});

Deno.test("loops of every kind are stopped, at their own line", async () => {
  const loops = [
    "for (;;);",
    "while (true) { }",
    "do n++; while (n > 0);",
    "outer: for (;;) { for (const x of [1]) continue outer; }",
    "for (const x of (function* () { for (;;) yield 1; })()) n += x;",
    "while (true) if (n < 0) break; else n++;",
  ];
  for (const loop of loops) {
    const text = `${GUEST}export default function* (guest: Guest) {\n  let n = 0;\n  ${loop}\n}`;
    const message = await failure(text);
    assert.match(message ?? "", /^main\.ts:4:\d+: a loop ran 20000000 turns without a yield\*/, loop);
  }
});

Deno.test("a call without yield* is noticed where it stands", async () => {
  const says = (body: string) =>
    failure(
      `${GUEST}function* helper(guest: Guest) { yield* guest.sleep(1); }\n` +
        `export default function* (guest: Guest) {\n  ${body}\n}`,
    );
  const cases: [string, string | null][] = [
    ["guest.mx.mx_init();", "main.ts:4:3: mx_init was called without yield*"],
    ["const code = guest.mx.mx_init();", "main.ts:4:16: mx_init was called without yield*"],
    ["const x = guest.sleep(1); yield* guest.compute(1);", "main.ts:4:13: sleep was called without yield*"],
    ["helper(guest);", "main.ts:4:3: helper was called without yield*"],
    ["const { code } = helper(guest) as any;", "main.ts:4:20: helper was called without yield*"],
    ["yield guest.mx.mx_init() as never;", "main.ts:4:9: mx_init was called without yield*"],
    ["const x = guest.sleep(1); yield* x;", null],
    ["yield* (guest.rank ? guest.sleep(1) : guest.compute(1));", null],
    ["function* twice(call: any) { yield* call; } yield* twice(guest.sleep(1));", null],
    ["guest.print('x'); [1].forEach((n) => n); Math.max(1);", null],
  ];
  for (const [body, text] of cases) assert.equal(await says(body), text, body);
});

Deno.test("what is instrumented computes what it did before", async () => {
  const body = `
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) seen.push(i);
    for (const [i, x] of "ab".split("").entries()) if (i) seen.push(x); else seen.push(i, x);
    for (const key in { a: 1, b: 2 }) seen.push(key);
    let n = 0;
    do n++; while (n < 5);
    while (n-- > 0) { if (n % 2) continue; seen.push(n); }
    outer: for (;;) { for (;;) break outer; }
    const inner = function* () { const got: number = yield 1; yield (got, got + 1); yield; };
    const run = inner();
    seen.push(run.next().value, run.next(6).value, run.next().value);
    try { throw (1, 2); } catch (error) { seen.push(error); }
    class A { m() { return this; } static s = [1, 2].map((x) => x * 2); }
    new A().m().m();
    const o = { f(this: any) { seen.push(this === o); } };
    o.f(); o?.f(); (o.f)();
    \`\${seen.push("t")}\`;
    enum E { One = 5 }
    seen.push(E.One, <any> "cast", A.s!.length satisfies number);
    console.log(JSON.stringify(seen));`;
  const { failure, lines } = await outcome(`export default function* () {${body.replace(/<any> /, "")}\n}`);
  assert.equal(failure, null);
  const wanted = '[0,1,2,0,"a","b","a","b",4,2,0,1,7,null,2,true,true,true,"t",5,"cast",2]';
  assert.deepEqual(lines, [wanted, wanted]);
});

Deno.test("every run has a module of its own", async () => {
  await withProgram({ "main.ts": "let n = 0;\nexport default function* () { console.log(++n); }" }, async (file) => {
    const program = await openProgram(file);
    for (let i = 0; i < 2; i++) {
      const session = new Session(programScenario(), { program: await program.instance() });
      session.advance(session.end);
      assert.deepEqual(session.output!.lines.map(({ text }) => text).sort(), ["1", "2"]);
    }
  });
});

Deno.test("a program that declares a name of the real world means its own", async () => {
  const text = "class Date { now() { return 4; } }\nexport default function* () { console.log(new Date().now()); }";
  assert.deepEqual((await outcome(text)).lines, ["4", "4"]);
  assert.deepEqual((await outcome(`#!/usr/bin/env mxtop\n${text}`)).lines, ["4", "4"]);
});

Deno.test("programs that do not end: where the first of them wait, and since when", async () => {
  const text = `function* nap(guest: any) {
  yield* guest.sleep(10);
}
export default function* (guest: any) {
  yield* nap(guest);
  if (guest.rank < 5) yield* (guest.rank === 0 ? nap(guest) : guest.sleep(1e9));
}`;
  await withProgram({ "main.ts": text }, async (file) => {
    const program = await (await openProgram(file)).instance();
    const session = new Session(programScenario({ guests: 6, path: "native", durationPs: MS }), { program });
    session.advance(session.end);
    const [found, ...more] = session.drain();
    assert.deepEqual(more, []);
    const places = [1, 2, 3].map((rank) =>
      `vm0${rank + 1} \\(rank ${rank}\\) waits at \\S*main\\.ts:6:31 since [\\d.]+ us`
    );
    const wanted = `^4 programs did not end within 60.0 s of virtual time after the run; ${
      places.join(", ")
    }, and 1 more$`;
    assert.match(found, new RegExp(wanted));
    // The rank's first sleep, and then its second at once.
    assert.ok(Number(/since ([\d.]+)/.exec(found)![1]) < 50);
    assert.match(program.guard.waitOf(0)!, /main\.ts:2:10 since [\d.]+ us$/);
  });
});

Deno.test("columns of a changed line are those of the original", () => {
  const edited = new EditedText("ab\ncd\nef").with([{ at: 0, removed: 0, text: "xx" }]);
  edited.insert(4, "<<<");
  edited.insert(5, ">");
  assert.equal(edited.text(), "xxab\nc<<<d>\nef");
  assert.deepEqual([3, 4].map((column) => edited.originalColumn(1, column)), [1, 2]);
  assert.deepEqual([1, 2, 4, 5].map((column) => edited.originalColumn(2, column)), [1, 2, 2, 2]);
  assert.equal(edited.originalColumn(3, 2), 2);
});
