import type { Processor } from "../../hw/processor.ts";
import { KERNEL, PIN } from "../../metrics/stage.ts";
import {
  type MxCommand,
  RESULT_INVALID,
  RESULT_NO_RESOURCES,
  RESULT_OK,
  type Segment,
} from "../../mx/driver/contract.ts";
import { MAX_SEGMENTS } from "../../mx/limits.ts";
import { PAGES_PER_BURST } from "./channel.ts";
import { encodeBind, encodeCreate, encodeDestroy } from "./control_messages.ts";
import type { Frontend } from "./frontend.ts";
import { ANSWER, type Task, WORK } from "./front_task.ts";
import { GrantedRegion, SEGMENT_MAX } from "./grants.ts";
import {
  FUNC_CREATE_REGION,
  FUNC_DESTROY_REGION,
  REGION_KEEP_MAPPING,
  REGION_ONLY_UNMAP,
  SEGMENTS_PER_MESSAGE,
} from "./layout.ts";

/** What regions need of their endpoint. */
export interface RegionOwner {
  readonly device: Frontend;
  claim(cpu: Processor, func: number): number;
  send(cpu: Processor): void;
}

/**
 * Registered memory of one endpoint: what is granted to dom0, under which region, and what stays granted for the next
 * message from the same buffer. When references or dom0's mappings run out, the region of this guest that was granted
 * first and is not in use is given up, whichever endpoint it belongs to.
 */
export class FrontRegions {
  readonly #owner: RegionOwner;
  readonly #byId: (GrantedRegion | null | undefined)[] = [];
  /** Regions that dom0 has mapped and keeps, in use or not; empty without reuse. */
  #cached: GrantedRegion[] = [];

  constructor(owner: RegionOwner) {
    this.#owner = owner;
  }

  /** Regions that are granted now. */
  get count(): number {
    return this.#all().size;
  }

  /** The cached region that was granted first and is not in use. */
  oldestUnused(): GrantedRegion | null {
    return this.#cached.find((region) => !region.inUse) ?? null;
  }

  forget(region: GrantedRegion): void {
    this.#cached = this.#cached.filter((cached) => cached !== region);
  }

