import { lines, type Markup, markup } from "./markup.ts";
import { placesOf, type Scale, valueScale } from "./scale.ts";
import { colourOf, LETTER, px, small, widthOf } from "./svg.ts";

/*
 * Line charts. Lines have the colours of the page, and points of different shapes.
 *
 *       unit                              0
 *     y |                                 TOP
 *       |  . . . . . . . . . . . . . . .  tick
 *       |       o-----o------o  line     - - -  reference
 *       +------------------------------   BOTTOM
 *          16 B   32 B   64 B
 *                 over                    HEIGHT
 */

/** Figures over something: a line for each of several of a kind. */
export interface Chart {
  readonly title: string;
  /** What the abscissae are of, and the unit of the values. */
  readonly over: string;
  readonly unit: string;
  /** Values that are far apart go by powers of ten: times do; rates and shares begin at 0. */
  readonly log: boolean;
  /** Their labels, and their values where they have some; without, they stand one beside the other, not joined. */
  readonly at: readonly { readonly label: string; readonly value: number | null }[];
  /** A value for each abscissa; null is a gap. */
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  /** A figure as the tables have it. */
  readonly text: (value: number) => string;
  /** Single values to compare with: of which line, over which abscissa. */
  readonly marks?: readonly {
    readonly line: number;
    readonly at: number;
    readonly value: number;
    readonly text: string;
  }[];
  /** A value to compare all with. */
  readonly reference?: { readonly value: number; readonly label: string };
}

