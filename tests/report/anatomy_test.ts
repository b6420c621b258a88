import assert from "node:assert/strict";
import { KIB } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { mxLimits } from "../../src/mx/limits.ts";
import type { Path } from "../../src/path/path.ts";
import { PATHS } from "../../src/path/registry.ts";
import { ANATOMY_SUBJECTS, type AnatomyClass, type AnatomyStep, recordAnatomy } from "../../src/report/anatomy.ts";
import { Recorder } from "../../src/report/anatomy/recorder.ts";
import { Capture } from "../../src/report/capture.ts";
import { decodeText } from "../../src/report/decode.ts";
import { explainOne } from "../../src/report/explain.ts";
import { oneMessage } from "../../src/report/one_message.ts";
import { readCapture } from "../../src/report/pcap_reader.ts";
import { untilTestEnds } from "../support/scenario.ts";
import { recordClass } from "./record_class.ts";

const OPTIONS = { machine: "vhpc12", costs: {}, mtu: 9000 };
const path = (name: string) => PATHS.find((known) => known.name === name)!;
const recorded = new Map<string, readonly AnatomyClass[]>();

/** All classes on a path, recorded once. */
function classesOf(name: string): readonly AnatomyClass[] {
  let known = recorded.get(name);
  if (known === undefined) {
    known = [...recordAnatomy(path(name), OPTIONS)].filter((made) => made !== null);
    recorded.set(name, known);
  }
  return known;
}

const steps = (name: string, chosen: number) => classesOf(name)[chosen].steps;
const whats = (all: readonly AnatomyStep[]) => all.map(({ lane, what }) => `${lane}: ${what}`);
const [TINY, , , LARGE, FIRST] = ANATOMY_SUBJECTS.keys();

const FULL = ["program", "kernel", "hypervisor", "backend", "nic"];
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  native: ["program", "kernel", "nic"],
  iov: ["program", "kernel", "hypervisor", "nic"],
  "xen2mx-plain": FULL,
  xen2mx: FULL,
  bridged: FULL,
  virtio: FULL,
  "virtio-user": FULL,
  emulated: FULL,
};

for (const { name } of PATHS) {
  Deno.test(`anatomy of ${name}: the steps on the way are those of explain, one after another`, () => {
    const classes = classesOf(name);
    assert.deepEqual(classes.map((made) => made.name), ["tiny", "small", "medium", "large", "large"]);
    for (const [index, made] of classes.entries()) {
      const { sizeBytes, isFirst } = ANATOMY_SUBJECTS[index];
      if (made.name === "small") continue; // as tiny, and explain takes its time
      const options = isFirst ? { ...OPTIONS, warmUps: 0 } : OPTIONS;
      const explained = explainOne(path(name), options, sizeBytes);
      const way = made.steps.filter(({ onWay }) => onWay);
      assert.deepEqual(
        way.map(({ atPs, durationPs, stage }) => [atPs, durationPs, stage]),
        explained.steps.map(({ start_us, us, stage }) => [Math.round(start_us * 1e6), Math.round(us * 1e6), stage]),
      );
      assert.equal(way.reduce((sum, { durationPs }) => sum + durationPs, 0), made.latencyPs);
      assert.equal(made.stages.reduce((sum, { ps }) => sum + ps, 0), made.latencyPs);
      assert.equal(Math.round(explained.latency_us * 1e6), made.latencyPs);
    }
  });

  Deno.test(`anatomy of ${name}: both hosts have the lanes of the path, and each step is in one of them`, () => {
    for (const { lanes, steps } of classesOf(name)) {
      const layers = LAYERS[name];
      const wanted = [...layers.map((layer) => `from ${layer}`), "wire", ...layers.toReversed().map((l) => `to ${l}`)];
      assert.deepEqual(lanes.map(({ id }) => id), wanted);
      for (const { lane, from, to } of steps) {
        for (const id of [lane, from ?? lane, to ?? lane]) assert.ok(wanted.includes(id), id);
      }
      for (let i = 1; i < steps.length; i++) assert.ok(steps[i].atPs >= steps[i - 1].atPs);
    }
  });

  Deno.test(`anatomy of ${name}: the frames are those of a capture of the wire, at their times`, async () => {
    for (const chosen of [TINY, LARGE]) {
      const frames = framesOf(classesOf(name)[chosen]);
      const { captured, flightNs } = await captureOf(path(name), ANATOMY_SUBJECTS[chosen].sizeBytes);
      const first = captured.findIndex(({ text }) => text === frames[0].text);
      assert.ok(first >= 0, frames[0].text);
      const found = captured.slice(first, first + frames.length);
      assert.deepEqual(found.map(({ text }) => text), frames.map(({ text }) => text));
      for (const [index, { ns }] of found.entries()) {
        const expected = (frames[index].atPs - frames[0].atPs) / 1000;
        assert.ok(Math.abs(ns - found[0].ns - expected) <= 1, `${frames[index].text}: ${ns - found[0].ns} ns`);
      }
      // None is missing: the frame before was on the wire before the send call.
      const before = captured[first - 1];
      if (before !== undefined) assert.ok(found[0].ns - before.ns > frames[0].atPs / 1000 - flightNs - 1);
    }
  });
}

