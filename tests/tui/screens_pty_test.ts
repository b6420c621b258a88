/**
 * Every pane and mode in a real pseudo-terminal, at four sizes, without colour and in colour, on a fake run that stands
 * still. A screen is its text; in colour, each line of text has a line below it with a letter for the look of each cell,
 * and a legend says what the letters are. After a change that is meant: deno test -A --no-check --update-snapshots ...
 */
import assert from "node:assert/strict";
import { KEY, PtyScreen } from "./pty.ts";
import { SHOTS } from "./shots.ts";

const SIZES = [[80, 24], [120, 40], [160, 45], [200, 50]] as const;
const FROZEN = new URL("frozen_main.ts", import.meta.url).pathname;

type Look = "monochrome" | "colour";

/** Presses all keys, and gives the picture of each shot. */
async function shoot(columns: number, rows: number, look: Look): Promise<string[]> {
  const env: Record<string, string> = look === "monochrome" ? { NO_COLOR: "1" } : {};
  const screen = new PtyScreen({ columns, rows, args: [FROZEN], env });
  const pictures: string[] = [];
  try {
    for (const { name, keys, shows } of SHOTS) {
      await screen.press(keys);
      await screen.settled(name, shows);
      pictures.push(picture(screen, look === "colour"));
    }
    await screen.press([KEY.escape, KEY.escape, "q"]);
    assert.equal((await screen.ended()).code, 0);
  } finally {
    screen.dispose();
  }
  return pictures;
}

// All at the same time: they wait for their terminals most of it.
const all = SIZES.flatMap(([columns, rows]) =>
  (["monochrome", "colour"] as const).map((look) => ({ columns, rows, look, name: `${columns}x${rows}, ${look}` }))
);
let started: Promise<PromiseSettledResult<string[]>[]> | null = null;

for (const [i, { name }] of all.entries()) {
  Deno.test({
    name: `every screen at ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      started ??= Promise.allSettled(all.map(({ columns, rows, look }) => shoot(columns, rows, look)));
      const result = (await started)[i];
      if (result.status === "rejected") throw result.reason;
      for (const [n, picture] of result.value.entries()) {
        await t.assertSnapshot(picture, { name: `${SHOTS[n].name}, ${name}` });
      }
    },
  });
}

/** The screen as a person reads it in a file. */
function picture(screen: PtyScreen, coloured: boolean): string {
  if (!coloured) return `\n${steady(screen.text())}\n`;
  const legend = new Map<string, string>();
  const letter = (look: string): string => {
    if (look === "") return " ";
    if (!legend.has(look)) legend.set(look, String.fromCharCode((legend.size < 26 ? 97 : 39) + legend.size));
    return legend.get(look)!;
  };
  const texts = screen.lines();
  const looks = screen.looks().map((line, row) => {
    const pace = PACE.exec(texts[row]);
    const isPace = (x: number) => pace !== null && x >= pace.index && x < pace.index + pace[0].length;
    return line.map((look, x) => letter(isPace(x) ? "" : look)).join("").trimEnd();
  });
  const lines = texts.flatMap((text, row) => [`|${steady(text)}`, `:${looks[row]}`]);
  return `\n${lines.join("\n")}\n${[...legend].map(([look, name]) => `${name} ${look}`).join("\n")}\n`;
}

/** The one figure that depends on the machine. */
const PACE = /x\S+ +(?=real time)/;

function steady(text: string): string {
  return text.replace(PACE, (pace) => "x#.##".padEnd(pace.length));
}
