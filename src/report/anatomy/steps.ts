import type { JourneyStep } from "../../metrics/journey.ts";
import { type StageName, STAGES } from "../../metrics/stage.ts";
import type { Field } from "../../mx/wire/mod.ts";
import type { SlotKind } from "../../sim/trace.ts";
import { WORDS } from "../explain.ts";
import type {
  CopySeen,
  ExitSeen,
  FrameSeen,
  GrantSeen,
  Happening,
  QueueSeen,
  SignalSeen,
  SlotSeen,
} from "./happenings.ts";
import type { LaneId, LaneMap } from "./lanes.ts";
import type { Recorded } from "./recorder.ts";
import { copyText, grantFields, grantText, signalText } from "./words.ts";

/** What kind of thing a step is. `work` and `wait` are the message's own time; the others happen along its way. */
export type StepKind = "work" | "wait" | Happening["kind"];

/** One step of a message, or something that happened beside it. */
export interface AnatomyStep {
  /** Since the send call, and how long it takes; picoseconds. */
  readonly atPs: number;
  readonly durationPs: number;
  readonly kind: StepKind;
  /** The steps of the way follow one another, and their durations add up to the latency. All others lie beside it. */
  readonly onWay: boolean;
  readonly stage: StageName | null;
  readonly lane: LaneId;
  /** Of a notification or a frame: from where to where it goes. */
  readonly from?: LaneId;
  readonly to?: LaneId;
  readonly what: string;
  readonly detail: string;
  /** What there is to read of it: a frame's fields, a slot's. */
  readonly fields: readonly Field[];
  /** Steps beside the way that have this in common are of one sort, and can be shown as one. */
  readonly sort: string;
  /** Of a slot: which ring (an index into the rings of the message), and which of its indexes. */
  readonly slot?: RingStep;
  /** Of a grant: the guest's grants after it, given and mapped. */
  readonly grants?: { readonly active: number; readonly mapped: number };
  /** Whether a notification goes with it, is asked for and goes, or is not needed. */
  readonly notify?: "sent" | "suppressed";
}

export interface RingStep {
  readonly ring: number;
  readonly way: SlotKind;
  readonly taken: boolean;
  readonly from: number;
  readonly to: number;
  readonly used: number;
}

/** A step that is being made: what has happened in it may still be added. */
type Draft = { -readonly [key in keyof AnatomyStep]: AnatomyStep[key] } & { place: string; side: number };

/** The steps of the way, which are the journey's, with what happened in them and beside them, in the order of time. */
export function stepsOf(recorded: Recorded, lanes: LaneMap): AnatomyStep[] {
  const start = recorded.steps[0].from;
  const way = recorded.steps.map((step) => wayStep(step, recorded, lanes, start));
  const beside: AnatomyStep[] = [];
  for (const seen of recorded.happenings) {
    const place = owner(way, seen, start);
    if (place === undefined) beside.push(besideStep(seen, recorded, lanes, start));
    else add(place, seen, lanes);
  }
  // What ends a step is told before the next one begins: at the same instant, happenings come first.
  const all: AnatomyStep[] = [...beside, ...way];
  return all.map((step, index) => ({ step, index })).sort((x, y) =>
    x.step.atPs - y.step.atPs || Number(x.step.onWay) - Number(y.step.onWay) || x.index - y.index
  ).map(({ step }) => finished(step));
}

function finished(step: AnatomyStep): AnatomyStep {
  const { place: _place, side: _side, ...rest } = step as Draft;
  return rest;
}

function wayStep(step: JourneyStep, { charges }: Recorded, lanes: LaneMap, start: number): Draft {
  const { place, from, duration, side } = step;
  const stage = STAGES[step.stage];
  // The class in which most of it was charged; nothing was where the message only waited.
  const spent = new Map<string, number>();
  for (const charge of charges) {
    if (charge.place !== place || charge.stage !== stage) continue;
    if (charge.from < from || charge.from >= from + duration) continue;
    spent.set(charge.cls, (spent.get(charge.cls) ?? 0) + charge.duration);
  }
  const [cls = null] = [...spent].sort((x, y) => y[1] - x[1]).map(([name]) => name);
  // What a NIC and a wire do is booked when it is over, as waiting is.
  const isWait = step.workFrom < 0 && stage !== "nic" && stage !== "wire" && stage !== "poll";
  return {
    ...{ atPs: from - start, durationPs: duration, kind: isWait ? "wait" : "work", onWay: true, stage },
    ...{ lane: lanes.of(place, stage, cls), what: WORDS[stage], detail: "", fields: [], sort: "", place, side },
  };
}