/** Frames on the wire with the instant at which they have arrived: they all fly equally long. */
function framesOf({ steps }: AnatomyClass) {
  return steps.filter(({ kind, from }) => kind === "frame" && from !== undefined)
    .map(({ detail, atPs, durationPs }) => ({ text: detail, atPs: atPs + durationPs }))
    .sort((x, y) => x.atPs - y.atPs);
}

async function captureOf(on: Path, sizeBytes: number) {
  const session = untilTestEnds(new Session(oneMessage(on, OPTIONS, sizeBytes)));
  const { links, world } = session.cluster;
  const capture = new Capture(links.map(({ tap }) => tap), world.frames, { snaplen: 200, limitBytes: 1e8 });
  while (!session.finished) session.advance(session.end);
  const pieces = [...capture.file({ application: "test", comment: "", hardware: "", os: "" }, session.now)].map((
    piece,
  ) => piece.slice());
  const read = readCapture(new Uint8Array(await new Blob(pieces).arrayBuffer()));
  const lines = [...decodeText(read, { limits: mxLimits(9000, false), at: [], types: [] })];
  const captured = lines.map((line, index) => ({
    ns: Number(read.frames[index].ns),
    text: line.replace(/^\S+ +a-b +\S+ +/, "").replace(/ {2}# .*$/, ""),
  }));
  return { captured, flightNs: links[0].latencyPs / 1000 };
}

function has(all: readonly AnatomyStep[], ...wanted: RegExp[]): void {
  const texts = whats(all);
  let at = -1;
  for (const what of wanted) {
    const found = texts.findIndex((text, index) => index > at && what.test(text));
    assert.ok(found >= 0, `${what} does not come after ${texts[at]}`);
    at = found;
  }
}

Deno.test("anatomy of xen2mx: a command goes through the ring without a notification, its event with one", () => {
  const tiny = steps("xen2mx", TINY);
  has(
    tiny,
    /^from program: payload copy/,
    /^from kernel: command ring: slot \d+ published, SEND_TINY/,
    /^from backend: command ring: slot \d+ taken, SEND_TINY/,
    /^from backend: command ring: slot \d+ published, answer/,
    /^wire: wire: TINY frame, 72 B/,
    /^to nic: interrupt raised/,
    /^to backend: event ring: slot \d+ published, RECV_TINY/,
    /^to backend: event channel: notification sent/,
    /^to kernel: event channel: port \d+ is pending/,
    /^to kernel: event ring: slot \d+ taken, RECV_TINY/,
  );
  const push = tiny.find(({ what }) => /published, SEND_TINY/.test(what))!;
  assert.equal(push.notify, "suppressed");
  assert.equal(tiny.filter(({ notify }) => notify === "sent").length, 1);
  assert.deepEqual(tiny.filter(({ stage }) => stage === "copy").map(({ detail }) => detail), [
    "copy of 32 B: user's buffer > library's buffer",
    "copy of 32 B: command > ring slot",
    "copy of 32 B: command > frame",
    "copy of 32 B: library's buffer > user's buffer",
  ]);
});

Deno.test("anatomy of xen2mx-plain: what polling saves is a notification", () => {
  const push = steps("xen2mx-plain", TINY).find(({ what }) => /published, SEND_TINY/.test(what))!;
  assert.match(push.detail, /the other end is to be told/);
  // The command's, the answer's and the event's.
  assert.equal(steps("xen2mx-plain", TINY).filter(({ notify }) => notify === "sent").length, 3);
});

Deno.test("anatomy of xen2mx: the first large message grants and maps its pages, later ones reuse them", () => {
  const isGrant = ({ kind, what }: AnatomyStep) => kind === "grant" && /^(grant of|map of)/.test(what);
  const pages = (all: readonly AnatomyStep[], act: RegExp, lane: string) =>
    all.filter((step) => act.test(step.what) && step.lane === lane)
      .reduce((sum, { what }) => sum + Number(/of (\d+) page/.exec(what)![1]), 0);
  const first = steps("xen2mx", FIRST);
  // The sender's region: its data pages, and the page with the list of their references.
  const wanted = 512 * KIB / 4096 + 1;
  assert.equal(pages(first, /^grant of/, "from kernel"), wanted);
  const mappings = first.filter(({ detail, what }) => /map of/.test(what + detail) && !/unmap/.test(what + detail));
  assert.ok(mappings.length > 0);
  const { grants } = first.findLast((step) => step.grants !== undefined && step.lane.startsWith("from"))!;
  assert.equal(grants!.mapped - classesOf("xen2mx")[FIRST].grants.from!.mapped, wanted);
  const later = steps("xen2mx", LARGE);
  assert.equal(later.filter(isGrant).length, 0);
  has(later, /^from kernel: command ring: slot \d+ published, CREATE_USER_REGION/);
  const create = later.find(({ what }) => /published, CREATE_USER_REGION/.test(what))!;
  assert.match(create.detail, /grants reused, none is written or mapped/);
});

Deno.test("anatomy of a large message: one frame for each piece of it, and a copy", () => {
  for (const name of ["xen2mx", "native"]) {
    const large = steps(name, LARGE);
    const replies = Math.ceil(512 * KIB / 8968);
    assert.equal(large.filter(({ what, lane }) => lane === "wire" && /PULL_REPLY frame/.test(what)).length, replies);
    const copies = large.filter(({ what, detail }) => /copy of \d+ B: frame > user's pages/.test(what + detail));
    assert.equal(copies.length, replies);
  }
});

Deno.test("anatomy of bridged: netfront's rings, netback's grant copies, the bridge", () => {
  const tiny = steps("bridged", TINY);
  has(
    tiny,
    /^from kernel: TINY frame out by vm02\/eth0/,
    /^from kernel: grant of 1 page/,
    /^from kernel: netfront tx ring: slot \d+ published, transmit request/,
    /^from kernel: event channel: notification sent/,
    /^from backend: netfront tx ring: slot \d+ taken, transmit request/,
    /^from hypervisor: grant, map, unmap or grant copy/,
    /^from backend: netfront tx ring: slot \d+ published, transmit response/,
    /^from backend: software bridge/,
    /^wire: wire: TINY frame/,
    /^to backend: software bridge/,
    /^to backend: netfront rx ring: slot \d+ taken, empty page/,
    /^to backend: netfront rx ring: slot \d+ published, filled page/,
    /^to kernel: netfront rx ring: slot \d+ taken, filled page/,
    /^to kernel: TINY frame in by vm01\/eth0/,
  );
  const copies = tiny.filter(({ stage, detail }) => stage === "grant" && /grant copy of 72 B/.test(detail));
  assert.equal(copies.length, 2);
  const request = tiny.find(({ what }) => /published, transmit request/.test(what))!;
  assert.ok(request.fields.some(([name, value]) => name === "size" && value === 72));
});

Deno.test("anatomy of virtio: chains by the available and the used ring, kicks, no exit to user space", () => {
  for (const name of ["virtio", "virtio-user"]) {
    has(
      steps(name, TINY),
      /^from kernel: virtio tx queue: slot \d+ published, available chain/,
      /^from kernel: kick/,
      /^from backend: virtio tx queue: slot \d+ taken, available chain/,
      /^from backend: virtio tx queue: slot \d+ published, used chain/,
      /^wire: wire: TINY frame/,
      /^to backend: virtio rx queue: slot \d+ taken, available chain/,
      /^to backend: virtio rx queue: slot \d+ published, used chain/,
      /^to kernel: interrupt injected: vm01 virtio/,
      /^to kernel: virtio rx queue: slot \d+ taken, used chain/,
    );
    assert.equal(steps(name, TINY).filter(({ kind }) => kind === "exit").length, 0);
  }
});

Deno.test("anatomy of emulated: every access to a register leaves the guest", () => {
  const tiny = steps("emulated", TINY);
  has(
    tiny,
    /^from hypervisor: VM exit: write TDT/,
    /^from kernel: e1000 tx ring: slot \d+ published, transmit descriptor/,
    /^from backend: payload copy/,
    /^to kernel: interrupt injected: vm01 e1000/,
    /^to hypervisor: VM exit: read of ICR/,
    /^to hypervisor: VM exit: write IMC/,
  );
  // A ring of 256 descriptors of which one stays free: slots count to 255.
  for (const { what, fields } of tiny.filter(({ slot, kind }) => kind === "slot" && slot!.to - slot!.from === 1)) {
    const [, value] = fields.find(([name]) => name === "slot")!;
    assert.equal(Number(/slot (\d+) /.exec(what)![1]), value);
  }
  // Each exit of the receiver until the message is complete is time of the message, at qemuExit apiece or a part of one.
  const exits = tiny.filter(({ kind, lane }) => kind === "exit" && lane === "to hypervisor");
  assert.ok(exits.length >= 5);
});

Deno.test("a recording changes nothing: the events are those of a run without one", () => {
  for (const name of ["xen2mx", "bridged", "emulated", "iov"]) {
    const [plain, watched] = [0, 1].map(() => untilTestEnds(new Session(oneMessage(path(name), OPTIONS, 16 * KIB))));
    watched.advance(0);
    new Recorder(watched);
    for (const session of [plain, watched]) while (!session.finished) session.advance(session.end);
    assert.equal(watched.fingerprint, plain.fingerprint, name);
  }
});

Deno.test("costs and mechanisms given are those of the recording", () => {
  const costs = { ...OPTIONS, costs: { librarySend: 1150 } };
  const [base, dear] = [OPTIONS, costs].map((options) => recordClass(path("native"), options, ANATOMY_SUBJECTS[TINY]));
  assert.equal(dear.latencyPs - base.latencyPs, 1_000_000);
  const mapping = { ...OPTIONS, mechanisms: { netbackMap: true } };
  const mapped = recordClass(path("bridged"), mapping, ANATOMY_SUBJECTS[TINY]);
  assert.ok(mapped.steps.some(({ what, detail }) => /(^|; )map of 1 page/.test(what) || /map of 1 page/.test(detail)));
  assert.ok(mapped.steps.some(({ what, detail }) => /unmap of 1 page/.test(what + detail)));
});
