import type { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";
import { Thread, type Wait } from "../../hw/thread.ts";
import * as threads from "../../hw/thread.ts";
import * as stages from "../../metrics/stage.ts";
import type { OmxDriver } from "../../mx/driver/driver.ts";
import type { Domain } from "../../xen/domain.ts";
import { EINVAL } from "../../xen/errno.ts";
import { BackRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import { answerControl } from "./back_control.ts";
import { BackEndpoint } from "./back_endpoint.ts";
import type { BackRegions } from "./back_regions.ts";
import type { Channel, Tuning } from "./channel.ts";
import * as channels from "./channel.ts";
import { EventRing } from "./event_ring.ts";
import * as layout from "./layout.ts";
import type { RegionJob } from "./region_job.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { WAIT_BLOCK, WAIT_SPIN } = threads;
const { BACKEND, KERNEL, NOTIFICATION, POLL, WAKEUP } = stages;
const { POLL_BUDGET } = channels;
const {
  ENDPOINTS,
  FUNC_CLOSE_ENDPOINT,
  FUNC_CREATE_REGION,
  FUNC_DESTROY_REGION,
  FUNC_OPEN_ENDPOINT,
  SLOT_BYTES,
  SLOT_EID,
  SLOT_FUNC,
  SLOT_REQUEST,
  SLOT_RET,
  SLOT_UNION,
} = layout;

/** What a backend is made for: one guest's device. */
export interface BackendParts {
  readonly world: World;
  readonly dom0: Domain;
  readonly driver: OmxDriver;
  readonly guest: Domain;
  /** Name of the device in the guest, and the number of its board. */
  readonly name: string;
  readonly board: number;
  /** Dom0's end of the event channel. */
  readonly port: number;
  /** Where the worker runs. */
  readonly processor: Processor;
  /** Where dom0 has mapped `ring` and `recv_ring`. */
  readonly pages: readonly [number, number];
  readonly tuning: Tuning;
  readonly channel: Channel;
}

/**
 * Dom0's half of Xen2MX for one guest (be/omx_xenback.c): a worker thread that takes commands off the ring, executes
 * them on dom0's Open-MX driver for the endpoint that they name, and answers in the ring. Tuned, it goes on polling for a while when the ring is
 * empty, so that a busy guest never has to notify it.
 */
export class Backend {
  readonly ring: BackRing;
  readonly events: EventRing;
  readonly worker: Thread;
  readonly world: World;
  readonly dom0: Domain;
  readonly driver: OmxDriver;
  readonly tuning: Tuning;
  readonly channel: Channel;
  /** Id of the guest's domain. */
  readonly guest: number;
  readonly counters = {
    /** Requests that named no endpoint or no command. */
    badRequests: 0,
    /** With `historical`: refusals from the network that the guest was not told of. */
    keptNacks: 0,
  };

  readonly #publish: number;
  readonly #budgetOut: number;
  readonly #workQueued: number;
  readonly #sender: Interrupt;
  readonly #processor: Processor;
  readonly #endpoints: BackEndpoint[] = [];
  #jobs: RegionJob[] = [];
  /** What others of dom0's CPUs have left to the worker. */
  readonly #later: ((cpu: Processor) => void)[] = [];
  #polling = false;
  #pollSince = 0;
  #budgetPs = 0;
  #budgetTimer = -1;
  /** It waits for a notification; while it does not, it looks again before it sleeps. */
  #asleep = true;
  #woken = false;

  constructor(parts: BackendParts) {
    const { world, dom0, guest, port, processor, pages, channel } = parts;
    this.world = world;
    this.dom0 = dom0;
    this.driver = parts.driver;
    this.tuning = parts.tuning;
    this.channel = channel;
    this.guest = guest.id;
    this.ring = new BackRing(world.memory, pages[0], SLOT_BYTES);
    const name = `${dom0.hypervisor.name} ReqWQ-${guest.id}${parts.board === 0 ? "" : `:${parts.board}`}`;
    this.worker = Thread.of(name, processor, Backend.#onStep, this);
    this.#processor = processor;
    this.#sender = dom0.eventChannels.sender(port);
    this.events = new EventRing(world, pages[1], parts.name, channel, dom0.processors, this.#sender);
    this.#publish = world.engine.handler(`${name} response`, Backend.#onPublish, this);
    this.#budgetOut = world.engine.handler(`${name} poll budget`, () => {
      this.#budgetTimer = -1;
      this.worker.notify();
    });
    this.#workQueued = world.engine.handler(`${name} work queued`, Backend.#onWorkQueued, this);
    channel.onRequests = () => {
      if (this.#polling && (this.ring.unconsumedRequests() > 0 || this.events.hasBacklog)) this.worker.notify();
    };
  }

  static readonly #onStep = (cpu: Processor, of: Backend): Wait => of.#step(cpu);
  static readonly #onPublish = (to: number, _b: number, of: Backend): void => {
    if (of.ring.publishResponses(to)) of.#processor.raise(of.#sender);
    of.channel.onResponses();
  };
  static readonly #onWorkQueued = (_a: number, _b: number, of: Backend): void => of.worker.notify();

  /** The event channel's handler: leaves the work to the worker (be/omx_xenback.c:363-390). */
  interrupt(cpu: Processor): void {
    if (!this.#asleep || this.ring.unconsumedRequests() <= 0 && !this.events.hasBacklog) return;
    this.#wake(cpu);
  }

  #wake(cpu: Processor): void {
    this.#asleep = this.events.isUnattended = false;
    this.#woken = true;
    cpu.post(this.#workQueued);
  }

  // ---- the worker

  #step(cpu: Processor): Wait {
    const { costs } = this.world;
    if (this.#woken) {
      this.#woken = false;
      this.#budgetPs = POLL_BUDGET * costs.backendPoll;
      cpu.charge(WAKEUP, KERNEL, costs.workQueueWake);
      return 0;
    }
    const sawByPolling = this.#stopPolling();
    if (this.#later.length > 0) {
      this.#later.shift()!(cpu);
      return 0;
    }
    if (this.#jobs.length > 0 && (!this.tuning.overlap || this.ring.unconsumedRequests() <= 0)) {
      this.#work(cpu, this.#jobs[0]);
      return 0;
    }
    this.events.pump(cpu);
    if (this.ring.unconsumedRequests() > 0) {
      if (sawByPolling) cpu.charge(BACKEND, KERNEL, costs.backendPickup);
      this.#takeRequest(cpu, sawByPolling);
      return 0;
    }
    if (this.tuning.polling && this.#budgetPs > 0) return this.#poll();
    if (this.ring.finalCheckForRequests() > 0) return 0;
    if (this.events.finalCheck()) return 0;
    this.#asleep = this.events.isUnattended = true;
    return WAIT_BLOCK;
  }

  #poll(): Wait {
    const { engine } = this.world;
    this.#polling = true;
    this.#pollSince = engine.now;
    this.#budgetTimer = engine.timer(engine.now + this.#budgetPs, this.#budgetOut);
    return WAIT_SPIN;
  }

  /** Ends a stretch of polling, if one was under way, and takes it off the budget. */
  #stopPolling(): boolean {
    if (!this.#polling) return false;
    const { engine } = this.world;
    this.#polling = false;
    this.#budgetPs -= engine.now - this.#pollSince;
    if (this.#budgetTimer >= 0) engine.cancel(this.#budgetTimer);
    this.#budgetTimer = -1;
    return true;
  }

  #takeRequest(cpu: Processor, sawByPolling: boolean): void {
    const index = this.ring.slotNumber(this.ring.reqCons);
    const slot = this.ring.takeRequest();
    const journey = this.channel.commandJourneys[index];
    this.channel.commandJourneys[index] = -1;
    cpu.carry(journey, sawByPolling ? POLL : NOTIFICATION);
    cpu.charge(BACKEND, KERNEL, this.world.costs.backendDispatch);
    const { view } = this.world.memory;
    const request = view.getUint32(slot + SLOT_REQUEST, true);
    const endpoint = this.#endpoint(view.getUint32(slot + SLOT_EID, true));
    switch (view.getUint32(slot + SLOT_FUNC, true)) {
      case FUNC_OPEN_ENDPOINT:
        return void this.respond(cpu, request, endpoint?.open(cpu, slot) ?? -EINVAL);
      case FUNC_CLOSE_ENDPOINT:
        if (endpoint !== null) return endpoint.close(cpu, request);
        return void this.respond(cpu, request, -EINVAL);
      case FUNC_CREATE_REGION:
        if (endpoint?.regions) return endpoint.regions.create(cpu, slot, request);
        return void this.respond(cpu, request, -EINVAL);
      case FUNC_DESTROY_REGION:
        if (endpoint?.regions) return endpoint.regions.destroy(cpu, slot, request);
        return void this.respond(cpu, request, -EINVAL);
    }
    const control = answerControl(this.driver, view.getUint32(slot + SLOT_FUNC, true), view, slot + SLOT_UNION);
    if (control !== null) {
      const answer = this.respond(cpu, request, control.result);
      control.write(view, answer + SLOT_UNION);
      return;
    }
    if (endpoint !== null) return void this.respond(cpu, request, endpoint.execute(cpu, slot, journey));
    cpu.putDown();
    this.world.journeys.drop(journey);
    this.respond(cpu, request, -EINVAL);
  }

  /** The object of an index, null when the index is beyond the table. */
  #endpoint(eid: number): BackEndpoint | null {
    if (eid >= ENDPOINTS) return null;
    return this.#endpoints[eid] ??= new BackEndpoint(this, eid);
  }

  /**
   * Answers a request. An answer takes the place of the oldest request that has none; that is its own where answers
   * are given in order. The request's number says whose it is. Returns the answer's slot, published after the burst.
   */
  respond(cpu: Processor, request: number, result: number): number {
    cpu.charge(BACKEND, KERNEL, this.world.costs.backendResponse);
    if (result === -EINVAL) this.counters.badRequests++;
    const { view } = this.world.memory;
    const slot = this.ring.claimResponse();
    view.setUint32(slot + SLOT_REQUEST, request, true);
    view.setInt32(slot + SLOT_RET, result, true);
    cpu.post(this.#publish, this.ring.rspProdPvt | 0);
    return slot;
  }

  // ---- late and long work

  /** Has the worker do something that an interrupt of dom0 has made possible: only the worker answers requests. */
  runLater(cpu: Processor, work: (cpu: Processor) => void): void {
    this.#later.push(work);
    if (this.#asleep) this.#wake(cpu);
    else cpu.post(this.#workQueued);
  }

  addJob(job: RegionJob): void {
    this.#jobs.push(job);
  }

  /** Takes an endpoint's jobs back, as they are: which those were. */
  removeJobs(owner: BackRegions): RegionJob[] {
    const removed = this.#jobs.filter((job) => job.owner === owner);
    this.#jobs = this.#jobs.filter((job) => job.owner !== owner);
    return removed;
  }

  #work(cpu: Processor, job: RegionJob): void {
    if (!job.owner.step(cpu, job)) return;
    this.#jobs.shift();
    job.owner.done(cpu, job);
  }
}
