import { Interrupt, type Processor } from "../../hw/processor.ts";
import { FRONTEND, IRQ, NOTIFICATION, QUEUEING } from "../../metrics/stage.ts";
import type { EventProducer } from "../../mx/driver/event_queues.ts";
import { EVENT_BYTES } from "../../mx/driver/events.ts";
import type { FrontRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import type { Channel } from "./channel.ts";
import { FUNC_DUMMY, SLOT_FUNC, SLOT_REQUEST, SLOT_RET, SLOT_UNION } from "./layout.ts";

/**
 * The guest's end of `recv_ring`: takes dom0's events off it in the guest's interrupt, copies each into the slot that
 * dom0 has reserved in the guest's own queue, and gives the ring slot back with an empty request.
 */
export class EventReceiver {
  readonly ring: FrontRing;
  /** The guest's event queues; null before the endpoint is open. */
  events: EventProducer | null = null;
  /** The library reads no more events: what dom0 sent before it has seen the close is nobody's. */
  closed = false;
  readonly #world: World;
  readonly #channel: Channel;
  readonly #drain: Interrupt;
  readonly #publishDummies: number;
  /** An upcall has brought us here: what the next event waited for was its notification. */
  #notified = false;

  /** `kick` notifies dom0 that slots have come back. */
  constructor(world: World, name: string, ring: FrontRing, channel: Channel, kick: () => void) {
    this.#world = world;
    this.ring = ring;
    this.#channel = channel;
    this.#drain = new Interrupt(`${name} events`, 1, (cpu) => this.#drainEvents(cpu));
    this.#publishDummies = world.engine.handler(`${name} event returned`, (to) => {
      if (ring.publishRequests(to)) kick();
      channel.onRequests();
    });
  }

  /** The device's interrupt has come: look at the ring after this burst. */
  interrupt(cpu: Processor): void {
    this.#notified = true;
    cpu.raise(this.#drain);
  }

  /** Takes what is on the event ring, then asks for a notification of the next. One burst a turn. */
  #drainEvents(cpu: Processor): boolean {
    let waiting = this.ring.unconsumedResponses();
    if (waiting <= 0) waiting = this.ring.finalCheckForResponses();
    if (waiting <= 0) return false;
    for (let i = 0; i < waiting; i++) this.#takeEvent(cpu);
    cpu.post(this.#publishDummies, this.ring.reqProdPvt | 0);
    return true;
  }

  #takeEvent(cpu: Processor): void {
    const index = this.ring.slotNumber(this.ring.rspCons);
    const slot = this.ring.takeResponse();
    const journey = this.#channel.eventJourneys[index];
    this.#channel.eventJourneys[index] = -1;
    cpu.carry(journey, this.#notified ? NOTIFICATION : QUEUEING);
    this.#notified = false;
    cpu.charge(FRONTEND, IRQ, this.#world.costs.frontendEvent);
    const { memory } = this.#world;
    const number = memory.view.getUint32(slot + SLOT_REQUEST, true);
    const type = memory.view.getInt32(slot + SLOT_RET, true);
    const expected = (type & 0x100) !== 0;
    const events = this.events!;
    if (this.closed) {
      this.#world.journeys.drop(journey);
    } else {
      memory.copy(events.address(number, expected), slot + SLOT_UNION, EVENT_BYTES - 2);
      events.commit(cpu, number, expected, type & 0xff, journey);
    }
    cpu.putDown();
    memory.view.setUint32(this.ring.claimRequest() + SLOT_FUNC, FUNC_DUMMY, true);
  }
}
