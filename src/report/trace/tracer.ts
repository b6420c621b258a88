import type { Guest } from "../../cluster/cluster.ts";
import type { Host } from "../../cluster/host.ts";
import type { Session } from "../../cluster/session.ts";
import type { PhysicalCpu } from "../../hw/cpu.ts";
import type { Link } from "../../hw/link.ts";
import type { Nic } from "../../hw/nic.ts";
import { presentInstant, type Processor } from "../../hw/processor.ts";
import type { JourneyStep } from "../../metrics/journey.ts";
import { describe } from "../../mx/wire/describe.ts";
import { packetType, packetTypeText } from "../../mx/wire/header.ts";
import type { GuestPort, PortRing } from "../../path/path.ts";
import type { GrantTable } from "../../xen/grant_table.ts";
import { type FlowPoint, type LogProcess, type LogTrack, TraceLog } from "./log.ts";

/** Rows and flow points of a trace at most: about 250 MB of JSON, which the UI still opens. */
export const TRACE_LIMIT = 2_000_000;

/**
 * Looks at a session from now on until {@link stop}, or until its log is full. To begin at an instant advance the session
 * to it first, be it 0: devices connect in the first events of a run. What is looked at is the same with and without.
 */
export class Tracer {
  readonly log: TraceLog;
  /** Picoseconds of virtual time, as of when tracing ended. */
  until: number;
  readonly #session: Session;
  readonly #places = new Map<string, LogTrack | readonly [LogTrack, LogTrack]>();
  readonly #detachers: (() => void)[] = [];
  readonly #now: () => number;
  #isAttached = true;

  constructor(session: Session, limit: number = TRACE_LIMIT) {
    this.#session = session;
    const { engine, journeys } = session.cluster.world;
    this.until = engine.now;
    this.#now = () => presentInstant(engine);
    this.log = new TraceLog(engine.now, limit, () => this.#detach());
    for (const host of session.cluster.hosts) this.#traceHost(host);
    for (const guest of session.cluster.guests) this.#traceGuest(guest);
    const wires = this.log.process("wires");
    for (const link of session.cluster.links) this.#traceLink(wires, link);
    journeys.record();
    journeys.onFinish = (steps) => this.#message(steps);
    this.#detachers.push(() => journeys.stopRecording());
  }

  /** Ends the trace at the present instant. Call it between two slices of a run. */
  stop(): void {
    if (this.#isAttached) {
      this.#session.settle(); // polling and having a CPU are told of when they end
      this.#detach();
    }
    this.log.close();
  }

  #detach(): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.until = this.#session.now;
    for (const detach of this.#detachers) detach();
  }

  // ---- what is looked at

  #traceHost(host: Host): void {
    const process = this.log.process(`host ${host.name}`);
    const isShared = host.kind !== "native";
    if (isShared) { for (const cpu of host.cpus) this.#tracePhysical(process, cpu); }
    const prefix = host.kind === "kvm" ? "kernel " : "";
    for (const processor of host.kernel) this.#traceProcessor(process, processor, prefix + inHost(processor));
    for (const nic of nicsOf(host)) this.#traceNic(process, nic);
  }

  #traceNic(process: LogProcess, nic: Nic): void {
    const name = inHost(nic);
    nic.track = this.log.track(process, `${name} events`);
    if (!nic.isShared) nic.traceTx = this.log.counter(process, `${name} tx ring`, "used", nic.backlog, this.#now);
    nic.traceRx = this.log.counter(process, `${name} rx rings`, "used", nic.received, this.#now);
    this.#detachers.push(() => {
      nic.track = null;
      nic.traceTx = nic.traceRx = null;
    });
  }

  #traceGuest(guest: Guest): void {
    const { name } = guest.spec;
    const process = this.log.process(`guest ${name} on ${guest.host.name}`);
    const { vcpus, domain } = guest.site;
    for (const vcpu of vcpus) this.#traceProcessor(process, vcpu, vcpus.length === 1 ? name : inHost(vcpu));
    for (const [board, port] of portsOf(guest).entries()) {
      for (const ring of port.rings?.() ?? []) this.#traceRing(process, ring, board);
    }
    if (domain !== null) this.#traceGrants(process, domain.grantTable);
  }

  #tracePhysical(process: LogProcess, cpu: PhysicalCpu): void {
    cpu.track = this.log.track(process, `cpu${cpu.index}`);
    this.#detachers.push(() => cpu.track = null);
  }

  /** What takes no time gets a track of its own: a reader binds flows to the slice that began last on a track. */
  #traceProcessor(process: LogProcess, processor: Processor, name: string): void {
    const work = this.log.track(process, name);
    const events = this.log.track(process, `${name} events`);
    this.#places.set(processor.name, work);
    processor.track = {
      name,
      slice: (what, category, from, duration) => work.slice(what, category, from, duration),
      instant: (what, at) => events.instant(what, at),
    };
    this.#detachers.push(() => processor.track = null);
  }

  #traceRing(process: LogProcess, ring: PortRing, board: number): void {
    const name = board === 0 ? ring.name : `${ring.name} of board ${board}`;
    ring.observe(this.log.counter(process, name, "used", ring.used, this.#now));
    this.#detachers.push(() => ring.observe(null));
  }

  #traceGrants(process: LogProcess, table: GrantTable): void {
    table.traceActive = this.log.counter(process, "grants", "active", table.activeGrants, this.#now);
    table.traceMapped = this.log.counter(process, "grants", "mapped", table.mappedGrants, this.#now);
    this.#detachers.push(() => table.traceActive = table.traceMapped = null);
  }

  #traceLink(process: LogProcess, link: Link): void {
    const { memory, frames, mx } = this.#session.cluster.world;
    const [there, back] = link.directions.map((direction) => {
      const track = this.log.track(process, `${direction.from.name} > ${direction.to.name}`);
      direction.trace = (frame, from, duration, lost) => {
        const at = frames.at(frame);
        const text = describe(memory.view, at, frames.linearOf(frame), mx);
        const bytes = frames.frameLength(frame);
        const name = packetTypeText(packetType(memory.view, at));
        track.slice(lost ? `${name} (lost)` : name, "frame", from, duration, { frame: text, bytes });
      };
      this.#detachers.push(() => direction.trace = null);
      return track;
    });
    this.#places.set(link.name, [there, back]);
  }

  // ---- messages

  /** A message is complete: it goes from track to track, by the first work on it in each, to the last work of all. */
  #message(steps: readonly JourneyStep[]): void {
    const points: FlowPoint[] = [];
    let last: FlowPoint | null = null;
    for (const { place, side, workFrom } of steps) {
      const known = this.#places.get(place);
      if (workFrom < 0 || known === undefined) continue;
      const track = "index" in known ? known : known[side];
      const point: FlowPoint = { track, at: workFrom };
      if (track !== last?.track) points.push(point);
      last = point;
    }
    if (last !== null && points[points.length - 1] !== last) points.push(last);
    if (points.length >= 2) this.log.flow(points);
  }
}

function nicsOf(host: Host): readonly Nic[] {
  return host.boards.map(({ nic }) => nic);
}

/** A guest's connections, by board. */
function portsOf(guest: Guest): readonly GuestPort[] {
  return guest.ports;
}

/** "a dom0 vcpu0" without its host. */
function inHost({ name }: { readonly name: string }): string {
  return name.slice(name.indexOf(" ") + 1);
}
