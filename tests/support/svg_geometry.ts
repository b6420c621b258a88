import assert from "node:assert/strict";
import { type Element, elementsOf, textOf } from "./markup.ts";

/*
 * Whether a drawing can be read: all of it within its view box, and no text upon another. Letters are taken for as wide
 * as those of a wide sans-serif font are in the mean.
 */

const LETTER = 7.2;
/** Above the base line and below it. */
const [ASCENT, DESCENT] = [10, 3];
/** Half of a line's width, and rounding. */
const SLACK = 1.1;

interface Box {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Every drawing of a page; how many there were. */
export function checkDrawings(page: Element): number {
  const drawings = elementsOf(page, "svg");
  drawings.forEach(checkDrawing);
  return drawings.length;
}

function checkDrawing(svg: Element): void {
  const view = svg.attributes.viewBox.split(" ").map(Number);
  assert.equal(view.length, 4);
  const [x, y, width, height] = view;
  assert.ok(x === 0 && y === 0 && width > 0 && height > 0, svg.attributes.viewBox);
  const inside = ({ text, left, right, top, bottom }: Box) => {
    for (const value of [left, right, top, bottom]) assert.ok(Number.isFinite(value), text);
    const fits = left >= -SLACK && right <= width + SLACK && top >= -SLACK && bottom <= height + SLACK;
    assert.ok(fits, `${text} at ${[left, top, right, bottom]} is not within ${width} x ${height}`);
  };
  const texts = elementsOf(svg, "text").map(boxOfText);
  [...texts, ...elementsOf(svg, "rect").map(boxOfRect), ...elementsOf(svg, "path").map(boxOfPath)].forEach(inside);
  for (const [i, one] of texts.entries()) {
    for (const other of texts.slice(i + 1)) {
      const apart = one.right <= other.left || other.right <= one.left || one.bottom <= other.top ||
        other.bottom <= one.top;
      assert.ok(apart, `${one.text} and ${other.text} stand upon each other`);
    }
  }
}

const number = (text: string | undefined) => {
  const value = Number(text ?? 0);
  assert.ok(Number.isFinite(value), `not a number: ${text}`);
  return value;
};

function boxOfText(element: Element): Box {
  const text = textOf(element);
  const [x, y] = [number(element.attributes.x), number(element.attributes.y)];
  const width = text.length * LETTER;
  const anchor = element.attributes["text-anchor"] ?? "start";
  const left = x - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
  return { text, left, right: left + width, top: y - ASCENT, bottom: y + DESCENT };
}

function boxOfRect({ attributes }: Element): Box {
  const [x, y, width, height] = [attributes.x, attributes.y, attributes.width, attributes.height].map(number);
  assert.ok(width >= 0 && height >= 0);
  return { text: `rect ${attributes.class}`, left: x, right: x + width, top: y, bottom: y + height };
}

/** Of what the path passes; arcs by their ends. */
function boxOfPath({ attributes: { d, class: name } }: Element): Box {
  const [xs, ys]: [number[], number[]] = [[], []];
  let [x, y] = [0, 0];
  for (const [, command, rest] of d.matchAll(/([A-Za-z])([^A-Za-z]*)/g)) {
    const values = rest.trim().split(/[\s,]+|(?=-)/).filter((word) => word !== "").map(number);
    const isRelative = command === command.toLowerCase();
    const to = (nextX: number, nextY: number) => {
      [x, y] = [nextX + (isRelative ? x : 0), nextY + (isRelative ? y : 0)];
      xs.push(x);
      ys.push(y);
    };
    const kind = command.toUpperCase();
    if (kind === "H") to(values[0], isRelative ? 0 : y);
    else if (kind === "V") to(isRelative ? 0 : x, values[0]);
    else if (kind === "A") { for (let i = 0; i < values.length; i += 7) to(values[i + 5], values[i + 6]); }
    else if (kind !== "Z") { for (let i = 0; i < values.length; i += 2) to(values[i], values[i + 1]); }
  }
  if (xs.length === 0) return { text: "nothing", left: 0, right: 0, top: 0, bottom: 0 };
  const box = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  return { text: `path ${name} ${d}`, ...box };
}
