import type { Processor } from "../../hw/processor.ts";
import { CMD_PULL, CMD_SEND_RNDV, MxCommand } from "../../mx/driver/contract.ts";
import type { DriverEndpoint } from "../../mx/driver/endpoint.ts";
import { MAX_SEGMENTS } from "../../mx/limits.ts";
import { EINVAL, ENOMEM } from "../../xen/errno.ts";
import type { Backend } from "./backend.ts";
import {
  errorOf,
  REGION_COUNT,
  REGION_HEADER,
  REGION_ID,
  REGION_KEEP,
  REGION_KEEP_MAPPING,
  REGION_MAPPING,
  REGION_ONLY_UNMAP,
  REGION_SEGMENTS,
  SEG_NUMBER,
  SEGMENT_BYTES,
  SEGMENTS_PER_MESSAGE,
  SLOT_UNION,
} from "./layout.ts";
import { MappedRegion, MappedSegment } from "./mappings.ts";
import { JOB_BIND, JOB_DESTROY, JOB_MAP, JOB_UNMAP, RegionJob } from "./region_job.ts";

/** Regions of one endpoint in dom0: which grants are mapped, and which region of the driver each serves. */
export class BackRegions {
  readonly #backend: Backend;
  readonly #endpoint: DriverEndpoint;
  readonly #executeLate: (cpu: Processor, command: MxCommand) => void;
  /** By the guest's number for the set of grants. */
  readonly #mappings = new Map<number, MappedRegion>();
  /** Mapping by region id. */
  readonly #boundTo: (number | undefined)[] = [];
  /** Commands that need a region which is still being mapped, by region id. */
  readonly #waiting = new Map<number, MxCommand[]>();
  /** Jobs that are not done. */
  #jobs = 0;

  /** `executeLate` executes a command that has been kept back for its region. */
  constructor(
    backend: Backend,
    endpoint: DriverEndpoint,
    executeLate: (cpu: Processor, command: MxCommand) => void,
  ) {
    this.#backend = backend;
    this.#endpoint = endpoint;
    this.#executeLate = executeLate;
  }

  // ---- CREATE_USER_REGION

  /** One message of a region; answers it now, or when its pages are mapped. */
  create(cpu: Processor, slot: number, request: number): void {
    const { view } = this.#backend.world.memory;
    const at = slot + SLOT_UNION;
    const job = new RegionJob(this, request, view.getUint8(at + REGION_ID), view.getUint32(at + REGION_MAPPING, true));
    const count = view.getUint8(at + REGION_COUNT);
    if (count === 0) return this.#inOrder(cpu, job, JOB_BIND);
    const total = view.getUint32(at + REGION_SEGMENTS, true);
    const region = this.#regionFor(job.mapping, count, total, view.getUint32(at + REGION_HEADER + SEG_NUMBER, true));
    if (typeof region === "number") return void this.#backend.respond(cpu, request, region);
    for (let i = 0; i < count; i++) {
      const segmentAt = at + REGION_HEADER + i * SEGMENT_BYTES;
      const segment = MappedSegment.begin(cpu, this.#backend.dom0, this.#backend.guest, segmentAt);
      if (segment === null) {
        this.#abandon(cpu, job, region);
        return void this.#backend.respond(cpu, request, -ENOMEM);
      }
      region.segments.push(segment);
    }
    this.#map(cpu, job, region);
  }

  /**
   * The mapping that a message begins, or goes on with; an error number when it does not fit in with what came before.
   * With `overlap` that may be because the beginning could not be mapped, of which the guest has not heard. The message
   * brings `count` segments of `total`, from number `first` on.
   */
  #regionFor(mapping: number, count: number, total: number, first: number): MappedRegion | number {
    const known = this.#mappings.get(mapping);
    if (known === undefined && first > 0) return -ENOMEM;
    // At most a piece more than the library's limit for each stretch that is cut at 64 MiB.
    const badTotal = known === undefined ? total > 2 * MAX_SEGMENTS : known.segmentCount !== total || known.isLeaving;
    const isNext = first === (known?.segments.length ?? 0);
    if (badTotal || !isNext || count > SEGMENTS_PER_MESSAGE || first + count > total) return -EINVAL;
    const region = known ?? new MappedRegion(total);
    this.#mappings.set(mapping, region);
    return region;
  }

  /** Maps what a message has brought. With `overlap` the answer does not wait for that. */
  #map(cpu: Processor, job: RegionJob, region: MappedRegion): void {
    if (this.#backend.tuning.overlap) {
      if (!this.#waiting.has(job.id)) this.#waiting.set(job.id, []);
      this.#backend.respond(cpu, job.request, 0);
    }
    job.isLast = region.segments.length === region.segmentCount;
    this.#add(job, JOB_MAP, region);
  }

  #mapped(cpu: Processor, job: RegionJob, region: MappedRegion): void {
    // With `overlap`, a piece before this one failed: the mapping is given up, and with it what has come for it since.
    if (this.#mappings.get(job.mapping) !== region) return;
    const result = region.failed ? -ENOMEM : job.isLast ? this.#bind(job, region) : 0;
    if (result !== 0) this.#abandon(cpu, job, region); // the guest takes its grants back when it hears of it
    if (!this.#backend.tuning.overlap) this.#backend.respond(cpu, job.request, result);
    else if (job.isLast) this.#executeWaiting(cpu, job.id);
  }

  /** Gives up a mapping that cannot be completed; what has waited for it goes, and is refused. */
  #abandon(cpu: Processor, { id, mapping }: RegionJob, region: MappedRegion): void {
    region.abandon(cpu);
    this.#mappings.delete(mapping);
    this.#executeWaiting(cpu, id);
  }

