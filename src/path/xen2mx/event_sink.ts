import * as profile from "../../hw/machine_profile.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as contract from "../../mx/driver/contract.ts";
import type { EventSink } from "../../mx/driver/endpoint.ts";
import type { EventProducer } from "../../mx/driver/event_queues.ts";
import * as events from "../../mx/driver/events.ts";
import type { World } from "../path.ts";
import type { EventRing } from "./event_ring.ts";
import * as layout from "./layout.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { copyTime } = profile;
const { IRQ } = stages;
const { EVENT_MEDIUM_FRAG, EVENT_NACK_LIB } = contract;
const { EV_EXTRA } = events;
const { EVENT_EXPECTED, LIFE_SHIFT } = layout;

/** Whose events a sink takes. */
export interface SinkOwner {
  readonly eid: number;
  readonly life: number;
  /** Where dom0 has mapped the guest's receive queue. */
  readonly recvQueue: number;
  readonly historical: boolean;
}

/**
 * Where dom0's driver puts the events of one endpoint of a guest. Dom0 reserves their slots in the guest's queues
 * through the granted endpoint page, so a full queue is noticed while the packet can still be dropped.
 */
export class GuestSink implements EventSink {
  recvSlot = 0;
  recvAddress = 0;
  /** With `historical`: refusals that the guest was not told of. */
  keptNacks = 0;
  readonly #world: World;
  readonly #ring: EventRing;
  readonly #events: EventProducer;
  readonly #owner: SinkOwner;
  #number = 0;
  #expected = false;
  #image = 0;

  constructor(world: World, ring: EventRing, events: EventProducer, owner: SinkOwner) {
    this.#world = world;
    this.#ring = ring;
    this.#events = events;
    this.#owner = owner;
  }

  reserve(cpu: Processor, expected: boolean, withData: boolean): number {
    const number = this.#events.reserve(expected);
    if (number < 0) return -1;
    this.#number = number;
    this.#expected = expected;
    if (withData) {
      this.recvSlot = this.#events.reserveRecvSlot();
      this.recvAddress = this.#owner.recvQueue + this.recvSlot * this.#world.mx.slotBytes;
    }
    this.#image = this.#ring.claim(cpu);
    return this.#image;
  }

  commit(cpu: Processor, type: number, journey: number): void {
    const { eid, life, historical } = this.#owner;
    if (historical && type === EVENT_NACK_LIB) {
      // The original posts it to a queue of dom0 that nobody reads (reference, 4.7, item 1).
      this.keptNacks++;
      this.#world.journeys.drop(journey);
      this.#events.unreserve(this.#expected);
      this.#ring.cancel();
      return;
    }
    if (historical && type === EVENT_MEDIUM_FRAG) this.#chargeStaging(cpu);
    const coded = type | (this.#expected ? EVENT_EXPECTED : 0) | life << LIFE_SHIFT;
    this.#ring.commit(cpu, eid, this.#number, coded, journey);
  }

  /** The original copies a fragment into a buffer of its own first, "to chase corruption" (be/omx_recv.c:728). */
  #chargeStaging(cpu: Processor): void {
    const bytes = this.#world.memory.view.getUint32(this.#image + EV_EXTRA, true) & 0xffff;
    cpu.copy(IRQ, copyTime(this.#world.costs.copyCachedByte, bytes), bytes, "frame > dom0's buffer");
  }
}
