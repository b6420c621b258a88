import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import type { Session } from "../../src/cluster/session.ts";
import { COST_NAMES } from "../../src/hw/machine_profile.ts";
import { type StageName, STAGES } from "../../src/metrics/stage.ts";
import { PATHS } from "../../src/path/registry.ts";
import { run, type ScenarioOptions, totals } from "../support/scenario.ts";

/* Figures that a user may rely on: those that are published, and those that follow from arithmetic. */

const TINY = ["0 B", "1 B", "8 B", "32 B"];

/** Median round trip of each size, microseconds. */
function roundTrips(options: Omit<ScenarioOptions, "workload">, sizes: string[] = TINY, iterations = 40): number[] {
  return pingpong(options, sizes, iterations).rows.rows.map(({ rttUs }) => rttUs!);
}

function pingpong(options: Omit<ScenarioOptions, "workload">, sizes: string[], iterations = 40): Session {
  return run({ ...options, workload: { kind: "pingpong", sizes, iterations } });
}

function near(value: number, wanted: number, percent: number, what: string): void {
  assert.ok(Math.abs(value - wanted) <= wanted * percent / 100, `${what}: ${value}, wanted ${wanted} +-${percent} %`);
}

/** Mean microseconds of a message in a stage. */
function stageUs(session: Session, stage: StageName): number {
  const { sums, finished } = session.cluster.world.journeys;
  return sums[STAGES.indexOf(stage)] / finished / 1e6;
}

Deno.test("a native round trip of 0 to 32 bytes takes 12 us", () => {
  for (const rtt of roundTrips({})) near(rtt, 12, 3, "native");
});

Deno.test("a Xen2MX guest against a native node takes 14 us", () => {
  for (const rtt of roundTrips({ path: ["xen2mx", "native"] })) near(rtt, 14, 4, "xen2mx");
});

Deno.test("without its tuning Xen2MX is far slower: notifications, wake-ups and VCPU switches are what it waits for", () => {
  const tuned = pingpong({ path: ["xen2mx", "native"] }, TINY);
  const plain = pingpong({ path: ["xen2mx-plain", "native"] }, TINY);
  for (const [i, { rttUs }] of plain.rows.rows.entries()) assert.ok(rttUs! >= 1.3 * tuned.rows.rows[i].rttUs!);
  const more = (stages: StageName[]) =>
    stages.reduce((sum, stage) => sum + stageUs(plain, stage) - stageUs(tuned, stage), 0);
  const all = more([...STAGES]);
  assert.ok(all > 2);
  near(more(["notification", "wakeup", "hypervisor", "interrupt"]), all, 5, "share of the difference");
});

Deno.test("to sleep until a message comes is not faster than to look for it, where no idle state is left either", () => {
  for (const { name: path } of PATHS) {
    const rtt = (wait: string) => {
      const workload = { kind: "pingpong", sizes: ["16 B"], iterations: 40, wait };
      return run({ path, workload, costs: { idleExit: 0 } }).rows.rows[0].rttUs!;
    };
    assert.ok(rtt("block") > rtt("poll"), `${path}: ${rtt("block")} us blocked, ${rtt("poll")} us polled`);
  }
});

Deno.test("a native stream of 4 MiB messages carries 1192 MB/s", () => {
  const workload = { kind: "stream", size: "4 MiB", direction: "one-way" };
  const session = run({ workload, warmupPs: 50 * MS, durationPs: 200 * MS });
  near(totals(session).bytes / session.measuredPs * 1e6, 1192, 3, "MB/s");
  assert.equal(totals(session).integrityErrors, 0);
});

Deno.test("40 guests share the link: nothing lost, nothing damaged, nobody starves", () => {
  const workload = { kind: "stream", size: "512 KiB" };
  const session = run({ path: "xen2mx", guests: 40, workload, warmupPs: 30 * MS, durationPs: 70 * MS });
  const { integrityErrors, lost, bytes } = totals(session);
  assert.deepEqual([integrityErrors, lost], [0, 0]);
  near(bytes / session.measuredPs * 1e6, 1192, 10, "MB/s of all");
  for (const { meter, spec } of session.cluster.guests) {
    if (spec.host === 1) assert.ok(meter.messages > 0, `${spec.name} received nothing`);
  }
  assert.deepEqual(session.drain(), []);
});

