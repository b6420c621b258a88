import type { InputRecord } from "../../cluster/input.ts";
import type { Stretch } from "../../report/interval.ts";
import { decimalsFor, number, span } from "../format.ts";
import { inputText } from "../../cluster/input_text.ts";
import type { Model } from "../model.ts";
import { left, paint, right, sanitize } from "../text.ts";
import { compareTurns, otherTurn, presentNumber, type Turn } from "../time.ts";
import { frame } from "../view/frame.ts";
import type { Mode } from "./mode.ts";

const WIDTH = 64;
/** Frame, heading, figures, and two lines of what each turn did. */
const HEIGHT = 14;

/** Figures side by side. Where one can be zero, a ratio would say nothing. */
const ROWS: readonly { name: string; of: (stretch: Stretch) => number | null; ratio: boolean }[] = [
  { name: "latency p50, us", of: ({ p50_us }) => p50_us, ratio: true },
  { name: "latency p99, us", of: ({ p99_us }) => p99_us, ratio: true },
  { name: "throughput, MB/s", of: ({ throughput_MBps }) => throughput_MBps, ratio: true },
  { name: "host CPUs busy", of: ({ hostCpus }) => hostCpus, ratio: true },
  { name: "guest CPUs busy", of: ({ guestCpus }) => guestCpus, ratio: true },
  { name: "messages", of: ({ messages }) => messages, ratio: true },
  { name: "messages sent again", of: ({ retransmits }) => retransmits, ratio: false },
];

/** Both turns over the same stretch of virtual time, and what was done in each after they parted. */
function view(model: Model, width: number, height: number): string[] {
  const other = otherTurn(model)!;
  const { forkPs, stretches } = compareTurns(model, other);
  const numbers = [other.number, presentNumber(model)];
  const cell = Math.max(8, Math.min(14, Math.floor((width - 30) / 2)));
  const row = (name: string, values: readonly string[], ratio: string) =>
    ` ${left(name, 20)}${values.map((value) => right(value, cell)).join("")}${right(ratio, 8)}`;
  let title = "Turns";
  const lines: string[] = [];
  if (forkPs === null) {
    title = `Turn ${other.number} again`;
    lines.push("", ...sameSoFar(model, other).map((line) => ` ${line}`));
  } else if (stretches === null) {
    title = `Turns ${numbers[0]} and ${numbers[1]}`;
    lines.push("", ` They part at ${span(forkPs / 1000)}; figures come when both have run on.`);
  } else {
    const { fromPs, toPs } = stretches.present;
    title = `Turns ${numbers[0]} and ${numbers[1]}, ${span(fromPs / 1000)} to ${span(toPs / 1000)}`;
    const heading = row("", numbers.map((n) => `turn ${n}`), `${numbers[1]} / ${numbers[0]}`);
    lines.push(paint("heading", heading));
    for (const { name, of, ratio } of ROWS) {
      const [a, b] = [of(stretches.other), of(stretches.present)];
      lines.push(
        row(name, [figure(a), figure(b)], ratio && a !== null && b !== null && a > 0 ? `x${figure(b / a)}` : ""),
      );
    }
  }
  if (forkPs !== null) {
    lines.push(
      ...did(numbers[0], other.inputs, forkPs, other.endPs),
      ...did(numbers[1], model.time.inputs, forkPs, model.nowPs),
    );
  }
  const more = model.time.turns.length > 1 ? "B next" : "B closes";
  return frame(lines, { title, note: [paint("dim", more)], width, height });
}

function sameSoFar({ nowPs }: Model, { number, endPs, inputs }: Turn): string[] {
  const next = inputs.find(({ atPs }) => atPs > nowPs);
  const lines = [
    `The same as turn ${number} so far, which had come to ${span(endPs / 1000)}.`,
    "Do something else, and it is another turn.",
  ];
  if (next !== undefined) lines.push(`Then, at ${span(next.atPs / 1000)}: ${sanitize(inputText(next.input))}`);
  return lines;
}

/** The first of what was done from the fork on, and how many more. */
function did(number: number, inputs: readonly InputRecord[], forkPs: number, endPs: number): string[] {
  const own = inputs.filter(({ atPs }) => atPs >= forkPs && atPs <= endPs);
  const first = own[0];
  if (first === undefined) return [` ${paint("dim", `turn ${number}`)}  nothing done`];
  const more = own.length > 1 ? paint("dim", ` and ${own.length - 1} more`) : "";
  return [` ${paint("dim", `turn ${number}`)}  ${span(first.atPs / 1000)}: ${sanitize(inputText(first.input))}${more}`];
}

function figure(value: number | null): string {
  if (value === null) return "-";
  return Number.isInteger(value) ? number(value, 0) : number(value, decimalsFor(value));
}

/** A box over the lower left of the panes, so that the charts stay in sight. It has no keys of its own. */
export const turns: Mode = {
  key: () => null,
  boxes(model) {
    const { time, mode, under, columns, rows } = model;
    const isOverPanes = ["normal", "filter"].includes(mode === "seek" ? under : mode);
    if (!time.boxed || otherTurn(model) === null || !isOverPanes) return [];
    const height = Math.min(HEIGHT, rows - 5);
    return [{ id: "turns", x: 0, y: rows - 2 - height, width: Math.min(WIDTH, columns), height }];
  },
  views: { turns: view },
};