  /** The answer to a message without segments: a region of grants that are mapped already. */
  #bindKept(job: RegionJob): number {
    const held = this.#mappings.get(job.mapping);
    // The guest believes in a mapping that came to nothing only with `overlap`.
    if (!held?.isComplete) return -ENOMEM;
    // Two regions of one mapping would leave one of them without it when the other goes.
    return this.#boundTo.includes(job.mapping) ? -EINVAL : this.#bind(job, held);
  }

  #bind({ id, mapping }: RegionJob, region: MappedRegion): number {
    const { extents } = region;
    const length = extents.reduce((sum, extent) => sum + extent.length, 0);
    const { driver, tuning } = this.#backend;
    const result = errorOf(driver.createRegion(this.#endpoint, id, length, extents));
    if (result !== 0) return result;
    this.#boundTo[id] = mapping;
    // The original fills a region of several segments, and serves none (be/omx_xenback_reg.c:664-669).
    if (tuning.historical && region.segmentCount > 1) this.#endpoint.regions[id]!.isServed = false;
    return 0;
  }

  // ---- DESTROY_USER_REGION

  destroy(cpu: Processor, slot: number, request: number): void {
    const { view } = this.#backend.world.memory;
    const at = slot + SLOT_UNION;
    const job = new RegionJob(this, request, view.getUint8(at + REGION_ID), view.getUint32(at + REGION_MAPPING, true));
    job.keep = view.getUint8(at + REGION_KEEP);
    this.#inOrder(cpu, job, JOB_DESTROY);
  }

  #destroy(cpu: Processor, job: RegionJob): void {
    const { id, keep } = job;
    const mapping = keep === REGION_ONLY_UNMAP ? job.mapping : this.#boundTo[id];
    const region = mapping === undefined ? undefined : this.#mappings.get(mapping);
    const inUse = keep === REGION_ONLY_UNMAP && mapping !== undefined && this.#boundTo.includes(mapping);
    if (mapping === undefined || region === undefined || inUse || region.isLeaving) {
      return void this.#backend.respond(cpu, job.request, -EINVAL);
    }
    if (keep !== REGION_ONLY_UNMAP) {
      this.#boundTo[id] = undefined;
      this.#backend.driver.destroyRegion(cpu, this.#endpoint, id);
    }
    if (keep === REGION_KEEP_MAPPING) return void this.#backend.respond(cpu, job.request, 0);
    region.isLeaving = true;
    job.mapping = mapping;
    this.#add(job, JOB_UNMAP, region);
  }

  // ---- jobs

  /** Does something with a region now, or with `overlap` when what is being mapped or unmapped before it is done. */
  #inOrder(cpu: Processor, job: RegionJob, kind: number): void {
    if (this.#jobs > 0) return this.#add(job, kind, null);
    job.kind = kind;
    this.#act(cpu, job);
  }

  #add(job: RegionJob, kind: number, region: MappedRegion | null): void {
    job.kind = kind;
    job.region = region;
    this.#jobs++;
    this.#backend.addJob(job);
  }

  /** Does a piece of a job; true when that was the last. */
  step(cpu: Processor, { kind, region }: RegionJob): boolean {
    const { grantBatching } = this.#backend.tuning;
    if (kind === JOB_MAP) return region!.mapPiece(cpu, grantBatching);
    return kind !== JOB_UNMAP || region!.unmapPiece(cpu, grantBatching);
  }

  /** What follows the last piece. */
  done(cpu: Processor, job: RegionJob): void {
    this.#jobs--;
    this.#act(cpu, job);
  }

  #act(cpu: Processor, job: RegionJob): void {
    if (job.kind === JOB_MAP) return this.#mapped(cpu, job, job.region!);
    if (job.kind === JOB_DESTROY) return this.#destroy(cpu, job);
    if (job.kind === JOB_BIND) return void this.#backend.respond(cpu, job.request, this.#bindKept(job));
    this.#mappings.delete(job.mapping);
    this.#backend.respond(cpu, job.request, 0);
  }

  /** The endpoint is closed: everything is unmapped, and what waited is dropped. */
  close(cpu: Processor): void {
    const { overlap } = this.#backend.tuning;
    for (const { kind, request } of this.#backend.removeJobs(this)) {
      // With `overlap` the guest has had the answer to what is being mapped.
      if (kind !== JOB_MAP || !overlap) this.#backend.respond(cpu, request, -EINVAL);
    }
    this.#jobs = 0;
    for (const waiting of this.#waiting.values()) {
      for (const { journey } of waiting) this.#backend.world.journeys.drop(journey);
    }
    for (const region of this.#mappings.values()) region.unmapAll(cpu, this.#backend.tuning.grantBatching);
    this.#mappings.clear();
  }

  // ---- overlap

  /** Keeps a command back whose region is not mapped yet; the guest has its answer and goes on. */
  mustWait(command: MxCommand): boolean {
    if (command.kind !== CMD_SEND_RNDV && command.kind !== CMD_PULL) return false;
    const waiting = this.#waiting.get(command.region);
    if (waiting === undefined) return false;
    const copy = new MxCommand();
    copy.assign(command);
    waiting.push(copy);
    return true;
  }

  #executeWaiting(cpu: Processor, id: number): void {
    const waiting = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    for (const kept of waiting) this.#executeLate(cpu, kept);
  }
}