Deno.test("at MTU 1500 the residual that was fitted at 9000 takes a tenth of the wire, as the docs say; else nothing does", () => {
  // A receiver that keeps up.
  const fast = { packetReceive: 50, driverReceive: 50, copyUncachedByte: 0.02, napi: 20, driverSend: 50, doorbell: 10 };
  const workload = { kind: "stream", size: "1 MiB", outstanding: 8 };
  for (const [nicFragment, kpps] of [[95, 742], [0, 822]]) {
    const costs = { ...fast, nicFragment };
    const session = run({ mtu: 1500, costs, workload, warmupPs: 10 * MS, durationPs: 20 * MS });
    const [{ frames }] = session.cluster.links[0].directions;
    near((frames - session.baseline.links[0][0][0]) / 20, kpps, 0.5, "thousand frames a second");
  }
});

// ---- arithmetic

const FREE = { ...Object.fromEntries(COST_NAMES.map((name) => [name, 0])), threadSlice: 3000, txModerationUs: 0 };
/** Nanoseconds on a wire of 10 Gb/s: preamble, FCS and gap are 24 bytes, a frame has at least 60. */
const wireNs = (frame: number) => (Math.max(frame, 60) + 24) * 0.8;

Deno.test("where nothing costs time a message takes its serialisation and nothing else", () => {
  const control = wireNs(60);
  const fragments = (length: number) => {
    let sum = 0;
    for (let left = length; left > 0; left -= 8192) sum += wireNs(48 + Math.min(left, 8192));
    return sum;
  };
  const large = (length: number) => {
    // The notify of the message before it goes first, on the same wire.
    let sum = 3 * control;
    for (let left = length; left > 0; left -= 8968) sum += wireNs(32 + Math.min(left, 8968));
    return sum;
  };
  const expected: [string, number][] = [
    ["0 B", control],
    ["32 B", wireNs(72)],
    ["33 B", wireNs(73)],
    ["128 B", wireNs(168)],
    ["8192 B", fragments(8192)],
    ["32768 B", fragments(32768)],
    ["64 KiB", large(65536)],
    ["256 KiB", large(262144)],
  ];
  for (const { name: path } of PATHS) {
    const rtts = roundTrips({ path, costs: FREE, latencyPs: 0 }, expected.map(([size]) => size), 5);
    for (const [i, [size, ns]] of expected.entries()) {
      // Round trips are kept to three digits and a nanosecond.
      assert.ok(Math.abs(rtts[i] * 1000 - 2 * ns) <= 1 + 0.001 * ns, `${path} ${size}: ${rtts[i]} us, wanted ${ns} x2`);
    }
  }
});

Deno.test("doubling the rate of the link halves serialisation, and changes nothing else", () => {
  for (const size of ["0 B", "8 KiB"]) {
    const once = pingpong({}, [size]);
    const twice = pingpong({ rateBps: 20e9 }, [size]);
    const bytes = size === "0 B" ? 84 : 8192 + 48 + 24;
    near((stageUs(once, "wire") - stageUs(twice, "wire")) * 1000, bytes * 0.4, 2, "serialisation saved, ns");
    for (const stage of STAGES) {
      if (stage === "wire" || stage === "poll" || stage === "application") continue; // when it arrives has moved
      near(1 + stageUs(twice, stage), 1 + stageUs(once, stage), 0.1, stage);
    }
  }
});

Deno.test("guests that do nothing change nothing for those that work", () => {
  // Alone, then beside ten more guests on each host that are connected and run no program.
  for (const { name: path } of PATHS) {
    const workload = { kind: "pingpong", sizes: TINY, iterations: 10 };
    const alone = run({ path, workload });
    const crowded = run({ path, guests: 2, workload }, ({ cluster }) => {
      for (const host of cluster.hosts) {
        for (let i = 0; i < 10; i++) {
          const spec = { ...cluster.guests[host.index].spec, name: `idle ${host.name}${i}` };
          host.path(cluster.guests[host.index].path).place(host.site(spec));
        }
      }
    });
    const figures = ({ rows }: Session) => rows.rows.map(({ size, rttUs, latencyUs }) => [size, rttUs, latencyUs]);
    assert.deepEqual(figures(crowded), figures(alone), path);
  }
});

Deno.test("within a class a larger message is never faster", () => {
  const classes = [
    ["0 B", "1 B", "16 B", "31 B", "32 B"],
    ["33 B", "64 B", "128 B"],
    ["129 B", "4 KiB", "8192 B", "8193 B", "16 KiB", "32768 B"],
    ["32769 B", "64 KiB", "65537 B", "128 KiB", "512 KiB", "1 MiB"],
  ];
  for (const { name: path } of PATHS) {
    for (const sizes of classes) {
      const rtts = roundTrips({ path }, sizes, 4);
      for (let i = 1; i < rtts.length; i++) {
        assert.ok(rtts[i] >= rtts[i - 1] - 0.002, `${path}: ${sizes[i]} ${rtts[i]}, ${sizes[i - 1]} ${rtts[i - 1]}`);
      }
    }
  }
});
