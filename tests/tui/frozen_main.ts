/**
 * The dashboard on invented numbers in a world that stands still: `deno run tests/tui/frozen_main.ts [scenario]`. Every
 * run has been going on for 2.3 virtual seconds when it opens, and goes no further, so that a screen is always the same.
 * Scenario 1 has a tour, scenario 3 follows a log, which is over with the next step. What is compared comes to 2.3 s in
 * as many looks on any machine, and is over there. Another turn goes as far as it is sent.
 */
import { PATHS } from "../../src/path/registry.ts";
import { ANATOMY_SUBJECTS } from "../../src/report/anatomy.ts";
import { runDashboard } from "../../src/tui/app.ts";
import type { DashboardRun } from "../../src/tui/run.ts";
import { recordClass } from "../report/record_class.ts";
import { fakeOptions, type FakeRun } from "./fake_run.ts";
import { FAKE_TOUR } from "./fake_tour.ts";

const AT_PS = 2.3e12;
const LOOK_PS = 0.1e12;
/** Virtual time between two looks at what is compared. */
const COMPARED_LOOK_PS = 0.46e12;

/** Ten looks in a virtual second, and no more. */
function frozen(run: FakeRun): FakeRun {
  for (let atPs = LOOK_PS; atPs <= AT_PS; atPs += LOOK_PS) {
    run.advance(atPs, Infinity);
    run.live();
  }
  run.advance = () => true;
  const rewind = run.rewind.bind(run);
  run.rewind = async (...where) => {
    const rewinding = await rewind(...where);
    return { ...rewinding, advance: (maxEvents) => inOneGo(rewinding.advance(maxEvents)) };
  };
  return run;
}

/** Nobody looks on the way to where it is sent. */
function inOneGo(run: DashboardRun | null): DashboardRun | null {
  if (run === null) return null;
  const advance = run.advance.bind(run);
  run.advance = (until) => advance(until, Infinity);
  return run;
}

/** Whenever it is looked at, it may go on to the instant of the next look. */
function inLooks(run: FakeRun): FakeRun {
  let upTo = 0;
  const [summary, advance] = [run.summary.bind(run), run.advance.bind(run)];
  run.summary = () => {
    upTo = Math.min(AT_PS, run.now + COMPARED_LOOK_PS);
    return summary();
  };
  run.advance = (until) => {
    advance(upTo, Infinity);
    return run.now >= until;
  };
  return Object.defineProperty(run, "finished", { get: () => run.now >= AT_PS });
}

function following(run: FakeRun): DashboardRun {
  let told = false;
  const text = "the same fingerprint as in the log: 91f0c2d37a5be846 after 2 300 000 events";
  const replay = {
    get isFollowing() {
      return run.now <= AT_PS;
    },
    takeVerdict() {
      if (told || run.now <= AT_PS) return null;
      told = true;
      return { level: "info", text } as const;
    },
  };
  return Object.assign(run, { replay });
}

/** Recordings of two classes are enough to look at. */
const RECORDED = [ANATOMY_SUBJECTS[0], ANATOMY_SUBJECTS[3]];

const options = fakeOptions(Deno.args[0] ?? "scale-40-vms");

Deno.exit(
  await runDashboard({
    ...options,
    anatomy: (_, path) => {
      const known = PATHS.find(({ name }) => name === path)!;
      const made = RECORDED.map((subject) => recordClass(known, { machine: "vhpc12", costs: {}, mtu: 9000 }, subject));
      return Promise.resolve(made.values());
    },
    open(name, overrides) {
      const run = options.open(name, overrides);
      if (overrides.oneOfMany) return inLooks(run);
      const still = frozen(run);
      if (name === "pingpong-tiny") return Object.assign(still, { tour: FAKE_TOUR });
      return name === "throughput-4m" ? following(still) : still;
    },
  }),
);