const WIDTH = 520;
const HEIGHT = 280;
const TOP = 26;
const BOTTOM = HEIGHT - 40;
/** Letters of a label below the axis, and of the names of the axes; what is longer is cut. */
const LABEL = 20;
const NAME = 60;
/** Room that a line of text takes. */
const LINE = 18;
/** Lines that a legend names. */
const NAMED = 24;
/** A reference belongs to the picture when the data comes at least this near: else it would press them flat. */
const NEAR = 0.3;

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** A chart with its legend, or null where there is nothing to draw. */
export function lineChart(chart: Chart): Markup | null {
  const { title, over, unit, marks = [] } = chart;
  const values = [...chart.lines.flatMap((line) => line.values), ...marks.map(({ value }) => value)].filter(isNumber);
  if (values.length === 0) return null;
  const { reference = null } = chart;
  const isNear = reference !== null && Math.max(...values) >= NEAR * reference.value;
  const scale = valueScale(isNear ? [...values, reference.value] : values, chart.log);
  const frame = frameOf(chart, scale);
  const body = [
    markup`<text x="0" y="12">${cut(unit, NAME)}${scale.isLog ? ", log" : ""}</text>`,
    ...scale.ticks.map(({ value, label }) => gridLine(frame, value, label)),
    ...abscissae(frame),
    markup`<text x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">${cut(over, NAME)}</text>`,
    isNear ? referenceLine(frame, reference.value, reference.label, values) : null,
    ...chart.lines.map((_, i) => drawn(chart, frame, i)),
    ...marks.map(({ line, at, value, text }) =>
      markup`<path class="mark ${colourOf(line)}" d="${
        diamond(frame.x[at], frame.y(value))
      }"><title>${text}</title></path>`
    ),
  ];
  const drawing = markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${
    lines(body)
  }</svg>`;
  return markup`<figure><figcaption>${title}</figcaption>${
    chart.lines.length > 1 || marks.length > 0 ? chartLegend(chart) : null
  }${drawing}</figure>`;
}

/** Where things are in a chart. */
interface Frame {
  /** The axis. */
  readonly left: number;
  readonly x: readonly number[];
  readonly labels: readonly string[];
  readonly y: (value: number) => number;
  /** Abscissae that are not values: nothing is between them. */
  readonly isEven: boolean;
}

function frameOf({ at }: Chart, scale: Scale): Frame {
  const left = px(Math.max(...scale.ticks.map(({ label }) => widthOf(label))) + 12);
  const labels = at.map(({ label }) => cut(label, LABEL));
  const half = Math.max(...labels.map(widthOf)) / 2;
  // The outermost labels are centred below their points, and end within the drawing.
  const [from, to] = [Math.max(left + 10, half), WIDTH - Math.max(10, half)];
  const { places, isEven } = placesOf(at.map(({ value }) => value));
  return {
    left,
    labels,
    isEven,
    x: places.map((place) => px(from + place * (to - from))),
    y: (value) => px(BOTTOM - scale.place(value) * (BOTTOM - TOP)),
  };
}

function gridLine({ left, y }: Frame, value: number, label: string): Markup {
  const text = markup`<text x="${px(left - 6)}" y="${px(y(value) + 4)}" text-anchor="end">${label}</text>`;
  return markup`<path class="grid" d="M${left} ${y(value)}H${WIDTH}" />${text}`;
}

/** A stroke for each abscissa, and labels as far as there is room between them: the last one has it. */
function abscissae({ x, labels }: Frame): Markup[] {
  let free = WIDTH;
  return inOrder(x).reverse().map((i) => {
    const stroke = markup`<path class="axis" d="M${x[i]} ${BOTTOM}v4" />`;
    const half = widthOf(labels[i]) / 2;
    if (x[i] + half > free) return stroke;
    free = x[i] - half - LETTER;
    return markup`${stroke}<text x="${x[i]}" y="${BOTTOM + 17}" text-anchor="middle">${labels[i]}</text>`;
  });
}

/** Its label is on the side where most of the data is not, if there is room. */
function referenceLine({ left, y }: Frame, value: number, label: string, values: readonly number[]): Markup {
  const wantsBelow = values.filter((one) => one > value).length > values.length / 2;
  const isBelow = y(value) < TOP + LINE || wantsBelow && y(value) < BOTTOM - LINE;
  const at = px(y(value) + (isBelow ? 15 : -4));
  const text = markup`<text x="${WIDTH - 4}" y="${at}" text-anchor="end">${label}</text>`;
  return markup`<g class="reference"><path d="M${left} ${y(value)}H${WIDTH}" />${text}</g>`;
}

function drawn({ lines: all, at, text, unit }: Chart, { x, y, isEven }: Frame, index: number): Markup {
  const { name, values } = all[index];
  let pen = "M";
  let joined = "";
  const points: Markup[] = [];
  for (const i of inOrder(x)) {
    const value = values[i];
    if (!isNumber(value)) {
      pen = "M";
      continue;
    }
    joined += `${pen}${x[i]} ${y(value)}`;
    pen = "L";
    const what = `${name === "" ? "" : `${name}, `}${at[i].label}: ${text(value)} ${unit}`;
    points.push(markup`<path class="point" d="${pointShape(index, x[i], y(value))}"><title>${what}</title></path>`);
  }
  const line = isEven ? null : markup`<path class="join" d="${joined}" />`;
  return markup`<g class="${colourOf(index)}">${line}${lines(points)}</g>`;
}

/** Abscissae from left to right. */
function inOrder(x: readonly number[]): number[] {
  return x.map((_, i) => i).sort((one, other) => x[one] - x[other]);
}

function chartLegend({ lines: all, marks = [] }: Chart): Markup {
  const swatch = (colour: string, d: string) =>
    small(
      16,
      markup`<g class="${colour}"><path class="join" d="M0 5H16" /><path class="point" d="${d}" /></g>`,
    );
  const items = all.slice(0, NAMED).map(({ name }, i) =>
    markup`<li>${swatch(colourOf(i), pointShape(i, 8, 5))} ${name}</li>`
  );
  if (all.length > NAMED) items.push(markup`<li>and ${all.length - NAMED} more</li>`);
  if (marks.length > 0) {
    items.push(markup`<li>${small(16, markup`<path class="mark" d="${diamond(8, 5)}" />`)} published</li>`);
  }
  return markup`<ul class="legend">${items}</ul>`;
}

/** Lines of neighbouring colours have points of other shapes: a circle, a square, triangles up and down. */
function pointShape(index: number, x: number, y: number): string {
  const at = (dx: number, dy: number) => `${px(x + dx)} ${px(y + dy)}`;
  const shapes = [
    () => `M${at(-3, 0)}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z`,
    () => `M${at(-2.7, -2.7)}h5.4v5.4h-5.4z`,
    () => `M${at(-3.5, 2.7)}h7l-3.5 -6z`,
    () => `M${at(-3.5, -2.7)}h7l-3.5 6z`,
  ];
  return shapes[index % shapes.length]();
}

function diamond(x: number, y: number): string {
  return `M${px(x - 5)} ${y}l5 -5l5 5l-5 5z`;
}

function isNumber(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
