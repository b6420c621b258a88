/**
 * Every pane and mode in a real pseudo-terminal, at four sizes, without colour and in colour, on a fake run that stands
 * still. A screen is its text; in colour, each line of text has a line below it with a letter for the look of each cell,
 * and a legend says what the letters are. After a change that is meant: deno test -A --no-check --update-snapshots ...
 */
import assert from "node:assert/strict";
import { KEY, PtyScreen } from "./pty.ts";

const SIZES = [[80, 24], [120, 40], [160, 45], [200, 50]] as const;
const FROZEN = new URL("frozen_main.ts", import.meta.url).pathname;

interface Shot {
  readonly name: string;
  /** What is pressed, from the screen before; Escape stands alone, or it would be taken for a key with Alt. */
  readonly keys: readonly string[];
  /** What the screen shows then. */
  readonly shows: RegExp;
}

const SHOTS: readonly Shot[] = [
  { name: "guests", keys: [], shows: /vm01[\s\S]*vm05/ },
  { name: "guests by p99, filtered", keys: [`sss/vm1${KEY.enter}`], shows: /\/vm1/ },
  { name: "one VM", keys: [KEY.escape, KEY.enter], shows: /vm01[\s\S]*peer/i },
  { name: "latency", keys: [KEY.escape, `z${KEY.tab}`], shows: /Latency us/ },
  { name: "latency, the histogram", keys: ["v"], shows: /Latency us/ },
  { name: "throughput", keys: [`vv${KEY.tab}`], shows: /Throughput MB/ },
  { name: "host CPU", keys: [KEY.tab], shows: /Host CPU/ },
  { name: "guest CPU", keys: [KEY.tab], shows: /Guest CPU/ },
  { name: "stages", keys: [KEY.tab], shows: /Where a message/ },
  { name: "rings", keys: [KEY.tab], shows: /Rings/ },
  { name: "network", keys: [KEY.tab], shows: /Network/ },
  { name: "events", keys: [KEY.tab], shows: /Events/ },
  { name: "help", keys: ["?"], shows: /mxtop 0\.0\.0 keys/ },
  { name: "palette", keys: [KEY.escape, ":pa"], shows: /Commands/ },
  { name: "export", keys: [KEY.escape, "e"], shows: /Export/ },
  { name: "change the world", keys: [KEY.escape, "f"], shows: /Change the world/ },
  { name: "go to a time", keys: [KEY.escape, "b"], shows: /start/ },
  { name: "a message", keys: [KEY.escape, "pp"], shows: /Cannot do that/ },
];

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
  if (!coloured) return `\n${screen.text()}\n`;
  const legend = new Map<string, string>();
  const letter = (look: string): string => {
    if (look === "") return " ";
    if (!legend.has(look)) legend.set(look, String.fromCharCode((legend.size < 26 ? 97 : 39) + legend.size));
    return legend.get(look)!;
  };
  const looks = screen.looks().map((line) => line.map(letter).join("").trimEnd());
  const lines = screen.lines().flatMap((text, row) => [`|${text}`, `:${looks[row]}`]);
  return `\n${lines.join("\n")}\n${[...legend].map(([look, name]) => `${name} ${look}`).join("\n")}\n`;
}
