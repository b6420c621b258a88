import type { Processor } from "../../hw/processor.ts";
import { NO_JOURNEY } from "../../metrics/journey.ts";
import { QUEUEING } from "../../metrics/stage.ts";
import { CMD_CREATE_REGION, CMD_DESTROY_REGION } from "../driver/contract.ts";
import type { LibraryCore } from "./core.ts";
import { RegistrationCache } from "./registration_cache.ts";
import type { Request } from "./request.ts";

/**
 * Programs' buffers that the driver knows, for large messages to be pulled from and into (omx_large.c). A message takes
 * a region id, has its buffer registered, and gives the region back: to the cache, or to the driver to be destroyed.
 */
export class Regions {
  readonly #core: LibraryCore;
  /** Null without OMX_RCACHE. */
  readonly cache: RegistrationCache | null;
  /** Length of each region that the driver has. */
  readonly #lengths: number[] = [];
  /** Who goes on when the driver has destroyed a region. */
  readonly #waiting: (Request | null)[] = [];

  constructor(core: LibraryCore) {
    this.#core = core;
    this.cache = core.registrationCache ? new RegistrationCache() : null;
  }

  /** Takes a free region, or a registered one that covers the buffer (`regionCreated`); false when there is none. */
  take(cpu: Processor, request: Request): boolean {
    const core = this.#core;
    const cached = this.cache !== null && request.segments === null && request.length > 0
      ? this.cache.take(request.address, request.length)
      : -1;
    const region = cached >= 0 ? cached : core.regions.take();
    if (region < 0) {
      this.#evict(cpu);
      return false;
    }
    request.regionCreated = cached >= 0;
    request.region = region;
    request.regionSeq = core.regionSeq[region];
    return true;
  }

  /** Makes a region id free, which a later round finds. */
  #evict(cpu: Processor): void {
    const region = this.cache?.evict() ?? -1;
    if (region < 0) return;
    this.#core.tryAgain = true;
    this.destroy(cpu, region);
  }

  /** Registers the program's buffer; the driver answers, then or later. */
  create(cpu: Processor, request: Request): void {
    request.regionCreated = true; // or will be before any later command
    this.#lengths[request.region] = request.length;
    const command = this.#core.command;
    command.kind = CMD_CREATE_REGION;
    command.address = request.address;
    command.segments = request.segments;
    command.length = request.length;
    command.region = request.region;
    command.regionSeq = request.regionSeq;
    command.cookie = request.handle;
    command.journey = NO_JOURNEY; // stays here, and is carried while the driver pins
    cpu.carry(request.journey, QUEUEING);
    this.#core.driver.submit(cpu, command);
    cpu.putDown();
  }

  /** Gives the region of a request back; false when that takes an answer of the driver, for which `then` waits. */
  release(cpu: Processor, request: Request, then: Request | null): boolean {
    const { region } = request;
    request.region = -1;
    if (this.#keep(cpu, request, region)) return true;
    if (!request.regionCreated || this.#core.closing) {
      this.#core.regions.give(region);
      this.#waiting[region] = null;
      return true;
    }
    this.#waiting[region] = then;
    this.destroy(cpu, region);
    return false;
  }

  /** Leaves a region registered for the next message from its buffer, if that is the way here. */
  #keep(cpu: Processor, request: Request, region: number): boolean {
    if (request.pulling && !request.notifying) return false; // given up: the driver is to stop writing there
    const isKept = this.cache !== null && request.regionCreated && request.segments === null && request.length > 0 &&
      !this.#core.closing;
    if (!isKept) return false;
    const other = this.cache.keep(region, request.address, this.#lengths[region]);
    if (other === region) return false;
    if (other >= 0) this.destroy(cpu, other);
    return true;
  }

  /** The driver is to forget a region; it answers, then or later. */
  destroy(cpu: Processor, region: number): void {
    const command = this.#core.command;
    command.kind = CMD_DESTROY_REGION;
    command.region = region;
    command.cookie = region;
    command.journey = NO_JOURNEY;
    const waiting = this.#waiting[region] ?? null;
    cpu.carry(waiting === null ? NO_JOURNEY : waiting.journey, QUEUEING);
    this.#core.driver.submit(cpu, command);
    cpu.putDown();
  }

  /** The driver has forgotten a region, whose id is free again; returns who has waited for it. */
  destroyed(region: number): Request | null {
    this.#core.regions.give(region);
    const request = this.#waiting[region] ?? null;
    this.#waiting[region] = null;
    return request;
  }

  /** A request that waits for the end of its region does so no more. */
  forget(request: Request): void {
    for (let id = 0; id < this.#waiting.length; id++) {
      if (this.#waiting[id] === request) this.#waiting[id] = null;
    }
  }
}
