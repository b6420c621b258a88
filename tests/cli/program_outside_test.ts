import assert from "node:assert/strict";
import { failure, outcome, refusal } from "./program_files.ts";

/*
 * What a guest program cannot reach: its output is the same in every run, and mxtop outlives it.
 */

const inRank = (body: string) => `export default function* (guest: any) {\n  ${body}\n}`;

Deno.test("of the runtime a program has what is known to be harmless, and nothing else", async () => {
  const cases: [string, RegExp][] = [
    ["close();", /^main\.ts:2:3: close is not there in a guest program; a run depends on nothing but/],
    ["guest.print(Temporal.Now.instant());", /^main\.ts:2:\d+: Temporal is not there .* guest\.now\(\) is virtual/],
    ["new Intl.DateTimeFormat();", /: Intl is not there .* the machine's language$/],
    ["new File([], 'x').lastModified;", /: File is not there/],
    ["global.Date.now();", /: global is not there/],
    ["global.setTimeout(() => {}, 0);", /: global is not there/],
    ["guest.print(URL.createObjectURL(new Blob([])));", /: (URL|Blob) is not there/],
    ["reportError(new Error('x'));", /: reportError is not there/],
    ["addEventListener('unload', () => {});", /: addEventListener is not there/],
    ["new WeakRef({});", /: WeakRef is not there/],
    ["guest.print(name);", /: name is not there/],
  ];
  for (const [body, text] of cases) assert.match((await failure(inRank(body))) ?? "", text, body);
});

Deno.test("what would get around that is refused before the run", async () => {
  const cases: [string, string][] = [
    ["Array.fromAsync([1]);", "2:9: fromAsync is not for guest programs; wait with yield* for a call of the library"],
    ["const e = eval;", "2:13: eval is not for guest programs: its text could not be watched"],
    ["Function('1');", "2:3: Function is not for guest programs: its text could not be watched"],
    [
      "guest.print((1.5).toLocaleString());",
      '2:15: toLocaleString goes by the machine\'s language; wanted one by its name, such as toLocaleString("en")',
    ],
    [
      "['a'].sort((a, b) => a.localeCompare(b));",
      '2:24: localeCompare goes by the machine\'s language; wanted one by its name, such as a.localeCompare(b, "en")',
    ],
  ];
  for (const [body, text] of cases) assert.equal(await refusal({ "main.ts": inRank(body) }), `main.ts:${text}`, body);
  assert.match(await refusal({ "main.ts": "await using x = null;" }), /^main\.ts:1:1: async and await are not for/);
});

Deno.test("names of the runtime can be declared, and ECMAScript is all there", async () => {
  const text = `
    for (var name of ["a", "b"]) ;
    { var close = () => 7; }
    class Lock {}
    enum Event { A }
    interface Request { x: number }
    const { status, caches: [Cache] } = { status: 1, caches: [4] };
    ${
    inRank(`
      const x: Request = { x: 1 };
      for (var location = 0; location < 1; location++);
      const text = new TextDecoder().decode(new TextEncoder().encode("t"));
      guest.print([name, close(), typeof Lock, Event.A, status, Cache, x.x, location, text]);
      guest.print([guest.print instanceof Function, ["a", "B"].sort((a, b) => a.localeCompare(b, "en"))]);`)
  }`;
  const { failure, lines } = await outcome(text);
  assert.equal(failure, null);
  assert.deepEqual(lines.slice(0, 2), ["b,7,function,0,1,4,1,1,t", "true,a,B"]);
});

Deno.test("a stack is the program's own part of it, at its own places; the place of the error stays known", async () => {
  const bare = (line: string) => line.replace(/\/\S*\/(?=main)/, ""); // files are called as they were named
  const thrown = await outcome(inRank("try { guest.alloc(-1); } catch (e) { guest.print(e.stack); throw e; }"));
  assert.deepEqual(thrown.lines.slice(0, 2).map(bare), [
    "ProgramError: alloc: found -1, wanted a whole number of bytes",
    "    at default (main.ts:2:15)",
  ]);
  assert.match(thrown.failure!, /^main\.ts:2:15: alloc: found -1/);
  const caught = "function deep(): never {\n  throw new TypeError('below');\n}\n";
  const { lines } = await outcome(caught + inRank("try { deep(); } catch (e) { guest.print(e.stack); }"));
  assert.deepEqual(lines.slice(0, 3).map(bare), [
    ...["TypeError: below", "    at deep (main.ts:2:9)", "    at default (main.ts:5:9)"],
  ]);
});

Deno.test("what nobody catches ends the run as any other mistake", async () => {
  const hidden = "const late = [].constructor['fromAsync']([1]);\n  late.then(() => { throw new Error('lost'); });";
  assert.equal(await failure(inRank(hidden)), "main.ts:3:27: lost (outside of its ranks)");
});
