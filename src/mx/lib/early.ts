import { seqOffset } from "../../base/wrap.ts";
import type { Processor } from "../../hw/processor.ts";
import { NO_JOURNEY } from "../../metrics/journey.ts";
import { EVENT_MEDIUM_FRAG } from "../driver/contract.ts";
import type { LibraryCore } from "./core.ts";
import type { Link } from "./list.ts";
import { Packet } from "./packet.ts";
import type { Partner } from "./partner.ts";

/**
 * Packets that came before an earlier one (omx_recv.c:62-223): kept by sequence, then fragment, with a copy of their
 * payload, since the event slot and the receive queue must be given back.
 */
export class EarlyQueue {
  readonly #core: LibraryCore;
  readonly #free: Packet[] = [];

  constructor(core: LibraryCore) {
    this.#core = core;
  }

  /** Keeps a packet, with its journey; false when it is there already. */
  keep(cpu: Processor, partner: Partner, packet: Packet): boolean {
    const place = this.#placeFor(partner, packet);
    // Only a medium's number tells packets of one sequence apart: where others have one, it may be anything.
    if (place !== null && rankOf(partner, place.of) === rankOf(partner, packet)) return false;
    const kept = this.#free.pop() ?? new Packet();
    kept.copyFrom(packet);
    kept.buffer = packet.dataLength > 0 ? this.#core.buffers.take(packet.dataLength) : 0;
    this.#core.copy(cpu, kept.buffer, packet.data, packet.dataLength);
    kept.data = kept.buffer;
    kept.journey = packet.journey;
    packet.journey = NO_JOURNEY;
    partner.early.insertAfter(kept.link, place);
    this.#core.earlyPackets++;
    return true;
  }

  /** Takes the first packet if its turn has come, that is if its sequence is not beyond `nextMatch`. */
  takeDue(partner: Partner): Packet | null {
    const first = partner.early.first;
    if (first === null) return null;
    const due = seqOffset(first.of.seq, partner.nextFrag) <= seqOffset(partner.nextMatch, partner.nextFrag);
    return due ? partner.early.shift() : null;
  }

  /** Frees a packet that was taken. */
  give(packet: Packet): void {
    if (packet.buffer !== 0) this.#core.buffers.give(packet.buffer, packet.dataLength);
    packet.buffer = 0;
    this.#core.earlyPackets--;
    this.#free.push(packet);
  }

  clear(cpu: Processor, partner: Partner): void {
    for (let packet = partner.early.shift(); packet !== null; packet = partner.early.shift()) {
      cpu.journeys.drop(packet.journey);
      packet.journey = NO_JOURNEY;
      this.give(packet);
    }
  }

  /** The last kept packet that is not after this one; looks from the end, where most packets belong. */
  #placeFor(partner: Partner, packet: Packet): Link<Packet> | null {
    const rank = rankOf(partner, packet);
    let place = partner.early.last;
    while (place !== null && rankOf(partner, place.of) > rank) place = place.prev;
    return place;
  }
}

function rankOf(partner: Partner, packet: Packet): number {
  const fragment = packet.type === EVENT_MEDIUM_FRAG ? packet.small : 0;
  return seqOffset(packet.seq, partner.nextMatch) * 256 + fragment;
}
