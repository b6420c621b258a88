import type { Interrupt, Processor } from "../../hw/processor.ts";
import { Thread, type Wait, WAIT_BLOCK, WAIT_SPIN } from "../../hw/thread.ts";
import { BACKEND, GRANT, KERNEL, NOTIFICATION, POLL, WAKEUP } from "../../metrics/stage.ts";
import { CMD_PULL, CMD_SEND_RNDV, MxCommand, RESULT_OK } from "../../mx/driver/contract.ts";
import type { OmxDriver } from "../../mx/driver/driver.ts";
import type { DriverEndpoint } from "../../mx/driver/endpoint.ts";
import type { Domain } from "../../xen/domain.ts";
import { BackRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import { type Channel, POLL_BUDGET, type Tuning } from "./channel.ts";
import { EventRing } from "./event_ring.ts";
import {
  decodeCommand,
  FUNC_CLOSE_ENDPOINT,
  FUNC_CREATE_REGION,
  FUNC_DESTROY_REGION,
  FUNC_OPEN_ENDPOINT,
  OPEN_ENDPOINT_GREF,
  OPEN_RECVQ_GREF,
  OPEN_RECVQ_PAGES,
  OPEN_SENDQ_GREF,
  OPEN_SENDQ_PAGES,
  OPEN_SESSION,
  REGION_ID,
  REGION_KEEP,
  REGION_KEEP_MAPPING,
  REGION_ONLY_UNMAP,
  REGION_PAGES,
  REGION_SEQ,
  SEG_LENGTH,
  SEG_MAPPING,
  SEG_OFFSET,
  SLOT_BYTES,
  SLOT_EID,
  SLOT_FUNC,
  SLOT_RET,
  SLOT_UNION,
} from "./layout.ts";
import { MappedQueues, MappedRegion } from "./mappings.ts";
import type { Frontend } from "./frontend.ts";

const EINVAL = -22;
const ENOMEM = -12;
const command = new MxCommand();

/** A command that takes several bursts: mapping or unmapping a region. */
interface Job {
  /** The request to answer when it is done; 0 when that has been done already. */
  readonly slot: number;
  readonly region: MappedRegion;
  readonly unmapping: boolean;
  readonly done: (cpu: Processor) => number;
}

/**
 * Dom0's half of Xen2MX for one guest (be/omx_xenback.c): a worker thread that takes commands off the ring, executes
 * them on dom0's Open-MX driver, and answers in the same slot. Tuned, it goes on polling for a while when the ring is
 * empty, so that a busy guest never has to notify it.
 */
export class Backend {
  readonly ring: BackRing;
  readonly events: EventRing;
  readonly worker: Thread;
  readonly frontend: Frontend;
  endpoint: DriverEndpoint | null = null;

  readonly #world: World;
  readonly #dom0: Domain;
  readonly #driver: OmxDriver;
  readonly #tuning: Tuning;
  readonly #channel: Channel;
  readonly #publish: number;
  readonly #budgetOut: number;
  readonly #workQueued: number;
  readonly #sender: Interrupt;
  readonly #jobs: Job[] = [];
  /** Commands that need a region which is still being mapped, by region id. */
  readonly #waiting = new Map<number, MxCommand[]>();
  #queues: MappedQueues | null = null;
  #mappings = new Map<number, MappedRegion>();
  #boundTo: (number | undefined)[] = []; // mapping by region id
  #polling = false;
  #pollSince = 0;
  #budgetPs = 0;
  #budgetTimer = -1;
  #woken = false;
  /** Times the worker went to sleep and was woken by a notification. */
  sleeps = 0;

  constructor(
    world: World,
    dom0: Domain,
    driver: OmxDriver,
    frontend: Frontend,
    port: number,
    processor: Processor,
    pages: readonly [number, number],
    tuning: Tuning,
    channel: Channel,
  ) {
    this.#world = world;
    this.#dom0 = dom0;
    this.#driver = driver;
    this.#tuning = tuning;
    this.#channel = channel;
    this.frontend = frontend;
    this.ring = new BackRing(world.memory, pages[0], SLOT_BYTES);
    const name = `${dom0.hypervisor.name} ReqWQ-${frontend.domain.id}`;
    this.worker = new Thread(name, processor, (cpu) => this.#step(cpu));
    this.#sender = dom0.eventChannels.sender(port);
    this.events = new EventRing(world, pages[1], frontend, channel, dom0.processors, this.#sender);
    this.#publish = world.engine.handler(`${name} response`, (to) => {
      if (this.ring.publishResponses(to)) processor.raise(this.#sender);
      channel.onResponses();
    });
    this.#budgetOut = world.engine.handler(`${name} poll budget`, () => {
      this.#budgetTimer = -1;
      this.worker.notify();
    });
    this.#workQueued = world.engine.handler(`${name} work queued`, () => this.worker.notify());
    channel.onRequests = () => {
      if (this.#polling && (this.ring.unconsumedRequests() > 0 || this.events.hasBacklog)) this.worker.notify();
    };
  }

  /** The event channel's handler: leaves the work to the worker (be/omx_xenback.c:363-390). */
  interrupt(cpu: Processor): void {
    if (this.#polling || this.ring.unconsumedRequests() <= 0 && !this.events.hasBacklog) return;
    this.#woken = true;
    cpu.post(this.#workQueued);
  }

  // ---- the worker

  #step(cpu: Processor): Wait {
    const { costs } = this.#world;
    if (this.#woken) {
      this.#woken = false;
      this.sleeps++;
      this.#budgetPs = POLL_BUDGET * costs.backendPoll;
      cpu.charge(WAKEUP, KERNEL, costs.workQueueWake);
      return 0;
    }
    const sawByPolling = this.#stopPolling();
    if (this.#jobs.length > 0 && (!this.#tuning.overlap || this.ring.unconsumedRequests() <= 0)) {
      this.#work(cpu, this.#jobs[0]);
      return 0;
    }
    this.events.pump(cpu);
    if (this.ring.unconsumedRequests() > 0) {
      if (sawByPolling) cpu.charge(BACKEND, KERNEL, costs.backendPickup);
      this.#takeRequest(cpu, sawByPolling);
      return 0;
    }
    if (this.#tuning.polling && this.#budgetPs > 0) return this.#poll();
    if (this.ring.finalCheckForRequests() > 0) return 0;
    return this.events.finalCheck() ? 0 : WAIT_BLOCK;
  }

  #poll(): Wait {
    const { engine } = this.#world;
    this.#polling = true;
    this.#pollSince = engine.now;
    this.#budgetTimer = engine.after(this.#budgetPs, this.#budgetOut);
    return WAIT_SPIN;
  }

  /** Ends a stretch of polling, if one was under way, and takes it off the budget. */
  #stopPolling(): boolean {
    if (!this.#polling) return false;
    const { engine } = this.#world;
    this.#polling = false;
    this.#budgetPs -= engine.now - this.#pollSince;
    if (this.#budgetTimer >= 0) engine.cancel(this.#budgetTimer);
    this.#budgetTimer = -1;
    return true;
  }

  #takeRequest(cpu: Processor, sawByPolling: boolean): void {
    const index = this.ring.slotNumber(this.ring.reqCons);
    const slot = this.ring.takeRequest();
    const journey = this.#channel.commandJourneys[index];
    this.#channel.commandJourneys[index] = -1;
    cpu.carry(journey, sawByPolling ? POLL : NOTIFICATION);
    cpu.charge(BACKEND, KERNEL, this.#world.costs.backendDispatch);
    switch (this.#world.memory.view.getUint32(slot + SLOT_FUNC, true)) {
      case FUNC_OPEN_ENDPOINT:
        return this.#respond(cpu, slot, this.#open(cpu, slot));
      case FUNC_CLOSE_ENDPOINT:
        return this.#respond(cpu, slot, this.#close(cpu));
      case FUNC_CREATE_REGION:
        return this.#createRegion(cpu, slot);
      case FUNC_DESTROY_REGION:
        return this.#destroyRegion(cpu, slot);
    }
    let result = EINVAL;
    if (this.endpoint !== null && decodeCommand(this.#world.memory, slot, command)) {
      command.journey = journey;
      if (this.#mustWait(command)) {
        cpu.putDown();
        return this.#respond(cpu, slot, 0);
      }
      const status = this.#driver.execute(cpu, KERNEL, this.endpoint, command);
      result = status === RESULT_OK ? 0 : ENOMEM;
    }
    cpu.putDown();
    this.#respond(cpu, slot, result);
  }

  /** Answers in the request's slot: a ring of commands is answered in order. */
  #respond(cpu: Processor, slot: number, result: number): void {
    cpu.charge(BACKEND, KERNEL, this.#world.costs.backendResponse);
    this.#world.memory.view.setInt32(slot + SLOT_RET, result, true);
    this.ring.claimResponse();
    cpu.post(this.#publish, this.ring.rspProdPvt | 0);
  }

  // ---- endpoint

  #open(cpu: Processor, slot: number): number {
    const { view } = this.#world.memory;
    const at = slot + SLOT_UNION;
    const guestQueues = this.frontend.events?.queues;
    if (this.endpoint !== null || guestQueues === undefined) return EINVAL;
    const grants = {
      sendPages: view.getUint32(at + OPEN_SENDQ_PAGES, true),
      recvPages: view.getUint32(at + OPEN_RECVQ_PAGES, true),
      sendList: view.getUint32(at + OPEN_SENDQ_GREF, true),
      recvList: view.getUint32(at + OPEN_RECVQ_GREF, true),
      endpoint: view.getUint32(at + OPEN_ENDPOINT_GREF, true),
    };
    const bytes = guestQueues.entries * this.#world.mx.slotBytes;
    const queues = MappedQueues.map(cpu, this.#dom0, this.frontend.domain.id, grants, bytes);
    if (queues === null) return ENOMEM;
    this.events.recvQueue = queues.recvQueue;
    const index = view.getUint32(slot + SLOT_EID, true);
    const session = view.getUint32(at + OPEN_SESSION, true);
    this.endpoint = this.#driver.open(index, session, this.events, queues.sendQueue, queues.sendBytes);
    if (this.endpoint === null) {
      queues.unmap(cpu);
      return EINVAL;
    }
    this.#queues = queues;
    return 0;
  }

  #close(cpu: Processor): number {
    if (this.endpoint === null) return EINVAL;
    while (this.#jobs.length > 0) this.#work(cpu, this.#jobs[0]); // a guest that does not wait for what it has asked
    this.#driver.close(this.endpoint);
    this.endpoint = null;
    this.events.closed();
    for (const region of this.#mappings.values()) {
      while (!region.unmapSome(cpu, region.pages, this.#tuning.grantBatching));
    }
    this.#mappings.clear();
    this.#boundTo = [];
    this.#queues!.unmap(cpu);
    this.#queues = null;
    return 0;
  }

  // ---- regions

  #createRegion(cpu: Processor, slot: number): void {
    const { view } = this.#world.memory;
    const at = slot + SLOT_UNION;
    const mapping = view.getUint32(at + SEG_MAPPING, true);
    const id = view.getUint8(at + REGION_ID);
    const seq = view.getUint8(at + REGION_SEQ);
    const offset = view.getUint16(at + SEG_OFFSET, true);
    const length = view.getUint32(at + SEG_LENGTH, true);
    // A guest may name what is not there, is in use, or is too short for what it says.
    const bind = (region: MappedRegion) => {
      if (!region.holds(offset, length) || this.#boundTo.includes(mapping)) return EINVAL;
      const status = this.#driver.createRegion(this.endpoint!, id, seq, length, region.extents(offset, length));
      if (status !== RESULT_OK) return EINVAL;
      this.#boundTo[id] = mapping;
      return 0;
    };
    if (this.endpoint === null) return this.#respond(cpu, slot, EINVAL);
    if (view.getUint32(at + REGION_PAGES, true) === 0) {
      const held = this.#mappings.get(mapping);
      return this.#respond(cpu, slot, held === undefined ? EINVAL : bind(held));
    }
    if (this.#mappings.has(mapping)) return this.#respond(cpu, slot, EINVAL);
    const region = MappedRegion.begin(cpu, this.#dom0, this.frontend.domain.id, this.#world.memory, at);
    if (region === null) return this.#respond(cpu, slot, ENOMEM);
    this.#mappings.set(mapping, region);
    const { overlap } = this.#tuning;
    if (overlap) {
      this.#waiting.set(id, []);
      this.#respond(cpu, slot, 0);
    }
    this.#jobs.push({
      slot: overlap ? 0 : slot,
      region,
      unmapping: false,
      done: (cpu) => {
        const result = region.failed ? ENOMEM : bind(region);
        if (result !== 0) {
          region.abandon(cpu);
          this.#mappings.delete(mapping);
        }
        this.#executeWaiting(cpu, id);
        return result;
      },
    });
  }

  #destroyRegion(cpu: Processor, slot: number): void {
    const { view } = this.#world.memory;
    const at = slot + SLOT_UNION;
    const id = view.getUint8(at + REGION_ID);
    const keep = view.getUint8(at + REGION_KEEP);
    const mapping = keep === REGION_ONLY_UNMAP ? view.getUint32(at + SEG_MAPPING, true) : this.#boundTo[id];
    const region = mapping === undefined ? undefined : this.#mappings.get(mapping);
    const isWrong = keep === REGION_ONLY_UNMAP && this.#boundTo.includes(mapping);
    const isGoing = this.#jobs.some((job) => job.region === region);
    if (this.endpoint === null || mapping === undefined || region === undefined || isWrong || isGoing) {
      return this.#respond(cpu, slot, EINVAL);
    }
    if (keep !== REGION_ONLY_UNMAP) {
      this.#boundTo[id] = undefined;
      this.#driver.destroyRegion(this.endpoint, id);
    }
    if (keep === REGION_KEEP_MAPPING) return this.#respond(cpu, slot, 0);
    this.#jobs.push({
      slot,
      region,
      unmapping: true,
      done: () => {
        this.#mappings.delete(mapping);
        return 0;
      },
    });
  }

  #work(cpu: Processor, job: Job): void {
    const batched = this.#tuning.grantBatching;
    const { region } = job;
    const finished = job.unmapping ? region.unmapPiece(cpu, batched) : region.mapPiece(cpu, batched);
    if (!finished) return;
    this.#jobs.shift();
    const result = job.done(cpu);
    if (job.slot !== 0) this.#respond(cpu, job.slot, result);
  }

  /** Keeps a command back whose region is not mapped yet; the guest has its answer and goes on. */
  #mustWait(command: MxCommand): boolean {
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
    for (const kept of waiting) {
      cpu.carry(kept.journey, GRANT);
      if (this.endpoint !== null) this.#driver.execute(cpu, KERNEL, this.endpoint, kept);
      cpu.putDown();
    }
  }
}