// ---- what happens within a step of the way

/** The step of the way that this happening is the work of, if there is one. */
function owner(way: readonly Draft[], seen: Happening, start: number): Draft | undefined {
  const at = seen.at - start;
  const holds = ({ atPs, durationPs }: Draft) => at >= atPs && at <= atPs + durationPs;
  if (seen.kind === "copy") {
    return way.find((step) =>
      step.stage === "copy" && step.place === seen.place && at < step.atPs + step.durationPs && holds(step)
    );
  }
  if (seen.kind === "grant") {
    return way.find((step) =>
      step.stage === "grant" && seen.act !== "grant" && seen.act !== "end" && holds(step) && at > step.atPs
    );
  }
  if (seen.kind === "frame" && seen.isWire) {
    // The message is on the wire until the frame's last bit has flown.
    const end = at + seen.flightPs;
    return way.find((step) => step.stage === "wire" && step.side === seen.way && step.atPs + step.durationPs === end);
  }
  return undefined;
}

function add(step: Draft, seen: Happening, lanes: LaneMap): void {
  const more = (text: string) => step.detail = step.detail === "" ? text : `${step.detail}; ${text}`;
  if (seen.kind === "copy") more(copyText(seen));
  if (seen.kind === "grant") {
    more(grantText(seen));
    step.grants = { active: seen.active, mapped: seen.mapped };
    step.fields = [...step.fields, ...grantFields(seen)];
  }
  if (seen.kind === "frame") {
    step.what = `wire: ${seen.type} frame, ${seen.bytes} B`;
    step.kind = "frame";
    step.fields = seen.fields;
    more(seen.text);
    Object.assign(step, endsOf(seen, lanes));
  }
}

// ---- what happens beside the way

function besideStep(seen: Happening, recorded: Recorded, lanes: LaneMap, start: number): AnatomyStep {
  const step = { atPs: seen.at - start, durationPs: 0, kind: seen.kind, onWay: false, stage: null, fields: [] };
  switch (seen.kind) {
    case "frame":
      return { ...step, ...frameStep(seen, lanes, start) };
    case "slot":
      return { ...step, ...slotStep(seen, recorded, lanes) };
    case "grant":
      return { ...step, ...grantStep(seen, lanes) };
    case "copy":
      return { ...step, ...copyStep(seen, recorded, lanes) };
    case "signal":
      return { ...step, ...signalStep(seen, lanes) };
    case "exit":
      return { ...step, ...exitStep(seen, lanes) };
    case "queue":
      return { ...step, ...queueStep(seen, lanes) };
  }
}

type Beside = Pick<AnatomyStep, "lane" | "what" | "detail" | "sort"> & Partial<AnatomyStep>;

function frameStep(seen: FrameSeen, lanes: LaneMap, start: number): Beside {
  const lost = seen.lost === "" ? "" : ` (${seen.lost})`;
  const { fields, text: detail } = seen;
  if (!seen.isWire) {
    const lane = lanes.on(seen.host, "kernel");
    const what = `${seen.type} frame ${seen.way === 0 ? "out by" : "in by"} ${seen.tap}, ${seen.bytes} B${lost}`;
    return { lane, what, detail, fields, sort: `frame ${seen.tap} ${seen.way} ${seen.type}` };
  }
  return {
    ...endsOf(seen, lanes),
    lane: "wire",
    atPs: seen.from - start,
    durationPs: seen.at - seen.from + seen.flightPs,
    what: `${seen.type} frame, ${seen.bytes} B${lost}`,
    ...{ detail, fields, sort: `frame ${seen.way} ${seen.type}` },
  };
}

