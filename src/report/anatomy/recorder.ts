import { assert } from "../../base/assert.ts";
import type { Guest } from "../../cluster/cluster.ts";
import type { Host } from "../../cluster/host.ts";
import type { Session } from "../../cluster/session.ts";
import type { Link } from "../../hw/link.ts";
import type { Nic } from "../../hw/nic.ts";
import { presentInstant, type Processor } from "../../hw/processor.ts";
import { type FrameTap, lossText } from "../../hw/tap.ts";
import type { JourneyStep } from "../../metrics/journey.ts";
import * as wire from "../../mx/wire/mod.ts";
import type { PortRing } from "../../path/path.ts";
import type { GrantWatch, SlotKind, TraceArgs, TraceCounter } from "../../sim/trace.ts";
import type { Domain } from "../../xen/domain.ts";
import type { Charge, FrameSeen, GrantSeen, Happening, SlotSeen } from "./happenings.ts";

/** Longer than any frame (hw/frame.ts). */
const SCRATCH_BYTES = 16 * 1024;

/** What a frame says, and where it was seen. */
type FrameWords = Pick<FrameSeen, "type" | "bytes" | "text" | "fields">;
type FramePlace = Omit<FrameSeen, keyof FrameWords>;

/** A ring of one of the guests, and how many of its slots were in use when the message was sent. */
export interface RecordedRing {
  readonly name: string;
  /** Entries that can be in use, and slots: some rings keep one free. */
  readonly size: number;
  readonly slots: number;
  readonly host: number;
  used: number;
}

/** Grants of a guest: those that it has given, and those of them that are mapped. */
export interface GrantCount {
  readonly active: number;
  readonly mapped: number;
}

/** All that was seen of the message that was complete last. */
export interface Recorded {
  readonly steps: readonly JourneyStep[];
  readonly charges: readonly Charge[];
  readonly happenings: readonly Happening[];
  readonly rings: readonly RecordedRing[];
  /** By host, when the message was sent; nothing for a host whose guest has no grants. */
  readonly grants: ReadonlyMap<number, GrantCount>;
}

/**
 * Looks at a session of a few messages and keeps what belongs to the time of the last one. It only looks: the session
 * runs as without it.
 */
export class Recorder {
  readonly #session: Session;
  readonly #frames;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #rings: { recorded: RecordedRing; ring: PortRing }[] = [];
  #charges: Charge[] = [];
  #happenings: Happening[] = [];
  #steps: readonly JourneyStep[] = [];
  /** Charges so far, and those for anything but grants. */
  #work = 0;
  #otherWork = 0;
  /** By host: the guest's domain, and its grants when the message was sent. */
  readonly #domains = new Map<number, Domain>();
  readonly #grants = new Map<number, GrantCount>();

  /** Devices connect in the first events of a run: the session has been advanced to the instant 0. */
  constructor(session: Session) {
    this.#session = session;
    const { cluster } = session;
    const { journeys, frames } = cluster.world;
    this.#frames = frames;
    for (const host of cluster.hosts) this.#watchHost(host);
    for (const guest of cluster.guests) this.#watchGuest(guest);
    for (const link of cluster.links) this.#watchLink(link);
    journeys.record();
    journeys.onFinish = (steps) => this.#finished(steps);
  }

