import type { LaneId } from "../../report/anatomy.ts";
import { type Position, positionOf } from "../anatomy/state.ts";
import { type SharedNow, sharedNow } from "../anatomy/shared.ts";
import type { Model } from "../model.ts";
import { cut, left, paint, sanitize, spread, width as widthOf } from "../text.ts";
import { classShort, classTabs, emptyText, playState, roleOf, rowText, titleOf, us } from "./anatomy_text.ts";
import { ringLine, ringShort, SLOT_LEGEND } from "./anatomy_rings.ts";
import { wireLines } from "./anatomy_wire.ts";
import { frame } from "./frame.ts";

type Side = "from" | "to";

/** Guest, hypervisor, driver domain and NIC of both hosts as boxes, the wire between them, and who is at work now. */
export function diagram(model: Model, width: number, height: number): string[] {
  const position = positionOf(model);
  const box = { width, height, focused: true };
  const title = titleText(model, position);
  if (position === null) return frame(emptyText(model.anatomy), { ...box, title });
  const inner = width - 2;
  const isLarge = height >= 22;
  const middle = isLarge ? Math.min(44, Math.floor(inner / 4)) : 20;
  const side = Math.floor((inner - middle) / 2);
  const half = { width: side, isLarge };
  const from = host(position, "from", half);
  const to = host(position, "to", { ...half, width: inner - middle - side });
  const between = centre(model, position, middle, from.length, isLarge);
  const rows = from.map((line, index) => line + between[index] + to[index]);
  const legend = ` ${SLOT_LEGEND}`;
  const tabs = spread(` ${classTabs(model.anatomy)}`, `${playState(model, position)} `, inner);
  const lines = isLarge ? [tabs, ...rows, paint("dim", left(legend, inner))] : [tabs, ...rows];
  return frame(lines, { ...box, title, note: noteText(position) });
}

function titleText({ anatomy }: Model, position: Position | null): string {
  const path = sanitize(anatomy.path);
  if (position === null) return `Anatomy of a message on ${path}`;
  const { name, sizeText, isFirst } = position.message;
  return `Anatomy of a ${name} message (${sizeText})${isFirst ? ", the first from its buffer," : ""} on ${path}`;
}

function noteText({ message: { from, to, latencyPs } }: Position): string[] {
  const names = `host ${sanitize(from)} > ${sanitize(to)}`;
  return [`${names}  ${us(latencyPs)} us`, `${us(latencyPs)} us`];
}

// ---- one host

interface Half {
  readonly width: number;
  /** Two lines for each layer instead of one. */
  readonly isLarge: boolean;
}

/** The layers of one host as a stack of boxes, what guest and host share between kernel and hypervisor. */
function host(position: Position, side: Side, half: Half): string[] {
  const lanes = position.message.lanes.filter(({ id }) => id.startsWith(side)).map(({ id }) => id);
  const ordered = side === "from" ? lanes : [...lanes].reverse();
  const lines: string[] = [];
  const hasShared = position.message.rings.length > 0 || position.message.grants[side] !== null;
  ordered.forEach((lane, index) => {
    lines.push(edge(position, lane, index === 0, half), ...content(position, lane, half));
    if (lane.endsWith("kernel") && hasShared) lines.push(...shared(position, side, half));
  });
  lines.push(paint("frame", `└${"─".repeat(half.width - 2)}┘`));
  // Both hosts of a native path have fewer layers: the stack is as high on every path.
  const wanted = half.isLarge ? 21 : 15;
  while (lines.length < wanted) lines.splice(0, 0, " ".repeat(half.width));
  return lines.slice(lines.length - wanted);
}

