import { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as events from "../../mx/driver/events.ts";
import type { FrontRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import type { Channel } from "./channel.ts";
import type { FrontEndpoint } from "./front_endpoint.ts";
import * as layout from "./layout.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { FRONTEND, IRQ, NOTIFICATION, QUEUEING } = stages;
const { EVENT_BYTES } = events;
const { EVENT_EXPECTED, FUNC_DUMMY, LIFE_SHIFT, SLOT_EID, SLOT_FUNC, SLOT_REQUEST, SLOT_RET, SLOT_UNION } = layout;

/**
 * The guest's end of `recv_ring`: takes dom0's events off it in the guest's interrupt, copies each into the slot that
 * dom0 has reserved in the queue of the endpoint that it is for, and gives the ring slot back with an empty request.
 */
export class EventReceiver {
  readonly ring: FrontRing;
  /** Events for an endpoint that is closed, or that has been opened anew since dom0 sent them. */
  strayEvents = 0;
  readonly #world: World;
  readonly #channel: Channel;
  readonly #endpoints: readonly (FrontEndpoint | null | undefined)[];
  readonly #drain: Interrupt;
  readonly #publishDummies: number;
  /** An upcall has brought us here: what the next event waited for was its notification. */
  #notified = false;

  /** `endpoints` are those of the guest by index; `kick` notifies dom0 that slots have come back. */
  constructor(
    world: World,
    name: string,
    ring: FrontRing,
    channel: Channel,
    endpoints: readonly (FrontEndpoint | null | undefined)[],
    kick: () => void,
  ) {
    this.#world = world;
    this.#endpoints = endpoints;
    this.ring = ring;
    this.#channel = channel;
    this.#drain = Interrupt.of(`${name} events`, 1, EventReceiver.#onEvents, this);
    this.#publishDummies = world.engine.handler(`${name} event returned`, (to) => {
      if (ring.publishRequests(to)) kick();
      channel.onRequests();
    });
  }

  static readonly #onEvents = (cpu: Processor, of: EventReceiver): boolean => of.#drainEvents(cpu);

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
    const coded = memory.view.getInt32(slot + SLOT_RET, true);
    const endpoint = this.#endpoints[memory.view.getUint32(slot + SLOT_EID, true)];
    const events = endpoint?.life === coded >> LIFE_SHIFT ? endpoint.events : null;
    if (events === null) {
      this.strayEvents++;
      this.#world.journeys.drop(journey);
    } else {
      const number = memory.view.getUint32(slot + SLOT_REQUEST, true);
      const expected = (coded & EVENT_EXPECTED) !== 0;
      memory.copy(events.address(number, expected), slot + SLOT_UNION, EVENT_BYTES - 2);
      events.commit(cpu, number, expected, coded & 0xff, journey);
    }
    cpu.putDown();
    memory.view.setUint32(this.ring.claimRequest() + SLOT_FUNC, FUNC_DUMMY, true);
  }
}
