import type { Processor } from "../../hw/processor.ts";
import * as journeys from "../../metrics/journey.ts";
import * as stages from "../../metrics/stage.ts";
import type { EndpointQueues } from "../driver/contract.ts";
import * as contract from "../driver/contract.ts";
import * as events from "../driver/events.ts";
import type { Commands } from "./commands.ts";
import type { Connect } from "./connect.ts";
import type { LibraryCore } from "./core.ts";
import type { EagerSend } from "./eager.ts";
import { Cursor } from "./event_cursor.ts";
import type { Large } from "./large.ts";
import { Packet } from "./packet.ts";
import type { Partner } from "./partner.ts";
import type { Receive } from "./receive.ts";
import * as receiving from "./receive.ts";
import type { Reliability } from "./reliability.ts";
import * as reliability from "./reliability.ts";
import * as requests from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NO_JOURNEY } = journeys;
const { LIBRARY, POLL, QUEUEING, USER } = stages;
const {
  EVENT_CONNECT_REPLY,
  EVENT_CONNECT_REQUEST,
  EVENT_IGNORE,
  EVENT_LIBACK,
  EVENT_MEDIUM_DONE,
  EVENT_MEDIUM_FRAG,
  EVENT_NACK_LIB,
  EVENT_NOTIFY,
  EVENT_PULL_DONE,
  EVENT_RNDV,
  EVENT_SMALL,
  EVENT_TINY,
  PULL_OK,
} = contract;
const { EV_COOKIE, EV_DATA } = events;
const { drop } = receiving;
const { nackStatus } = reliability;
const { RECV_LARGE } = requests;

/** Events of each queue in one round: keeps a burst to some microseconds. */
const EVENTS_PER_ROUND = 16;

/** Where events go. */
export interface EventParts {
  readonly receive: Receive;
  readonly connect: Connect;
  readonly reliability: Reliability;
  readonly eager: EagerSend;
  readonly large: Large;
  readonly commands: Commands;
}

/** Reads the two event queues and hands each event to the part that it concerns. */
export class Events {
  readonly #core: LibraryCore;
  readonly #receive: Receive;
  readonly #connect: Connect;
  readonly #reliability: Reliability;
  readonly #eager: EagerSend;
  readonly #large: Large;
  readonly #commands: Commands;
  /** Since the endpoint was opened. */
  #unexpected!: Cursor;
  #expected!: Cursor;
  /** Of this endpoint alone: an unexpected handler may call another one, which reads its own events then. */
  readonly #packet: Packet = new Packet();
  /** The round's first event: what came before it waited for the look, what comes after it waited for it. */
  #first = true;
  #polled = false;

  constructor(core: LibraryCore, parts: EventParts) {
    this.#core = core;
    this.#receive = parts.receive;
    this.#connect = parts.connect;
    this.#reliability = parts.reliability;
    this.#eager = parts.eager;
    this.#large = parts.large;
    this.#commands = parts.commands;
  }

  opened({ unexpectedEvents, expectedEvents, entries }: EndpointQueues): void {
    this.#unexpected = new Cursor(unexpectedEvents, entries);
    this.#expected = new Cursor(expectedEvents, entries);
  }

  any(): boolean {
    const { u8 } = this.#core.memory;
    return this.#unexpected.isFresh(u8) || this.#expected.isFresh(u8);
  }

  /** Handles events, going on with commands after each; true when more are left. */
  read(cpu: Processor, pickupStage: number, polled: boolean): boolean {
    if (!this.any()) return false;
    const { memory } = this.#core;
    this.#first = true;
    this.#polled = polled;
    let unexpected = EVENTS_PER_ROUND;
    for (; unexpected > 0 && this.#unexpected.isFresh(memory.u8); unexpected--) {
      this.#readUnexpected(cpu, this.#first ? pickupStage : QUEUEING);
      this.#commands.goOn(cpu);
    }
    let expected = EVENTS_PER_ROUND;
    for (; expected > 0 && this.#expected.isFresh(memory.u8); expected--) {
      this.#readExpected(cpu, this.#first ? pickupStage : QUEUEING);
      this.#commands.goOn(cpu);
    }
    this.#giveBack();
    // None comes within a burst: whoever has stopped before the limit has seen the last one.
    return (unexpected === 0 || expected === 0) && this.any();
  }

  /** Ends the journeys of events that will not be read. */
  dropAll(cpu: Processor): void {
    const { journeys } = this.#core.queues;
    for (let slot = 0; slot < journeys.length; slot++) cpu.journeys.drop(this.#takeJourney(slot));
  }

  /** The journey of an event, by its place in the array of both queues. */
  #takeJourney(place: number): number {
    const { journeys } = this.#core.queues;
    const journey = journeys[place];
    if (journey === 0) return NO_JOURNEY;
    journeys[place] = 0;
    return journey - 1;
  }