/** The upper edge of a layer, with its title, and the arrow of what goes through it now. */
function edge(position: Position, lane: LaneId, isTop: boolean, { width }: Half): string {
  const isActive = position.step.lane === lane;
  const [first, last] = isTop ? ["┌", "┐"] : ["├", "┤"];
  const name = titleOf(position.message.lanes, lane);
  const title = isActive ? paint("select", `▸${name} `) : paint(roleOf(lane), ` ${name} `);
  const arrow = isTop ? null : arrowOver(position, lane);
  const used = widthOf(title);
  const before = Math.max(0, Math.floor(width / 2) - used - 3);
  const after = Math.max(0, width - used - before - 6);
  const middle = arrow === null ? paint("frame", "───") : ` ${paint("accent", arrow)} `;
  const line = (count: number) => paint("frame", "─".repeat(count));
  return paint("frame", `${first}─`) + title + line(before) + middle + line(after) + paint("frame", last);
}

/** Which way the present step goes over the upper edge of a layer, null when it does not. */
function arrowOver({ message, step, rows, index }: Position, lane: LaneId): string | null {
  const order = message.lanes.map(({ id }) => id);
  const [start, end] = hop(step, rows, index);
  const [from, to] = [order.indexOf(start), order.indexOf(end)];
  const own = order.indexOf(lane);
  // At the sender a layer's upper edge is towards the beginning of the way, at the receiver towards its end.
  const isSender = lane.startsWith("from");
  const above = isSender ? own - 1 : own + 1;
  const low = Math.min(from, to);
  const high = Math.max(from, to);
  if (Math.min(own, above) < low || Math.max(own, above) > high) return null;
  return (to > from) === isSender ? "▼" : "▲";
}

/** From which lane to which the present step leads: its own ends, or from where the message was before. */
function hop(step: Position["step"], rows: Position["rows"], index: number): [LaneId, LaneId] {
  if (step.from !== undefined && step.to !== undefined) return [step.from, step.to];
  if (!step.onWay) return [step.lane, step.lane];
  for (let before = index - 1; before >= 0; before--) {
    if (rows[before].step.onWay) return [rows[before].step.lane, step.lane];
  }
  return [step.lane, step.lane];
}

/** What a layer does now, or has done last. */
function content(position: Position, lane: LaneId, { width, isLarge }: Half): string[] {
  const { message, step, row, until } = position;
  const room = width - 4;
  const line = (text: string) =>
    paint("frame", "│") + left(text === "" ? "" : ` ${text}`, width - 2) + paint("frame", "│");
  const texts: string[] = [];
  if (step.lane === lane) {
    const duration = step.durationPs > 0 ? `${us(step.durationPs)} us` : "";
    texts.push(spread(paint(roleOf(lane), rowText(row)), duration, room), sanitize(step.detail));
  } else {
    const last = message.steps.slice(0, until + 1).findLast((other) => other.lane === lane);
    texts.push(last === undefined ? "" : paint("dim", sanitize(last.what)), "");
  }
  return texts.slice(0, isLarge ? 2 : 1).map((text) => line(cut(text, room)));
}

/** Rings, grants and notifications of the guest. */
function shared(position: Position, side: Side, { width, isLarge }: Half): string[] {
  const now = sharedNow(position, side);
  const line = (text: string) => paint("frame", "┆") + left(` ${text}`, width - 2) + paint("frame", "┆");
  const lines = chosenRings(now, isLarge ? 4 : 2).map((ring) => line(ringLine(ring, width - 4)));
  return [...lines, line(countsText(now, width - 4))];
}

/** A device with several queues has more rings than fit: those that the message has used come first. */
function chosenRings({ rings }: SharedNow, count: number): SharedNow["rings"] {
  if (rings.length <= count) return rings;
  const used = rings.filter(({ marks }) => marks.size > 0);
  const chosen = [...used, ...rings.filter((ring) => !used.includes(ring))].slice(0, count);
  return rings.filter((ring) => chosen.includes(ring));
}

/** Grants and notifications in words, in fewer where there is little room. */
function countsText({ grants, sent, suppressed }: SharedNow, width: number): string {
  const long = grants === null ? "" : `grants ${grants.active}, mapped ${grants.mapped}   `;
  const short = grants === null ? "" : `grants ${grants.active}/${grants.mapped}  `;
  const text = `${long}notifications ${sent} sent, ${suppressed} not needed`;
  return text.length <= width ? text : cut(`${short}notify ${sent}, saved ${suppressed}`, width);
}

