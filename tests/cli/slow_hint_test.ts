import assert from "node:assert/strict";
import { openRunInput, openSession } from "../../src/cli/run_input.ts";
import { hintText, isSlow, type SlowRun } from "../../src/cli/slow_hint.ts";
import { kindOfEvent, sampleWork } from "../../src/report/work.ts";

const SHORT = ["workload.size=256 KiB", "warmup=1 ms", "duration=4 ms"];

async function stream(...set: string[]) {
  return await openSession(await openRunInput("throughput-4m", { set: [...SHORT, ...set] }));
}

const slow = (changes: Partial<SlowRun> = {}): SlowRun => ({
  pace: 0.12,
  leftS: 41.2,
  work: { kind: "frames on NICs and wires", share: 0.56, frames: 0.56, frameBytes: 1490 },
  mtu: 1500,
  fixedFrames: false,
  traced: false,
  tuned: true,
  ...changes,
});

Deno.test("a hint names what most events are, and only the options that help this run", () => {
  assert.equal(
    hintText(slow()),
    "x0.12 real time, about 42 s left; 56 % of the events are frames on NICs and wires; " +
      "--set link.mtu=9000 needs a 6th of the frames; a shorter --duration takes that much less",
  );
  const { work } = slow();
  const withoutMtu: Partial<SlowRun>[] = [
    { mtu: 9000 },
    { fixedFrames: true },
    // Small messages do not fill frames; where frames are few, fewer of them change nothing.
    { work: { ...work, frameBytes: 300 } },
    { work: { ...work, kind: "the driver domain", frames: 0.1 } },
  ];
  for (const changes of withoutMtu) assert.doesNotMatch(hintText(slow(changes)), /mtu/);
  assert.match(hintText(slow({ traced: true })), /; --trace-for ends the trace before the run; a shorter/);
  assert.doesNotMatch(hintText(slow()), /trace|V8/);
  assert.match(
    hintText(slow({ tuned: false })),
    /; DENO_V8_FLAGS=--max-inlined-bytecode-size-cumulative=3000 in the env/,
  );
});

Deno.test("slow is below half of real time, when there is much left, and not at the very start", () => {
  assert.equal(isSlow(0.4, 6, 60), true);
  assert.equal(isSlow(0.6, 6, 60), false);
  assert.equal(isSlow(0.4, 2, 60), false);
  assert.equal(isSlow(0.4, 6, 5), false);
});

Deno.test("counting events changes nothing of the run, on any path; few events are of no known kind", async () => {
  for (const path of ["native", "bridged", "virtio", "emulated", "xen2mx"]) {
    const [plain, watched] = [await stream(`path=${path}`), await stream(`path=${path}`)];
    plain.advance(plain.end);
    watched.advance(1.5e9);
    const work = sampleWork(watched, (until, events) => watched.advance(until, events), 2000);
    watched.advance(watched.end);
    assert.deepEqual([watched.events, watched.fingerprint], [plain.events, plain.fingerprint]);
    assert.ok(work.share > 0.2 && work.share <= 1 && work.frames > 0, `${path}: ${JSON.stringify(work)}`);
    assert.notEqual(work.kind, kindOfEvent("pull timer"), path);
    assert.ok(work.frameBytes > 2000 && work.frameBytes < 9100);
  }
});

Deno.test("the MTU that the hint names needs a fraction of the events for as many messages", async () => {
  const eventsPerByte = async (mtu: number) => {
    const session = await stream("path=native", `link.mtu=${mtu}`);
    session.advance(session.end);
    return session.events / session.messages;
  };
  assert.ok(await eventsPerByte(1500) > 2.5 * await eventsPerByte(9000));
});
