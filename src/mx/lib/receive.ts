import * as wrap from "../../base/wrap.ts";
import type { Processor } from "../../hw/processor.ts";
import * as journeys from "../../metrics/journey.ts";
import * as stages from "../../metrics/stage.ts";
import * as contract from "../driver/contract.ts";
import type { LibraryCore } from "./core.ts";
import type { Delivery } from "./delivery.ts";
import type { EarlyQueue } from "./early.ts";
import type { Large } from "./large.ts";
import type { Packet } from "./packet.ts";
import type { Partner } from "./partner.ts";
import type { Reliability } from "./reliability.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { seqAdd, seqOffset, sesnum } = wrap;
const { NO_JOURNEY } = journeys;
const { QUEUEING } = stages;
const { EVENT_MEDIUM_FRAG, EVENT_NOTIFY } = contract;

/** Sequences beyond `nextMatch` that the early queue accepts (omx_recv.c:737-837). */
const EARLY_WINDOW = 255;

/**
 * The receive gate: every tiny, small, medium fragment, rendezvous and notify passes here. Packets of the partner's
 * present session are taken in order of sequence; what comes too early is kept, what came before is dropped.
 */
export class Receive {
  readonly #core: LibraryCore;
  readonly #reliability: Reliability;
  readonly #delivery: Delivery;
  readonly #large: Large;
  readonly #early: EarlyQueue;

  constructor(core: LibraryCore, reliability: Reliability, delivery: Delivery, large: Large, early: EarlyQueue) {
    this.#core = core;
    this.#reliability = reliability;
    this.#delivery = delivery;
    this.#large = large;
    this.#early = early;
  }

  /** Takes a packet whose journey is carried. */
  packet(cpu: Processor, partner: Partner, packet: Packet): void {
    const counters = this.#core.counters;
    if (!this.#delivery.isSound(packet)) {
      counters.malformed++;
      drop(cpu, packet);
      return;
    }
    if (sesnum(packet.seq) !== sesnum(partner.nextFrag) || sesnum(packet.piggyack) !== sesnum(partner.nextSend)) {
      counters.obsolete++;
      drop(cpu, packet);
      return;
    }
    this.#reliability.acked(partner, packet.piggyack);
    const index = seqOffset(packet.seq, partner.nextFrag);
    const span = seqOffset(partner.nextMatch, partner.nextFrag);
    if (index <= span) {
      this.#inOrder(cpu, partner, packet);
      this.#replayEarly(cpu, partner);
    } else if (index <= span + EARLY_WINDOW) {
      if (this.#early.keep(cpu, partner, packet)) counters.early++;
      else counters.duplicates++;
    } else {
      // The ack of the newest message may have been lost: repeat it.
      if (packet.seq === seqAdd(partner.nextFrag, -1)) {
        counters.duplicates++;
        this.#reliability.oweNow(partner);
      } else counters.obsolete++;
    }
    drop(cpu, packet);
  }

  /** A packet between `nextFrag` and `nextMatch` (omx_recv.c:693-734). */
  #inOrder(cpu: Processor, partner: Partner, packet: Packet): void {
    if (packet.seq !== partner.nextMatch) {
      const more = packet.type === EVENT_MEDIUM_FRAG && this.#delivery.continuePartial(cpu, partner, packet);
      if (!more) this.#core.counters.duplicates++;
    } else {
      if (packet.type === EVENT_NOTIFY) {
        this.#large.notified(cpu, packet);
        // MX 1.2 wants a NOTIFY acknowledged at once, if an ack can cover it (omx_large.c:723-731).
        const isCovered = partner.nextFrag === partner.nextMatch;
        if (isCovered && this.#core.driver.info.limits.compat) this.#reliability.oweNow(partner);
      } else this.#delivery.start(cpu, partner, packet);
      partner.nextMatch = seqAdd(partner.nextMatch, 1);
    }
    const oldest = partner.partials.first;
    const nextFrag = oldest !== null ? oldest.of.seq : partner.nextMatch;
    if (nextFrag === partner.nextFrag) return;
    partner.nextFrag = nextFrag;
    this.#reliability.received(cpu, partner);
  }

  #replayEarly(cpu: Processor, partner: Partner): void {
    if (partner.early.first === null) return;
    for (let kept = this.#early.takeDue(partner); kept !== null; kept = this.#early.takeDue(partner)) {
      cpu.carry(kept.journey, QUEUEING);
      this.#inOrder(cpu, partner, kept);
      drop(cpu, kept);
      this.#early.give(kept);
    }
  }
}

/** Ends the journey of a packet that nobody has taken over. */
export function drop(cpu: Processor, packet: Packet): void {
  if (packet.journey >= 0) {
    cpu.journeys.drop(packet.journey);
    packet.journey = NO_JOURNEY;
  }
  cpu.putDown();
}
