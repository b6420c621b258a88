import { KEY } from "./pty.ts";

/** A screen worth a picture. */
export interface Shot {
  readonly name: string;
  /** What is pressed, from the screen before. */
  readonly keys: readonly string[];
  /** What the screen shows then. */
  readonly shows: RegExp;
}

/** Keys that go to a virtual time. */
const TO = (time: string) => ["b", `${time}${KEY.enter}`];

export const SHOTS: readonly Shot[] = [
  { name: "guests", keys: [], shows: /vm01[\s\S]*vm05/ },
  { name: "guests by p99, filtered", keys: [`sss/vm0${KEY.enter}`], shows: /\/vm0/ },
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
  { name: "change the world, a form", keys: [KEY.enter], shows: /Change the world: loss/ },
  { name: "change the world, a wrong value", keys: [`${KEY.down}much`], shows: /Cannot do that/ },
  { name: "change the world, the cluster", keys: [KEY.escape, `${KEY.end}${KEY.up}`], shows: /any cost/ },
  { name: "go to a time", keys: [KEY.escape, "b"], shows: /start/ },
  { name: "a message", keys: [KEY.escape, "pp"], shows: /Cannot do that/ },
  { name: "compare", keys: [KEY.escape, "c"], shows: /over[\s\S]*over[\s\S]*DONE|DONE[\s\S]*over/ },
  { name: "compare, ratios", keys: [`s>${KEY.tab}`], shows: /Times xen2mx/ },
  { name: "compare, latency", keys: [KEY.tab], shows: /Latency p50 us/ },
  { name: "compare, which paths", keys: ["p"], shows: /Paths to compare/ },
  { name: "compare, help", keys: [KEY.escape, "?"], shows: /keys ─ Compare/ },
  {
    name: "anatomy",
    keys: [KEY.escape, KEY.escape, "a"],
    shows: /Anatomy of a tiny message[\s\S]*(class 1 of 2|512 KiB)/,
  },
  { name: "anatomy, a step of a large message", keys: ["n......"], shows: /Anatomy of a large message/ },
  { name: "anatomy, all of a step", keys: [KEY.enter], shows: /This step/ },
  { name: "gone back", keys: [KEY.escape, "a", `:pane latency${KEY.enter}z`, ...TO("-1 s")], shows: /back at 1\.3/ },
  { name: "another turn, before it differs", keys: ["B"], shows: /Turn 1 again/ },
  {
    name: "another turn beside the first",
    keys: ["f\x1b[H", KEY.enter, KEY.enter, ...TO("+500 ms")],
    shows: /on to 1\.8/,
  },
  { name: "guided tour", keys: ["BB1"], shows: /1 of 3/ },
  { name: "guided tour, a question", keys: ["t"], shows: /What takes longest/ },
  { name: "guided tour, the answer", keys: ["t"], shows: /a third/ },
  { name: "replay", keys: ["3"], shows: /REPLAY/ },
  { name: "replay, its end", keys: ["."], shows: /the same fingerprint/ },
];
