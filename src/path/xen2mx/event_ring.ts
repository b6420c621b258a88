import type { Interrupt, Processor } from "../../hw/processor.ts";
import { BACKEND, IRQ } from "../../metrics/stage.ts";
import type { EventSink } from "../../mx/driver/endpoint.ts";
import { EVENT_BYTES } from "../../mx/driver/events.ts";
import { BackRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import type { Channel } from "./channel.ts";
import type { Frontend } from "./frontend.ts";
import { eventFunc, SLOT_BYTES, SLOT_FUNC, SLOT_REQUEST, SLOT_RET, SLOT_UNION } from "./layout.ts";

/** An event that waits for a ring slot. */
interface Waiting {
  address: number;
  number: number;
  type: number;
  journey: number;
}

/**
 * `recv_ring`, dom0's end: events for the guest travel as responses. Dom0 reserves their slots in the guest's queues
 * through the granted endpoint page, so a full queue is noticed while the packet can still be dropped. When the 16
 * ring slots are taken, events wait in dom0 in order (the historical backend overwrote slots: reference 4.7, item 8).
 */
export class EventRing implements EventSink {
  readonly ring: BackRing;
  recvSlot = 0;
  recvAddress = 0;
  /** Where dom0 has mapped the guest's receive queue. */
  recvQueue = 0;
  /** Most events that ever waited for a slot. */
  longestBacklog = 0;
  readonly #world: World;
  readonly #frontend: Frontend;
  readonly #channel: Channel;
  readonly #publish: number;
  readonly #images: number[] = []; // free 64-byte images in dom0's memory
  readonly #backlog: Waiting[] = [];
  #number = 0;
  #expected = false;
  #slot = 0; // claimed ring slot, or 0
  #image = 0;
  #lastReadyAt = 0;

  constructor(
    world: World,
    page: number,
    frontend: Frontend,
    channel: Channel,
    processors: readonly Processor[],
    sender: Interrupt,
  ) {
    this.#world = world;
    this.#frontend = frontend;
    this.#channel = channel;
    this.ring = new BackRing(world.memory, page, SLOT_BYTES);
    this.#publish = world.engine.handler(`${frontend.domain.name} event response`, (to, processor) => {
      if (this.ring.publishResponses(to)) processors[processor].raise(sender);
    });
  }

  get hasBacklog(): boolean {
    return this.#backlog.length > 0;
  }

  /** Events that wait for a slot. */
  get backlog(): number {
    return this.#backlog.length;
  }

  reserve(cpu: Processor, expected: boolean, withData: boolean): number {
    const events = this.#frontend.events!;
    const number = events.reserve(expected);
    if (number < 0) return -1;
    this.#number = number;
    this.#expected = expected;
    if (withData) {
      this.recvSlot = events.reserveRecvSlot();
      this.recvAddress = this.recvQueue + this.recvSlot * this.#world.mx.slotBytes;
    }
    this.#discardDummies();
    this.pump(cpu);
    this.#slot = this.hasBacklog || this.ring.freeResponses <= 0 ? 0 : this.ring.claimResponse();
    if (this.#slot !== 0) return this.#slot + SLOT_UNION;
    this.#image = this.#images.pop() ?? this.#world.memory.alloc(EVENT_BYTES, EVENT_BYTES);
    return this.#image;
  }

  commit(cpu: Processor, type: number, journey: number): void {
    const coded = this.#expected ? type | 0x100 : type;
    if (this.#slot === 0) {
      this.#backlog.push({ address: this.#image, number: this.#number, type: coded, journey });
      this.longestBacklog = Math.max(this.longestBacklog, this.#backlog.length);
      return;
    }
    this.#fill(cpu, this.#slot, this.#number, coded, journey);
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
      this.#fill(cpu, slot, event.number, event.type, event.journey);
    }
  }

  /** Asks for a notification when slots come back, if events wait for them; true when some have come already. */
  finalCheck(): boolean {
    if (!this.hasBacklog) return false;
    return this.ring.finalCheckForRequests() > 0;
  }

  /** The endpoint is closed: what waits is nobody's. */
  closed(): void {
    for (const event of this.#backlog) {
      this.#world.journeys.drop(event.journey);
      this.#images.push(event.address);
    }
    this.#backlog.length = 0;
  }

  #fill(cpu: Processor, slot: number, number: number, coded: number, journey: number): void {
    cpu.charge(BACKEND, IRQ, this.#world.costs.backendResponse);
    const { view } = this.#world.memory;
    view.setUint32(slot + SLOT_FUNC, eventFunc(coded & 0xff), true);
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
