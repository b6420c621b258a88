/**
 * Pictures of the screen for README.md (text) and docs/pictures/ (SVG), from real runs: `deno task pictures`. They show
 * what the program shows; nothing is drawn by hand.
 */
import { KEY, PtyScreen } from "./pty.ts";
import { toSvg } from "./svg.ts";

interface Picture {
  readonly name: string;
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  readonly args: readonly string[];
  /** What is pressed, and how many milliseconds pass after each. */
  readonly keys: readonly (readonly [key: string, ms: number])[];
  readonly shows: RegExp;
}

const ROOT = new URL("../../", import.meta.url).pathname;

const PICTURES: readonly Picture[] = [
  {
    name: "dashboard",
    title: "scale-40-vms: forty guests share one 10 Gb/s link over Xen2MX",
    columns: 120,
    rows: 40,
    args: ["dash", "scale-40-vms"],
    keys: [["+", 9000], [" ", 800]],
    shows: /PAUSED/,
  },
  {
    name: "large",
    title: "The same at 200 x 50",
    columns: 200,
    rows: 50,
    args: ["dash", "scale-40-vms"],
    keys: [["+", 9000], [" ", 800]],
    shows: /PAUSED/,
  },
  {
    name: "anatomy",
    title: "One message of 512 KiB through Xen2MX, step by step",
    columns: 160,
    rows: 45,
    args: ["dash", "scale-40-vms"],
    keys: [["a", 4000], ["n", 300], ["n", 300], ["n", 600], [".", 200], [".", 200], [".", 200], [".", 200], [".", 600]],
    shows: /Anatomy/,
  },
  {
    name: "compare",
    title: "Three paths side by side on one clock",
    columns: 160,
    rows: 45,
    args: ["dash", "latency-16k"],
    keys: [["c", 15000], [" ", 1500]],
    shows: /PAUSED/,
  },
  {
    name: "tour",
    title: "A guided tour: why a bridge costs 44 microseconds",
    columns: 100,
    rows: 32,
    args: ["dash", "tour-bridge-44-us"],
    keys: [["t", 4000], ["t", 300], ["t", 6000], ["t", 500]],
    shows: /Waking up/,
  },
];

/** One picture after another: two would disturb each other's pace. */
for (const picture of PICTURES.filter(({ name }) => Deno.args.length === 0 || Deno.args.includes(name))) {
  const { name, title, columns, rows, args, keys, shows } = picture;
  const screen = new PtyScreen({ columns, rows, args: [`${ROOT}main.ts`, ...args] });
  await screen.settled("the first figures", /vm01/, 4000);
  for (const [key, ms] of keys) {
    screen.type(key);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  await screen.settled(name, shows, 3000);
  await Deno.writeTextFile(`${ROOT}docs/pictures/${name}.svg`, toSvg(screen.cells(), title));
  if (name === "dashboard") await putIntoReadme(screen.lines());
  await screen.press([KEY.escape, KEY.escape, "q"]);
  await screen.ended();
  screen.dispose();
  console.log(`docs/pictures/${name}.svg`);
}

/** The first block of text of the README is the screen. */
async function putIntoReadme(lines: readonly string[]): Promise<void> {
  const file = `${ROOT}README.md`;
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(
    file,
    text.replace(/```text\n mxtop [\s\S]*?```/, `\`\`\`text\n${lines.join("\n")}\n\`\`\``),
  );
}