  /** After the run: what was seen from the last message's send call to its completion. */
  take(): Recorded {
    const steps = this.#steps;
    assert(steps.length > 0, "anatomy: the last message was followed");
    const last = steps[steps.length - 1];
    const [start, end] = [steps[0].from, last.from + last.duration];
    const isIn = ({ at }: Happening) => at >= start && at <= end;
    return {
      steps,
      charges: this.#charges.filter(({ from }) => from >= start && from <= end),
      happenings: this.#happenings.filter((seen) =>
        isIn(seen) || (seen.kind === "frame" && seen.from < end && seen.at > end)
      ),
      rings: this.#rings.map(({ recorded }) => recorded),
      grants: this.#grants,
    };
  }

  /** What came before this message is of no interest any more: that of the next one may have begun. */
  #finished(steps: readonly JourneyStep[]): void {
    this.#steps = steps;
    const start = steps[0].from;
    this.#charges = this.#charges.filter(({ from }) => from >= start);
    for (const seen of this.#happenings) {
      if (seen.at >= start) continue;
      // What there is when the message is sent is what was left after the last thing before it.
      if (seen.kind === "slot") this.#rings[seen.ring].recorded.used = seen.used;
      if (seen.kind === "grant") this.#grants.set(seen.host, seen);
    }
    this.#happenings = this.#happenings.filter(({ at }) => at >= start);
  }

  get #now(): number {
    return presentInstant(this.#session.cluster.world.engine);
  }

  // ---- hosts

  #watchHost(host: Host): void {
    for (const processor of host.kernel) this.#watchProcessor(processor, host.index);
    for (const { nic } of host.boards) this.#watchNic(nic, host.index);
    if (host.hypervisor === null) return;
    const dom0 = host.hypervisor.domain(0)!;
    dom0.mappings.watch = this.#grantWatch(host.index);
  }

  #watchProcessor(processor: Processor, host: number): void {
    const place = processor.name;
    processor.track = {
      name: place,
      slice: (stage, cls, from, duration) => {
        if (duration === 0) return;
        this.#charges.push({ place, stage, cls, from, duration });
        this.#work++;
        if (stage !== "grant") this.#otherWork++;
      },
      instant: (what, at) => this.#happenings.push({ kind: "signal", at, host, place, what }),
      note: (what, at, args) => this.#note(what, at, host, place, args),
    };
  }

  #note(what: string, at: number, host: number, place: string, args: TraceArgs): void {
    if (what === "copy") {
      this.#happenings.push({ kind: "copy", at, host, place, bytes: Number(args.bytes), way: String(args.way) });
    } else if (what === "exit") {
      const { access, register, value } = args;
      this.#happenings.push({
        ...{ kind: "exit", at, host, place },
        ...{ access: String(access), register: String(register), value: Number(value) },
      });
    }
  }

  #watchNic(nic: Nic, host: number): void {
    const place = nic.name;
    nic.track = {
      name: place,
      slice: () => {},
      instant: (what, at) => this.#happenings.push({ kind: "signal", at, host, place, what }),
    };
    if (!nic.isShared) nic.traceTx = this.#queue(host, `${nic.tap.name} tx ring`, true, nic.backlog);
    nic.traceRx = this.#queue(host, `${nic.tap.name} rx ring`, true, nic.received);
  }

  #queue(host: number, name: string, isNic: boolean, before: number): TraceCounter {
    let used = before;
    const tell = (value: number) => {
      used = value;
      this.#happenings.push({ kind: "queue", at: this.#now, host, name, isNic, used });
    };
    return { set: tell, add: (difference) => tell(used + difference) };
  }

  // ---- guests

  #watchGuest(guest: Guest): void {
    const { site, host, ports } = guest;
    for (const vcpu of site.vcpus) this.#watchProcessor(vcpu, host.index);
    for (const ring of ports[0].rings?.() ?? []) this.#watchRing(ring, host.index);
    const tap = this.#interfaceOf(guest);
    if (tap !== undefined) this.#watchTap(tap, (way, at) => frameAt(tap.name, host.index, way, at));
    if (site.domain === null) return;
    const { grantTable } = site.domain;
    this.#domains.set(host.index, site.domain);
    this.#grants.set(host.index, { active: grantTable.activeGrants, mapped: grantTable.mappedGrants });
    grantTable.watch = this.#grantWatch(host.index);
  }

  #interfaceOf({ spec }: Guest): FrameTap | undefined {
    return this.#session.cluster.taps.find(({ name }) => name === `${spec.name}/eth0`);
  }

  #watchRing(ring: PortRing, host: number): void {
    const { name, size } = ring;
    if (ring.watch === undefined) {
      ring.observe(this.#queue(host, name, false, ring.used));
      return;
    }
    const recorded = { name, size, slots: ring.slots ?? size, host, used: ring.used };
    const index = this.#rings.push({ recorded, ring }) - 1;
    ring.watch({
      published: (way, from, to, notify) => this.#slot(index, way, from, to, { taken: false, notify }),
      taken: (way, slot) => this.#slot(index, way, slot, slot + 1, { taken: true, notify: null }),
    });
  }

  #slot(index: number, way: SlotKind, from: number, to: number, how: Pick<SlotSeen, "taken" | "notify">): void {
    const { ring, recorded } = this.#rings[index];
    const text = ring.read?.(way, from) ?? { what: way, fields: {} };
    this.#happenings.push({
      ...{ kind: "slot", at: this.#now, host: recorded.host, ring: index, ...how, way, from, to },
      ...{ what: text.what, fields: Object.entries(text.fields), used: ring.used },
    });
  }

  // ---- grants

  /** Grants of the host's guest, and what dom0 does with them. */
  #grantWatch(host: number): GrantWatch {
    // A guest writes one entry after another with nothing else in between; a hypercall is charged before its pages.
    let last: GrantSeen | null = null;
    let workBefore = -1;
    const note = (act: GrantSeen["act"], ref: number, bytes: number) => {
      const granter = this.#domains.get(host);
      if (granter === undefined) return;
      const { activeGrants: active, mappedGrants: mapped } = granter.grantTable;
      const work = act === "grant" || act === "end" ? this.#otherWork : this.#work;
      if (last?.act === act && workBefore === work && bytes === 0) {
        last.refs.push(ref);
        Object.assign(last, { active, mapped, until: this.#now });
        return;
      }
      workBefore = work;
      const at = this.#now;
      last = { kind: "grant", at, until: at, host, act, refs: [ref], bytes, active, mapped };
      this.#happenings.push(last);
    };
    return {
      granted: (ref) => note("grant", ref, 0),
      ended: (ref) => note("end", ref, 0),
      mapped: (_, ref) => note("map", ref, 0),
      unmapped: (_, ref) => note("unmap", ref, 0),
      copied: (_, ref, bytes, inwards) => note(inwards ? "copy in" : "copy out", ref, bytes),
    };
  }

  // ---- frames

  #watchLink(link: Link): void {
    const [near, far] = this.#session.cluster.hosts;
    this.#watchTap(link.tap, (way, at, frame) => ({
      ...frameAt(link.tap.name, way === 0 ? near.index : far.index, way, at),
      ...{ isWire: true, from: at - link.serialisation(frame), flightPs: link.latencyPs + link.extraDelayPs },
    }));
  }

  #watchTap(tap: FrameTap, seen: (way: 0 | 1, at: number, frame: number) => FramePlace): void {
    let last: FrameSeen | null = null;
    tap.listen((way, frame, at) => {
      last = { ...seen(way, at, frame), ...this.#read(frame) };
      this.#happenings.push(last);
    }, (reason) => {
      if (last !== null) last.lost = lossText(reason);
    });
  }

  /** What a frame says. Payload that it refers to is not looked at, only counted. */
  #read(frame: number): FrameWords {
    const frames = this.#frames;
    const { memory, mx } = this.#session.cluster.world;
    const at = frames.at(frame);
    const bytes = frames.frameLength(frame);
    this.#scratch.fill(0, 0, bytes);
    this.#scratch.set(memory.u8.subarray(at, at + frames.linearOf(frame)));
    const view = new DataView(this.#scratch.buffer, 0, bytes);
    return {
      type: wire.packetTypeText(wire.packetType(view, 0)),
      bytes,
      text: wire.describe(view, 0, bytes, mx),
      fields: wire.fields(view, 0, bytes, mx),
    };
  }
}

function frameAt(tap: string, host: number, way: 0 | 1, at: number): FramePlace {
  return { kind: "frame", at, host, tap, isWire: false, way, from: at, flightPs: 0, lost: "" };
}