  /** Slots go back a quarter of a queue at a time (omx_lib.c:240-268). */
  #giveBack(): void {
    if (!this.#unexpected.isDue && !this.#expected.isDue) return;
    this.#core.driver.release(this.#unexpected.giveBack(), this.#expected.giveBack());
  }

  #readUnexpected(cpu: Processor, stage: number): void {
    const { slot, address } = this.#unexpected;
    this.#unexpected.next();
    const packet = this.#packet;
    packet.read(this.#core.memory.view, address);
    packet.journey = this.#takeJourney(slot);
    this.#locatePayload(packet, address);
    if (packet.type === EVENT_IGNORE) {
      drop(cpu, packet);
      return;
    }
    cpu.carry(packet.journey, stage);
    const partner = this.#core.partners.find(packet.peer, packet.endpoint);
    this.#chargePickup(cpu, packet.type === EVENT_MEDIUM_FRAG && partner !== null && packet.seq !== partner.nextMatch);
    if (packet.type === EVENT_CONNECT_REQUEST) this.#connect.requested(cpu, packet);
    else if (partner === null) this.#core.counters.stray++; // unknown partners are ignored (omx_recv.c:748-751)
    else this.#dispatch(cpu, partner, packet);
    drop(cpu, packet);
  }

  #locatePayload(packet: Packet, slot: number): void {
    const queues = this.#core.queues;
    packet.dataLength = 0;
    if (packet.type === EVENT_TINY) {
      packet.data = slot + EV_DATA;
      packet.dataLength = packet.length;
    } else if (packet.type === EVENT_SMALL) {
      packet.data = queues.recvQueue.at(packet.extra >>> 16);
      packet.dataLength = packet.length;
    } else if (packet.type === EVENT_MEDIUM_FRAG) {
      packet.data = queues.recvQueue.at(packet.extra >>> 16);
      packet.dataLength = packet.extra & 0xffff;
    }
  }

  #dispatch(cpu: Processor, partner: Partner, packet: Packet): void {
    const counters = this.#core.counters;
    switch (packet.type) {
      case EVENT_TINY:
      case EVENT_SMALL:
      case EVENT_MEDIUM_FRAG:
      case EVENT_RNDV:
      case EVENT_NOTIFY:
        this.#receive.packet(cpu, partner, packet);
        return;
      case EVENT_LIBACK:
        this.#reliability.liback(partner, packet);
        return;
      case EVENT_CONNECT_REPLY:
        if (!this.#connect.replied(cpu, partner, packet)) counters.stray++;
        return;
      case EVENT_NACK_LIB: {
        counters.nacks++;
        const known = this.#reliability.refused(cpu, partner, packet) ||
          this.#connect.refused(partner, nackStatus(packet.small));
        if (!known) counters.stray++;
        return;
      }
    }
    counters.malformed++;
  }

  #readExpected(cpu: Processor, stage: number): void {
    const { slot, address } = this.#expected;
    this.#expected.next();
    const packet = this.#packet;
    packet.read(this.#core.memory.view, address);
    packet.journey = this.#takeJourney(this.#core.queues.entries + slot);
    const cookie = this.#core.memory.view.getUint32(address + EV_COOKIE, true);
    cpu.carry(packet.journey, stage);
    if (packet.type === EVENT_MEDIUM_DONE) {
      this.#chargePickup(cpu, true);
      const known = this.#core.mediumSendQueue ? this.#eager.fragmentDone(cookie) : this.#eager.vectorialDone(cookie);
      if (!known) this.#core.counters.stray++;
    } else if (packet.type === EVENT_PULL_DONE) {
      this.#chargePickup(cpu, false);
      this.#pullDone(cpu, cookie, packet);
    } else if (packet.type !== EVENT_IGNORE) this.#core.counters.malformed++;
    drop(cpu, packet);
  }

  #pullDone(cpu: Processor, cookie: number, packet: Packet): void {
    if (packet.small === PULL_OK) this.#core.pulled += packet.length;
    const request = this.#core.handles.find(cookie);
    if (request === null || request.kind !== RECV_LARGE || request.notifying) {
      // Its partner was given up meanwhile.
      this.#core.credits++;
      this.#core.counters.stray++;
      return;
    }
    const journey = packet.journey;
    packet.journey = NO_JOURNEY;
    this.#large.pullDone(cpu, request, packet.small, journey);
  }

  /** Time to find an event and to begin with it; `light` for those that only continue something. */
  #chargePickup(cpu: Processor, light: boolean): void {
    const costs = this.#core.costs;
    if ((this.#first && this.#polled) || light) cpu.charge(POLL, USER, costs.pollPickup);
    if (!light) cpu.charge(LIBRARY, USER, costs.libraryReceive);
    this.#first = false;
  }
}