  /** CREATE_REGION: grants the buffer and tells dom0, two segments in a message. */
  *create(cpu: Processor, command: MxCommand): Task {
    const { device } = this.#owner;
    const buffer = command.segments ?? [{ address: command.address, length: command.length }];
    if (buffer.length > MAX_SEGMENTS || (this.#byId[command.region] ?? null) !== null) return RESULT_INVALID;
    if (device.tuning.historical && overruns(buffer)) {
      device.counters.overruns++;
      return RESULT_INVALID;
    }
    const held = this.#cached.find((region) => !region.inUse && region.covers(buffer));
    if (held !== undefined) return yield* this.#bind(cpu, command, held);
    if (device.dom0IsFull) {
      device.dom0IsFull = false;
      yield* this.makeRoom(cpu);
    }
    const { costs } = device.world;
    cpu.charge(PIN, KERNEL, costs.pinBase);
    const region = yield* this.#grant(cpu, buffer);
    if (typeof region === "number") return region;
    const result = yield* this.#announce(cpu, command, region);
    if (result === RESULT_OK) {
      this.#byId[command.region] = region;
      return result;
    }
    this.forget(region);
    device.dom0IsFull = result === RESULT_NO_RESOURCES;
    yield* this.#takeBack(cpu, region);
    return result;
  }

  /** DESTROY_REGION: dom0 lets go first, then the grants are taken back, unless both keep them for reuse. */
  *destroy(cpu: Processor, command: MxCommand): Task {
    const { device } = this.#owner;
    const region = this.#byId[command.region] ?? null;
    if (region === null) return RESULT_INVALID;
    const { grantReuse } = device.tuning;
    const slot = this.#owner.claim(cpu, FUNC_DESTROY_REGION);
    const keep = grantReuse ? REGION_KEEP_MAPPING : 0;
    encodeDestroy(device.domain.memory.view, slot, command.region, keep, region.mapping);
    this.#owner.send(cpu);
    const result = yield ANSWER;
    this.#byId[command.region] = null;
    region.inUse = false;
    if (!grantReuse) yield* this.#takeBack(cpu, region);
    return result;
  }

  /** Gives up what {@link oldestUnused} of the guest's endpoints names; false when there is none. */
  *makeRoom(cpu: Processor): Task<boolean> {
    const { device } = this.#owner;
    const found = device.oldestUnused();
    if (found === null) return false;
    const { region, endpoint } = found;
    endpoint.regions.forget(region);
    const slot = device.claim(cpu, FUNC_DESTROY_REGION, endpoint.index);
    encodeDestroy(device.domain.memory.view, slot, 0, REGION_ONLY_UNMAP, region.mapping);
    this.#owner.send(cpu);
    yield ANSWER;
    yield* this.#takeBack(cpu, region);
    return true;
  }

  /** The endpoint is closed in dom0, and nothing of it is mapped there: everything is taken back. */
  *release(cpu: Processor): Task<void> {
    const regions = [...this.#all()];
    this.#byId.fill(null);
    this.#cached = [];
    for (const region of regions.reverse()) {
      yield* this.#takeBack(cpu, region);
      yield WORK;
    }
  }

  #all(): Set<GrantedRegion> {
    return new Set([...this.#cached, ...this.#byId.filter((region) => region !== null && region !== undefined)]);
  }

  *#bind(cpu: Processor, command: MxCommand, held: GrantedRegion): Task {
    held.inUse = true;
    const slot = this.#owner.claim(cpu, FUNC_CREATE_REGION);
    encodeBind(this.#owner.device.domain.memory.view, slot, command.region, command.regionSeq, held);
    this.#owner.send(cpu);
    const result = yield ANSWER;
    if (result === RESULT_OK) {
      this.#byId[command.region] = held;
      this.#owner.device.reusedPages += held.pages;
    } else held.inUse = false;
    if (result !== RESULT_NO_RESOURCES) return result;
    // Dom0 could not map it after all: the next attempt grants anew.
    this.forget(held);
    yield* this.#takeBack(cpu, held);
    return result;
  }

  /** Pins and grants all pages of a buffer; a result when that cannot be. */
  *#grant(cpu: Processor, buffer: readonly Segment[]): Task<GrantedRegion | number> {
    const { device } = this.#owner;
    let region: GrantedRegion | null;
    for (;;) {
      region = GrantedRegion.create(cpu, device.domain, device.pages, device.nextMapping, buffer);
      if (region !== null) break;
      if (yield* this.makeRoom(cpu)) continue;
      // Where no other region holds references, none will come free: waiting would be for ever.
      return device.regionCount > 0 ? RESULT_NO_RESOURCES : RESULT_INVALID;
    }
    device.nextMapping++;
    for (;;) {
      const pages = region.grantSome(cpu, PAGES_PER_BURST);
      cpu.charge(PIN, KERNEL, pages * device.world.costs.pinPage);
      if (region.isGranted) return region;
      yield WORK;
    }
  }

  /** Takes all grants of a region back, and lets go of its pages: the end of fe/omx_xenfront_reg.c:1137-1294. */
  *#takeBack(cpu: Processor, region: GrantedRegion): Task<void> {
    for (;;) {
      const pages = region.revokeSome(cpu, PAGES_PER_BURST);
      cpu.charge(PIN, KERNEL, pages * this.#owner.device.world.costs.unpinPage);
      if (region.isRevoked) return;
      yield WORK;
    }
  }

  /** Tells dom0 of new grants, a message after the other; each is answered before the next. */
  *#announce(cpu: Processor, command: MxCommand, region: GrantedRegion): Task {
    const { device } = this.#owner;
    const { segments } = region;
    if (device.tuning.grantReuse) this.#cached.push(region);
    for (let first = 0; first < segments.length;) {
      const slot = this.#owner.claim(cpu, FUNC_CREATE_REGION);
      first += encodeCreate(device.domain.memory.view, slot, command.region, command.regionSeq, region, first);
      this.#owner.send(cpu);
      const result = yield ANSWER;
      if (result !== RESULT_OK) return result;
    }
    return RESULT_OK;
  }
}

/**
 * Whether the original would write past its message: it checks neither the number of segments nor their sizes
 * (reference, 4.5). What that destroys is not emulated; such a region is refused.
 */
function overruns(buffer: readonly Segment[]): boolean {
  return buffer.length > SEGMENTS_PER_MESSAGE || buffer.some(({ length }) => length > SEGMENT_MAX);
}