// ---- between the hosts

/** The clock at the top, the wire at the height of the NICs. */
function centre(model: Model, position: Position, width: number, height: number, isLarge: boolean): string[] {
  const { message, clockPs, step } = position;
  const middle = (text: string) => {
    const space = Math.max(0, width - widthOf(text));
    return left(" ".repeat(Math.floor(space / 2)) + text, width);
  };
  const now = model.anatomy.playing ? clockPs : step.atPs;
  const lines = new Array<string>(height).fill(" ".repeat(width));
  const fraction = message.latencyPs === 0 ? 0 : Math.min(1, now / message.latencyPs);
  const barWidth = width - 4;
  const filled = Math.floor(fraction * barWidth);
  lines[1] = middle(paint("title", `t ${us(now)} us`));
  lines[2] = middle(paint("accent", "━".repeat(filled)) + paint("frame", "─".repeat(barWidth - filled)));
  lines[3] = middle(paint("dim", "since the send call"));
  const wire = wireLines(position, width);
  // The last layer of the stack is the NIC: one line of it, or two.
  const at = height - 1 - (isLarge ? 2 : 1) - (wire.length - (isLarge ? 2 : 1));
  wire.forEach((line, index) => lines[at + index] = line);
  if (step.lane === "wire") {
    lines[at - 2] = middle(paint("select", `▸${titleOf(message.lanes, "wire")} `));
    lines[at - 1] = middle(cut(rowText(position.row), width));
  }
  return lines;
}

// ---- a small screen

/** All lanes in one line, the present one in brackets; what it does; rings, grants and notifications. */
export function strip(model: Model, width: number, height: number): string[] {
  const position = positionOf(model);
  const title = titleText(model, position);
  if (position === null) return frame(emptyText(model.anatomy), { title, width, height, focused: true });
  const { message, step, row } = position;
  const inner = width - 2;
  const names = message.lanes.map(({ id }) => {
    const name = id === "wire" ? wireName(position) : shortName(position, id);
    return id === step.lane ? paint("select", `[${name}]`) : paint(roleOf(id), name);
  });
  const place = ` ${message.from} ${names.join(" ")} ${message.to}`;
  const time = `t ${us(model.anatomy.playing ? position.clockPs : step.atPs)} us`;
  const lines = [
    spread(cut(place, inner), "", inner),
    ` ${paint("title", time)}  ${rowText(row)}`,
    stripShared(position, "from"),
    stripShared(position, "to"),
    ` ${paint("dim", sanitize(step.detail))}`,
  ];
  return frame(lines.slice(0, height - 2), {
    title,
    note: [`${classShort(model.anatomy)}  ${us(message.latencyPs)} us`, `${us(message.latencyPs)} us`],
    width,
    height,
    focused: true,
  });
}

function shortName({ message }: Position, id: LaneId): string {
  const layer = id.slice(id.indexOf(" ") + 1);
  if (layer === "hypervisor") return titleOf(message.lanes, id).split(" ")[0];
  if (layer === "backend") return titleOf(message.lanes, id).split(" ")[0];
  return layer === "nic" ? "NIC" : layer;
}

function wireName({ step }: Position): string {
  if (step.lane !== "wire" || step.from === undefined) return "~~~~~~~";
  return step.from === "from nic" ? "~frame>" : "<frame~";
}

/** Rings, grants and notifications of one side in one line; nothing where it has none. */
function stripShared(position: Position, side: Side): string {
  const now = sharedNow(position, side);
  if (now.rings.length === 0 && now.grants === null) return "";
  const rings = now.rings.map((ring) => `${ringShort(ring)}  `).join("");
  const grants = now.grants === null ? "" : `grants ${now.grants.active}/${now.grants.mapped}  `;
  return ` ${sanitize(position.message[side])}: ${rings}${grants}notify ${now.sent}, saved ${now.suppressed}`;
}
