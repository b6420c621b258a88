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
  REGION_SEQ,
  SEG_NUMBER,
  SEGMENT_BYTES,
  SEGMENTS_PER_MESSAGE,
  SLOT_UNION,
} from "./layout.ts";
import { MappedRegion, MappedSegment } from "./mappings.ts";

/** Work that takes several bursts of dom0's worker: mapping or unmapping a region. */
export interface Job {
  /** Does a piece; true when that was the last. */
  step(cpu: Processor): boolean;
  /** What follows the last piece. */
  done(cpu: Processor): void;
  /** The endpoint is closed instead. */
  cancel(cpu: Processor): void;
}

/** What a create message says, taken out of its slot. */
interface CreateMessage {
  readonly id: number;
  readonly seq: number;
  readonly mapping: number;
  readonly count: number;
  readonly total: number;
  /** Number of the first segment in the message. */
  readonly first: number;
}

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
  readonly #jobs = new Set<Job>();

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
    const message: CreateMessage = {
      id: view.getUint8(at + REGION_ID),
      seq: view.getUint8(at + REGION_SEQ),
      mapping: view.getUint32(at + REGION_MAPPING, true),
      count: view.getUint8(at + REGION_COUNT),
      total: view.getUint32(at + REGION_SEGMENTS, true),
      first: view.getUint32(at + REGION_HEADER + SEG_NUMBER, true),
    };
    if (message.count === 0) {
      this.#inOrder(cpu, request, (cpu) => {
        const held = this.#mappings.get(message.mapping);
        // The guest believes in a mapping that came to nothing only with `overlap`.
        if (!held?.isComplete) return void this.#backend.respond(cpu, request, -ENOMEM);
        // Two regions of one mapping would leave one of them without it when the other goes.
        const isBound = this.#boundTo.includes(message.mapping);
        this.#backend.respond(cpu, request, isBound ? -EINVAL : this.#bind(message, held));
      });
      return;
    }
    const region = this.#regionFor(message);
    if (typeof region === "number") return void this.#backend.respond(cpu, request, region);
    for (let i = 0; i < message.count; i++) {
      const segmentAt = at + REGION_HEADER + i * SEGMENT_BYTES;
      const segment = MappedSegment.begin(cpu, this.#backend.dom0, this.#backend.guest, segmentAt);
      if (segment === null) {
        this.#abandon(cpu, message, region);
        return void this.#backend.respond(cpu, request, -ENOMEM);
      }
      region.segments.push(segment);
    }
    this.#map(cpu, message, region, request);
  }

  /**
   * The mapping that a message begins, or goes on with; an error number when it does not fit in with what came before.
   * With `overlap` that may be because the beginning could not be mapped, of which the guest has not heard.
   */
  #regionFor({ mapping, count, total, first }: CreateMessage): MappedRegion | number {
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
  #map(cpu: Processor, message: CreateMessage, region: MappedRegion, request: number): void {
    const { overlap, grantBatching } = this.#backend.tuning;
    if (overlap) {
      if (!this.#waiting.has(message.id)) this.#waiting.set(message.id, []);
      this.#backend.respond(cpu, request, 0);
    }
    const isLast = region.segments.length === region.segmentCount;
    this.#addJob({
      step: (cpu) => region.mapPiece(cpu, grantBatching),
      done: (cpu) => {
        const result = region.failed ? -ENOMEM : isLast ? this.#bind(message, region) : 0;
        if (result !== 0) this.#abandon(cpu, message, region); // the guest takes its grants back when it hears of it
        if (!overlap) this.#backend.respond(cpu, request, result);
        else if (isLast) this.#executeWaiting(cpu, message.id);
      },
      cancel: (cpu) => {
        if (!overlap) this.#backend.respond(cpu, request, -EINVAL);
      },
    });
  }

  /** Gives up a mapping that cannot be completed; what has waited for it goes, and is refused. */
  #abandon(cpu: Processor, { id, mapping }: CreateMessage, region: MappedRegion): void {
    region.abandon(cpu);
    this.#mappings.delete(mapping);
    this.#executeWaiting(cpu, id);
  }

  #bind({ id, seq, mapping }: CreateMessage, region: MappedRegion): number {
    const { extents } = region;
    const length = extents.reduce((sum, extent) => sum + extent.length, 0);
    const { driver, tuning } = this.#backend;
    const result = errorOf(driver.createRegion(this.#endpoint, id, seq, length, extents));
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
    const id = view.getUint8(at + REGION_ID);
    const keep = view.getUint8(at + REGION_KEEP);
    const named = view.getUint32(at + REGION_MAPPING, true);
    this.#inOrder(cpu, request, (cpu) => this.#destroy(cpu, id, keep, named, request));
  }

  #destroy(cpu: Processor, id: number, keep: number, named: number, request: number): void {
    const mapping = keep === REGION_ONLY_UNMAP ? named : this.#boundTo[id];
    const region = mapping === undefined ? undefined : this.#mappings.get(mapping);
    const inUse = keep === REGION_ONLY_UNMAP && mapping !== undefined && this.#boundTo.includes(mapping);
    if (mapping === undefined || region === undefined || inUse || region.isLeaving) {
      return void this.#backend.respond(cpu, request, -EINVAL);
    }
    if (keep !== REGION_ONLY_UNMAP) {
      this.#boundTo[id] = undefined;
      this.#backend.driver.destroyRegion(this.#endpoint, id);
    }
    if (keep === REGION_KEEP_MAPPING) return void this.#backend.respond(cpu, request, 0);
    region.isLeaving = true;
    this.#addJob({
      step: (cpu) => region.unmapPiece(cpu, this.#backend.tuning.grantBatching),
      done: (cpu) => {
        this.#mappings.delete(mapping);
        this.#backend.respond(cpu, request, 0);
      },
      cancel: (cpu) => void this.#backend.respond(cpu, request, -EINVAL),
    });
  }

  /** Does something with a region now, or with `overlap` when what is being mapped or unmapped before it is done. */
  #inOrder(cpu: Processor, request: number, act: (cpu: Processor) => void): void {
    if (this.#jobs.size === 0) return act(cpu);
    this.#addJob({
      step: () => true,
      done: act,
      cancel: (cpu) => void this.#backend.respond(cpu, request, -EINVAL),
    });
  }

  /** The endpoint is closed: everything is unmapped, and what waited is dropped. */
  close(cpu: Processor): void {
    for (const job of this.#jobs) {
      this.#backend.removeJob(job);
      job.cancel(cpu);
    }
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

  #addJob(job: Job): void {
    const own: Job = {
      ...job,
      done: (cpu) => {
        this.#jobs.delete(own);
        job.done(cpu);
      },
    };
    this.#jobs.add(own);
    this.#backend.addJob(own);
  }
}
