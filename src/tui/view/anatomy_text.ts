import type { AnatomyStep, Lane, LaneId } from "../../report/anatomy.ts";
import type { Row } from "../anatomy/rows.ts";
import { isFolded } from "../anatomy/rows.ts";
import { type AnatomyState, PLAY_SPEEDS, type Position, speedOf } from "../anatomy/state.ts";
import type { Model } from "../model.ts";
import { paint, type Role, sanitize } from "../text.ts";

/** Picoseconds as microseconds with three decimals: the study's unit, and the profile's nanoseconds still show. */
export function us(ps: number): string {
  return (ps / 1e6).toFixed(3);
}

/** Whose colour a lane has, as in the other panes: the guest's work, the hypervisor's, the driver domain's. */
export function roleOf(lane: LaneId): Role {
  if (lane === "wire") return "link";
  const layer = lane.slice(lane.indexOf(" ") + 1);
  const roles: Readonly<Record<string, Role>> = {
    program: "guest",
    kernel: "kernel",
    hypervisor: "hypervisor",
    backend: "dom0",
    nic: "link",
  };
  return roles[layer] ?? "dim";
}

/** What a row says: of many steps of one sort, how many there are. */
export function rowText(row: Row): string {
  const { step, members } = row;
  return sanitize(isFolded(row) ? `${members.length} x ${step.what}` : step.what);
}

/** A lane's title; of one that a message does not have, its id. */
export function titleOf(lanes: readonly Lane[], id: LaneId): string {
  return sanitize(lanes.find((lane) => lane.id === id)?.title ?? id);
}

/** The name of a class on its tab. */
function className({ name, sizeText, isFirst }: Position["message"]): string {
  return `${name} ${sizeText}${isFirst ? " first" : ""}`;
}

/** The classes that there are, the chosen one marked. */
export function classTabs({ classes, chosen, isComplete }: AnatomyState): string {
  const tabs = classes.map((message, index) =>
    index === chosen ? paint("select", `[${className(message)}]`) : paint("dim", ` ${className(message)} `)
  );
  return tabs.join("") + (isComplete ? "" : paint("dim", " ..."));
}

/** The same where there is little room: which of how many is chosen. */
export function classShort({ classes, chosen }: AnatomyState): string {
  return `class ${chosen + 1} of ${classes.length}`;
}

/** Playing and how fast, or which step is stopped at. */
export function playState({ anatomy }: Model, { index, rows }: Position): string {
  const speed = `${PLAY_SPEEDS[speedOf(anatomy)]} us/s`;
  const state = anatomy.playing ? paint("ok", `PLAYING ${speed}`) : paint("warn", "STOPPED");
  return `${state}  step ${index + 1} of ${rows.length}`;
}

/** Why there is nothing to show yet, or at all. */
export function emptyText({ failure, isComplete, path }: AnatomyState): string[] {
  if (failure !== null) {
    return [
      paint("error", " no recording"),
      "",
      ...failure.split("\n").map((line) => ` ${sanitize(line)}`),
    ];
  }
  if (isComplete) return [" there is no such message"];
  return [paint("dim", ` recording one message of each class on ${sanitize(path)} ...`)];
}

/** Whether a step is at work at an instant. */
export function isUnderWay({ atPs, durationPs }: AnatomyStep, clockPs: number): boolean {
  return clockPs >= atPs && clockPs < atPs + durationPs;
}
