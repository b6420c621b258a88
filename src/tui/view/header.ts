import { counted } from "../../base/counted.ts";
import { pace, seconds } from "../format.ts";
import { limitOf, type Model, REAL_TIME, type RunState, speedName, SPEEDS, stateOf, travelOf } from "../model.ts";
import { cut, left, paint, type Role, sanitize, spread, width as widthOf } from "../text.ts";
import { presentNumber } from "../time.ts";

const STATE_ROLES: Record<RunState, Role> = {
  RUNNING: "ok",
  PAUSED: "warn",
  DONE: "accent",
  FAILED: "error",
  REWINDING: "accent",
  "GOING ON": "accent",
  STEPPING: "accent",
};

/** The pace changes all the time; what stands behind it should not move. */
const PACE_WIDTH = 7;

/** Runs that would end later than this go on until the user has seen enough. */
const OPEN_END_PS = 600e12;

/** Two lines: what runs, and where it is in virtual time and how fast. */
export function header(model: Model, width: number, height: number): string[] {
  return [whatRuns(model, width), whereItIs(model, width)].slice(0, height);
}

/** Name, path and size at the left, the state always at the right: it is what one looks for. */
function whatRuns(model: Model, width: number): string {
  const scenario = model.scenarios.find((item) => item.name === model.scenario);
  const snapshot = model.live?.snapshot;
  const state = paint(STATE_ROLES[stateOf(model)], stateText(model));
  // A file of the user's own has no number, and no key.
  const number = scenario && scenario.number > 0 ? paint("key", `${scenario.number} `) : "";
  const start = ` ${paint("title", "mxtop")}  ${number}` +
    paint("title", sanitize(model.scenario));
  const path = sanitize(snapshot?.scenario.path ?? model.path ?? "");
  const replay = model.replay ? `${paint("accent", "REPLAY")} ` : "";
  const room = width - 3 - widthOf(state) - widthOf(replay);
  const items = [
    ...(model.compare.open ? whatIsCompared(model, room - widthOf(start) - 3) : [
      `${paint("dim", "path")} ${paint("accent", path)}`,
      `${counted(snapshot?.guests.length ?? 0, "guest")} / ${counted(snapshot?.hosts.length ?? 0, "host")}`,
    ]),
    `${paint("dim", "seed")} ${snapshot?.scenario.seed ?? "-"}`,
  ];
  return spread(joinWhile(start, items, room), `${replay}${state} `, width);
}

/** The paths by name where there is room, and what they are measured against: guests are those of the single run. */
function whatIsCompared({ compare: { chosen, base } }: Model, room: number): string[] {
  const names = `comparing ${chosen.map(sanitize).join(", ")}`;
  const what = names.length <= room ? names : `comparing ${counted(chosen.length, "path")}`;
  return [paint("accent", what), `${paint("dim", "base")} ${sanitize(base)}`];
}

/** RUNNING; REWINDING 43 %, 3 s left; and the turn from the second on. */
function stateText(model: Model): string {
  const travel = travelOf(model);
  const turn = model.time.turns.length > 0 && !model.compare.open ? `turn ${presentNumber(model)}   ` : "";
  if (travel === null || travel.kind === "message") return turn + stateOf(model);
  const left = travel.leftMs === null ? "" : `, ${Math.max(1, Math.round(travel.leftMs / 1000))} s left`;
  return `${turn}${stateOf(model)} ${Math.floor(travel.progress * 100)} %${left}`;
}

function whereItIs(model: Model, width: number): string {
  // Slow motion needs digits, and a cluster so large that it creeps; at full speed they would only flicker.
  const speed = SPEEDS[model.speed];
  const isCreeping = model.pace > 0 && model.pace < 1e-3;
  const decimals = !model.running || speed < 1e-3 ? 9 : speed < 0.1 || isCreeping ? 6 : 3;
  // A workload may be through long before the end that the scenario sets.
  const fraction = model.finished ? 1 : model.endPs > 0 ? Math.min(1, model.nowPs / model.endPs) : 0;
  const barWidth = width < 100 ? 6 : Math.min(30, Math.floor(width / 8));
  const filled = Math.floor(fraction * barWidth);
  // Nobody waits for an end that is far away: then there is no progress to show.
  const endless = model.endPs > OPEN_END_PS;
  const progress = endless ? "" : `${paint("dim", " of")} ${seconds(model.endPs, 3)}`;
  const barText = paint("accent", "━".repeat(filled)) + paint("frame", "─".repeat(barWidth - filled));
  const start = ` ${paint("dim", "t")} ${paint("title", seconds(model.nowPs, decimals))}${progress} s` +
    (endless ? "" : ` ${barText}`);
  const items = [`${paint("title", left(pace(model.pace), PACE_WIDTH))} real time`];
  if (model.speed !== REAL_TIME) items.push(`${paint("dim", "speed")} ${paint("warn", speedName(model.speed))}`);
  const line = joinWhile(start, items, width);
  const limit = model.compare.open ? undefined : limitOf(model);
  const title = model.scenarios.find((item) => item.name === model.scenario)?.title ?? "";
  if (limit === undefined) return left(joinWhile(line, [paint("dim", sanitize(title))], width), width);
  // Its name is worth showing even where the reason has to be cut.
  const room = width - widthOf(line) - 3;
  const what = `${paint("dim", "limit")} ${paint("accent", sanitize(limit.what))}`;
  if (room < widthOf(what)) return left(line, width);
  const why = cut(`${what} ${sanitize(limit.why)}`, room);
  return left(joinWhile(`${line}   ${why}`, [paint("dim", sanitize(title))], width), width);
}

/** Appends items as long as they fit: the least important one goes first on a narrow screen. */
function joinWhile(start: string, items: readonly string[], width: number): string {
  let line = start;
  for (const item of items) {
    if (widthOf(line) + 3 + widthOf(item) > width) break;
    line += `   ${item}`;
  }
  return line;
}