function endsOf(seen: FrameSeen, lanes: LaneMap): { from: LaneId; to: LaneId } {
  const from = lanes.on(seen.host, "nic");
  return { from, to: from === "from nic" ? "to nic" : "from nic" };
}

function slotStep(seen: SlotSeen, { rings }: Recorded, lanes: LaneMap): Beside {
  const { name, size, slots, host } = rings[seen.ring];
  const { way, from, to, taken, used } = seen;
  const count = to - from;
  const first = from % slots;
  const where = count === 1 ? `${first}` : `${first}-${(to - 1) % slots}`;
  const verb = taken ? "taken" : "published";
  const asked = seen.notify === null
    ? ""
    : seen.notify
    ? "; the other end is to be told"
    : "; no notification is needed";
  // The guest's end publishes requests and takes responses.
  const isGuests = (way === "request") !== taken;
  const fields: Field[] = [["ring", `${name}, ${used} of ${size} in use`], ["index", from], ...seen.fields];
  return {
    lane: lanes.on(host, isGuests ? "kernel" : "backend"),
    what: `${name}: slot ${where} ${verb}, ${seen.what}`,
    detail: seen.fields.map(([key, value]) => `${key} ${value}`).join(", ") + asked,
    fields,
    sort: `slot ${seen.ring} ${way} ${taken} ${seen.what}`,
    slot: { ring: seen.ring, way, taken, from, to, used },
    ...(seen.notify === false ? { notify: "suppressed" } : {}),
  };
}

function grantStep(seen: GrantSeen, lanes: LaneMap): Beside {
  const isGuests = seen.act === "grant" || seen.act === "end";
  return {
    lane: lanes.on(seen.host, isGuests ? "kernel" : "hypervisor"),
    durationPs: seen.until - seen.at,
    what: grantText(seen),
    detail: `the guest grants ${seen.active} pages, ${seen.mapped} of them are mapped`,
    fields: grantFields(seen),
    sort: `grant ${seen.host} ${seen.act}`,
    grants: { active: seen.active, mapped: seen.mapped },
  };
}

function copyStep(seen: CopySeen, { charges }: Recorded, lanes: LaneMap): Beside {
  const charge = charges.find(({ place, stage, from }) => place === seen.place && stage === "copy" && from === seen.at);
  return {
    lane: lanes.of(seen.place, "copy", charge?.cls ?? "kernel"),
    durationPs: charge?.duration ?? 0,
    what: copyText(seen),
    detail: "",
    fields: [["bytes", seen.bytes], ["way", seen.way]],
    sort: `copy ${seen.place} ${seen.way}`,
  };
}

function signalStep(seen: SignalSeen, lanes: LaneMap): Beside {
  const { what: said, place, host } = seen;
  const lane = lanes.ofPlace(place);
  const kernel = lanes.on(host, "kernel");
  const isSent = /^(notify \d+|kick)$/.test(said);
  const other = lane === kernel ? lanes.on(host, "backend") : kernel;
  const what = signalText(said, lane.endsWith("nic"));
  const ends = isSent ? { from: lane, to: other } : { from: lanes.on(host, "hypervisor"), to: lane };
  return { lane, ...ends, what, detail: place, sort: `signal ${place} ${said}`, ...(isSent ? { notify: "sent" } : {}) };
}

function exitStep({ host, place, access, register, value }: ExitSeen, lanes: LaneMap): Beside {
  const text = access === "read" ? `read of ${register}: 0x${value.toString(16)}` : `write ${register} = ${value}`;
  return {
    lane: lanes.on(host, "hypervisor"),
    from: lanes.on(host, "kernel"),
    to: lanes.on(host, "backend"),
    what: `VM exit: ${text}`,
    detail: place,
    fields: [["access", access], ["register", register], ["value", value]],
    sort: `exit ${place} ${access} ${register}`,
  };
}

function queueStep({ host, name, isNic, used }: QueueSeen, lanes: LaneMap): Beside {
  const lane = lanes.on(host, isNic ? "nic" : "kernel");
  return { lane, what: `${name}: ${used} in use`, detail: "", sort: `queue ${name}` };
}
