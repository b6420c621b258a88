import type { Update } from "../message.ts";
import type { Model } from "../model.ts";
import { rowOfStep, rowsOf } from "./rows.ts";
import {
  type AnatomyState,
  clockOf,
  hashesOf,
  lastBegun,
  NO_ANATOMY,
  PLAY_SPEEDS,
  positionOf,
  speedOf,
} from "./state.ts";

/* What can be done with a recorded message: steps, playing, another class or path. */

/** Has messages of the scenario recorded on a path; what was shown of another is gone. */
export function ask(model: Model, path: string): Update {
  const { scenario, anatomy } = model;
  const { unfolded, wayOnly, chosen } = anatomy;
  const [asked, hashes] = [anatomy.asked + 1, hashesOf(model)];
  const fresh: AnatomyState = { ...NO_ANATOMY, asked, scenario, path, hashes, unfolded, wayOnly, chosen };
  return [{ ...model, anatomy: fresh }, [{ type: "anatomy", asked, scenario, path }]];
}

/** Shows it otherwise. */
export function change(model: Model, to: Partial<AnatomyState>): Update {
  return [{ ...model, anatomy: { ...model.anatomy, ...to } }, []];
}

/** Stops at a row. */
export function goTo(model: Model, row: number): Update {
  const position = positionOf(model);
  if (position === null) return [model, []];
  const { rows } = position;
  const index = Math.max(0, Math.min(row, rows.length - 1));
  return change(model, { row: index, clockPs: clockOf(rows[index].step), playing: false, scroll: 0 });
}

/** Another class of message, from its beginning. */
export function choose(model: Model, by: 1 | -1): Update {
  const { classes, chosen } = model.anatomy;
  if (classes.length === 0) return [model, []];
  const next = (Math.min(chosen, classes.length - 1) + by + classes.length) % classes.length;
  return change(model, { chosen: next, row: 0, clockPs: 0, playing: false, speed: null, scroll: 0 });
}

/** Another path, which has to be recorded first. */
export function otherPath(model: Model, by: 1 | -1): Update {
  const { paths, anatomy } = model;
  if (paths.length === 0) return [model, []];
  return ask(model, paths[(paths.indexOf(anatomy.path) + by + paths.length) % paths.length]);
}

/** Another choice of rows: the step stays the present one, or the nearest before it that is shown. */
export function showRows(model: Model, choice: Partial<Pick<AnatomyState, "unfolded" | "wayOnly">>): Update {
  const position = positionOf(model);
  const anatomy = { ...model.anatomy, ...choice, scroll: 0 };
  if (position === null) return change(model, choice);
  const rows = rowsOf(position.message, anatomy);
  const row = rowOfStep(rows, position.row.members[0]);
  return change(model, { ...choice, row, scroll: 0 });
}

/** Plays on, from the beginning where it is at its end, or stops. */
export function play(model: Model): Update {
  const position = positionOf(model);
  if (position === null) return [model, []];
  if (model.anatomy.playing) return change(model, { playing: false });
  const isAtEnd = position.index === position.rows.length - 1;
  return change(model, { playing: true, ...(isAtEnd ? { clockPs: 0, row: 0 } : {}), scroll: 0 });
}

/** Plays faster or slower. */
export function setSpeed(model: Model, by: 1 | -1): Update {
  const speed = speedOf(model.anatomy) + by;
  return change(model, { speed: Math.max(0, Math.min(speed, PLAY_SPEEDS.length - 1)) });
}

/** Wall time has gone by: the virtual time that is played goes on. */
export function tick(model: Model, wallMs: number): Model {
  const { anatomy } = model;
  const position = anatomy.playing ? positionOf(model) : null;
  if (position === null) return model;
  const { message, rows } = position;
  const perMs = PLAY_SPEEDS[speedOf(anatomy)] * 1e6 / 1000;
  const clockPs = Math.min(message.latencyPs, Math.round(anatomy.clockPs + perMs * wallMs));
  const playing = clockPs < message.latencyPs;
  const row = playing ? rowOfStep(rows, lastBegun(message.steps, clockPs)) : rows.length - 1;
  return { ...model, anatomy: { ...anatomy, clockPs, row, playing } };
}
