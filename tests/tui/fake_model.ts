import { initialModel, type Model } from "../../src/tui/model.ts";
import { update } from "../../src/tui/update.ts";
import type { Message } from "../../src/tui/message.ts";
import { fakeOptions } from "./fake_run.ts";

/** A model of the fake after `seconds` of virtual time, a sample every 100 ms, as the dashboard would have it. */
export function modelOf(options: {
  columns: number;
  rows: number;
  scenario?: string;
  path?: string;
  seconds?: number;
  monochrome?: boolean;
  /** With the hint of the first seconds in the notice line. */
  isFirst?: boolean;
}): Model {
  const { columns, rows, scenario = "scale-40-vms", path, seconds = 2.35, monochrome = true, isFirst = false } =
    options;
  const fake = fakeOptions(scenario);
  const run = fake.open(scenario, { path });
  const { open: _, ...given } = fake;
  let model = initialModel({ ...given, theme: monochrome ? "monochrome" : "standard", columns, rows });
  if (!isFirst) model = { ...model, hint: null };
  model = update(model, {
    type: "opened",
    scenario,
    path: path ?? null,
    live: run.live(),
    nowPs: run.now,
    endPs: run.end,
  })[0];
  for (let at = 0.1; at <= seconds; at += 0.1) {
    run.advance(Math.round(at * 1e12), Infinity);
    model = update(model, { type: "frame", live: run.live(), nowPs: run.now, finished: run.finished, pace: 0.83 })[0];
  }
  return model;
}

/** The model after these messages; strings are keys. */
export function after(model: Model, ...messages: (Message | string)[]): Model {
  return messages.reduce<Model>(
    (current, message) => update(current, typeof message === "string" ? { type: "key", key: message } : message)[0],
    model,
  );
}
