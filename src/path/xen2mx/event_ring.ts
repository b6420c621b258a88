import type { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as events from "../../mx/driver/events.ts";
import { BackRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import type { Channel } from "./channel.ts";
import * as layout from "./layout.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { BACKEND, IRQ } = stages;
const { EVENT_BYTES } = events;
const { eventFunc, SLOT_BYTES, SLOT_EID, SLOT_FUNC, SLOT_REQUEST, SLOT_RET, SLOT_UNION } = layout;

/** Where an event goes: endpoint, its number in the endpoint's queue, and what `ret` says of it (see `layout.ts`). */
export interface EventTarget {
  readonly eid: number;
  readonly number: number;
  readonly coded: number;
}

/** An event that waits for a ring slot. */
interface Waiting extends EventTarget {
  readonly address: number;
  readonly journey: number;
}

/**
 * `recv_ring`, dom0's end: events for the guest's endpoints travel as responses. When the 16 ring slots are taken,
 * events wait in dom0 in order (the historical backend overwrote slots: reference 4.7, item 8).
 */
export class EventRing {
  readonly ring: BackRing;
  /** Events that had to wait for a slot. */
  waited = 0;
  /** The worker, which moves waiting events, sleeps: it has to be told when slots come back. */
  isUnattended = true;
  readonly #world: World;
  readonly #channel: Channel;
  readonly #publish: number;
  readonly #processors: readonly Processor[];
  readonly #sender: Interrupt;
  readonly #images: number[] = []; // free 64-byte images in dom0's memory
  #backlog: Waiting[] = [];
  #slot = 0; // claimed ring slot, or 0
  #image = 0;
  #lastReadyAt = 0;

  constructor(
    world: World,
    page: number,
    name: string,
    channel: Channel,
    processors: readonly Processor[],
    sender: Interrupt,
  ) {
    this.#world = world;
    this.#channel = channel;
    this.ring = new BackRing(world.memory, page, SLOT_BYTES);
    this.#publish = world.engine.handler(`${name} event response`, EventRing.#onPublish, this);
    this.#processors = processors;
    this.#sender = sender;
  }

  static readonly #onPublish = (to: number, processor: number, of: EventRing): void => {
    if (of.ring.publishResponses(to)) of.#processors[processor].raise(of.#sender);
  };

  get hasBacklog(): boolean {
    return this.#backlog.length > 0;
  }

  /** Events that wait for a slot. */
  get backlog(): number {
    return this.#backlog.length;
  }

  /** Takes room for one event, which {@link commit} or {@link cancel} has to follow; returns where its 64 bytes go. */
  claim(cpu: Processor): number {
    this.#discardDummies();
    this.pump(cpu);
    this.#slot = this.hasBacklog || this.ring.freeResponses <= 0 ? 0 : this.ring.claimResponse();
    if (this.#slot !== 0) return this.#slot + SLOT_UNION;
    this.#image = this.#images.pop() ?? this.#world.memory.alloc(EVENT_BYTES, EVENT_BYTES);
    return this.#image;
  }

  commit(cpu: Processor, eid: number, number: number, coded: number, journey: number): void {
    if (this.#slot === 0) {
      this.#backlog.push({ address: this.#image, eid, number, coded, journey });
      this.waited++;
      if (this.isUnattended && this.finalCheck()) this.pump(cpu);
      return;
    }
    this.#fill(cpu, this.#slot, eid, number, coded, journey);
  }

  /** Gives the room back unused. */
  cancel(): void {
    if (this.#slot === 0) this.#images.push(this.#image);
    else this.ring.unclaimResponse();
  }

  /** Moves waiting events into slots that the guest has returned. */
  pump(cpu: Processor): void {
    if (!this.hasBacklog) return;
    this.#discardDummies();
    while (this.hasBacklog && this.ring.freeResponses > 0) {
      const event = this.#backlog.shift()!;
      const slot = this.ring.claimResponse();
      this.#world.memory.copy(slot + SLOT_UNION, event.address, EVENT_BYTES);
      this.#images.push(event.address);
      this.#fill(cpu, slot, event.eid, event.number, event.coded, event.journey);
    }
  }

  /** Asks for a notification when slots come back, if events wait for them; true when some have come already. */
  finalCheck(): boolean {
    if (!this.hasBacklog) return false;
    return this.ring.finalCheckForRequests() > 0;
  }

  /** An endpoint is closed: what waits for it is nobody's. */
  closed(eid: number): void {
    for (const event of this.#backlog) {
      if (event.eid !== eid) continue;
      this.#world.journeys.drop(event.journey);
      this.#images.push(event.address);
    }
    this.#backlog = this.#backlog.filter((event) => event.eid !== eid);
  }

  #fill(cpu: Processor, slot: number, eid: number, number: number, coded: number, journey: number): void {
    cpu.charge(BACKEND, IRQ, this.#world.costs.backendResponse);
    const { view } = this.#world.memory;
    const func = eventFunc(coded & 0xff);
    view.setUint32(slot + SLOT_FUNC, func, true);
    view.setUint32(slot + SLOT_EID, eid, true);
    view.setUint32(slot + SLOT_REQUEST, number, true);
    view.setInt32(slot + SLOT_RET, coded, true);
    const index = this.ring.slotNumber(this.ring.rspProdPvt - 1);
    // A guest may return slots that it has not read.
    this.#world.journeys.drop(this.#channel.eventJourneys[index]);
    this.#channel.eventJourneys[index] = journey;
    // Two CPUs of dom0 may fill slots at a time: they become visible in ring order.
    this.#lastReadyAt = Math.max(this.#lastReadyAt, cpu.now);
    this.#world.engine.at(this.#lastReadyAt, this.#publish, this.ring.rspProdPvt | 0, cpu.index);
  }

  #discardDummies(): void {
    while (this.ring.unconsumedRequests() > 0) this.ring.takeRequest();
  }
}
