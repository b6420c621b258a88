import { equal, ok, run } from "./mx_support.ts";
import { PAGES, read } from "../support/docs.ts";
import * as codes from "../../src/guest/mx_codes.ts";

/** `docs/mx-api.md` has every function, and every code and status with its number. */

const text = Deno.readTextFileSync(new URL("../../docs/mx-api.md", import.meta.url));

/** Rows of numbered tables: the number, then the name. */
const rows = [...text.matchAll(/^\| (\d+) +\| `(\w+)` /gm)].map(([, number, name]) => [name, Number(number)] as const);

Deno.test("docs/mx-api.md: every function", () => {
  run([function* ({ mx }) {
    yield* mx.mx_init();
    for (let at: object = mx; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) {
        ok(!name.startsWith("mx_") || text.includes(`\`${name}`), `${name} is documented`);
      }
    }
  }]);
});

Deno.test("docs: no page names a function of MX that is not there", () => {
  const names = new Set(["mx_pingpong", "mx_stream"]); // MX's own programs
  run([function* ({ mx }) {
    yield* mx.mx_init();
    for (let at: object = mx; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    }
  }]);
  for (const page of PAGES) {
    // Not parts of file names.
    for (const [name] of read(page).matchAll(/(?<![\w/.])mx_[a-z]\w*(?![\w/.]*\.ts)/g)) {
      ok(names.has(name), `${page}: ${name}`);
    }
  }
});

Deno.test("docs/mx-api.md: all 44 return codes and 17 statuses have their numbers", () => {
  const named = Object.entries(codes).filter(([, value]) => typeof value === "number") as [string, number][];
  const listed = (prefix: string, from: readonly (readonly [string, number])[]) =>
    from.filter(([name]) => name.startsWith(prefix)).map(([name, code]) => [name.slice(prefix.length), code]);
  const returns = listed("MX_", named).filter(([name]) => !String(name).startsWith("STATUS_"));
  const byNumber = (a: (string | number)[], b: (string | number)[]) => Number(a[1]) - Number(b[1]);
  equal(rows.slice(0, 44).map((row) => [...row]), returns.sort(byNumber));
  equal(rows.slice(44).map((row) => [...row]), listed("MX_STATUS_", named).sort(byNumber));
  equal([returns.length, rows.length], [44, 61]);
});
