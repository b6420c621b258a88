import * as units from "../../base/units.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Memory } from "../../hw/memory.ts";
import type { Engine } from "../../sim/engine.ts";
import type { MxLimits } from "../limits.ts";
import type { EndpointOwner, EndpointQueues } from "./contract.ts";
import * as events from "./events.ts";
import { SlotArea } from "./slot_area.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { US } = units;
const { EV_ID, EV_TYPE, EVENT_BYTES, eventId } = events;

/** Where the queues of an endpoint lie: what the kernel allocates at open (omx_endpoint.c). */
export class QueueMemory implements EndpointQueues {
  readonly index: number;
  readonly session: number;
  readonly entries: number;
  readonly sendQueue: SlotArea;
  readonly recvQueue: SlotArea;
  readonly unexpectedEvents: number;
  readonly expectedEvents: number;
  readonly journeys: Int32Array;

  /** `alloc` gives page-aligned memory of whoever owns the queues; `byUse`: their slots take it when they are used. */
  constructor(
    alloc: (bytes: number) => number,
    limits: MxLimits,
    index: number,
    session: number,
    entries: number,
    byUse = false,
  ) {
    this.index = index;
    this.session = session;
    this.entries = entries;
    const slots = () =>
      byUse
        ? SlotArea.byUse(entries, limits.slotBytes, alloc)
        : SlotArea.flat(alloc(entries * limits.slotBytes), limits.slotBytes);
    this.sendQueue = slots();
    this.recvQueue = slots();
    this.unexpectedEvents = alloc(entries * EVENT_BYTES);
    this.expectedEvents = alloc(entries * EVENT_BYTES);
    this.journeys = new Int32Array(2 * entries);
  }
}

/** Bytes of memory that the queues of one endpoint take. */
export function queueBytes(limits: MxLimits, entries: number): number {
  return entries * (2 * limits.slotBytes + 2 * EVENT_BYTES);
}

/** What was on its way to the queues of an endpoint when it was closed has arrived after so long, picoseconds. */
export const QUEUES_REST_PS = 100 * US;

/** A handler of the engine that makes the events of one endpoint visible, and whose they are now. */
interface CommitHandler {
  number: number;
  producer: EventProducer;
}

function publish(number: number, type: number, handler: CommitHandler): void {
  handler.producer.publish(number, type);
}

/** The engine never forgets a handler: an endpoint takes that of another of its process that has been closed for long. */
export class CommitHandlers {
  readonly #engine: Engine;
  /** By name, in the order in which their endpoints were closed. Most processes close once. */
  #closed: Map<string, { readonly handler: CommitHandler; readonly closedAt: number }[]> | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  take(name: string, producer: EventProducer): CommitHandler {
    const closed = this.#closed?.get(name);
    if (closed !== undefined && closed.length > 0 && this.#engine.now - closed[0].closedAt >= QUEUES_REST_PS) {
      const { handler } = closed.shift()!;
      handler.producer = producer;
      return handler;
    }
    const handler = { number: -1, producer };
    handler.number = this.#engine.handler(`${name} event`, publish, handler);
    return handler;
  }

  giveBack(name: string, handler: CommitHandler): void {
    const all = this.#closed ??= new Map();
    const entry = { handler, closedAt: this.#engine.now };
    const closed = all.get(name);
    if (closed === undefined) all.set(name, [entry]);
    else closed.push(entry);
  }
}

/**
 * The producer's side of an endpoint's two event queues, in the kernel that owns them. A slot is reserved, filled and
 * committed; its id byte, written last and at the instant the burst has reached, is what the library polls.
 */
export class EventProducer {
  readonly queues: QueueMemory;
  readonly #memory: Memory;
  readonly #owner: Pick<EndpointOwner, "wake">;
  readonly #name: string;
  readonly #handlers: CommitHandlers;
  readonly #commit: CommitHandler;
  #nextUnexpected = 0;
  #nextExpected = 0;
  #freedUnexpected = 0;
  #freedExpected = 0;
  #nextRecv = 0;

  /** `owner` is woken by every event. */
  constructor(
    handlers: CommitHandlers,
    memory: Memory,
    name: string,
    queues: QueueMemory,
    owner: Pick<EndpointOwner, "wake">,
  ) {
    this.queues = queues;
    this.#memory = memory;
    this.#owner = owner;
    this.#name = name;
    this.#handlers = handlers;
    this.#commit = handlers.take(name, this);
  }

  /** The endpoint is closed; what has been committed becomes visible all the same. */
  close(): void {
    this.#handlers.giveBack(this.#name, this.#commit);
  }

  /** Free-running number of the next event, -1 when the queue is full. */
  reserve(expected: boolean): number {
    const next = expected ? this.#nextExpected : this.#nextUnexpected;
    const freed = expected ? this.#freedExpected : this.#freedUnexpected;
    if (next - freed >= this.queues.entries) return -1;
    if (expected) this.#nextExpected++;
    else this.#nextUnexpected++;
    return next;
  }

  /** Gives back the number reserved last, which nothing has been committed for. Not with a receive-queue slot. */
  unreserve(expected: boolean): void {
    if (expected) this.#nextExpected--;
    else this.#nextUnexpected--;
  }

  /** The receive-queue slot that goes with the event: taken in the same order, freed with it. */
  reserveRecvSlot(): number {
    return this.#nextRecv++ % this.queues.entries;
  }

  address(number: number, expected: boolean): number {
    const base = expected ? this.queues.expectedEvents : this.queues.unexpectedEvents;
    return base + (number % this.queues.entries) * EVENT_BYTES;
  }

  /** Makes a filled event visible at the instant the burst has reached, and wakes who waits for it. */
  commit(cpu: Processor, number: number, expected: boolean, type: number, journey: number): void {
    const { entries, journeys } = this.queues;
    const slot = number % entries;
    journeys[expected ? entries + slot : slot] = journey + 1;
    cpu.post(this.#commit.number, number, expected ? type | 0x100 : type);
  }

  /** The library has consumed this many events of each queue. */
  release(unexpected: number, expected: number): void {
    this.#freedUnexpected = unexpected;
    this.#freedExpected = expected;
  }

  /** For the handler: the instant of a commit has come. */
  publish(number: number, type: number): void {
    const at = this.address(number, (type & 0x100) !== 0);
    const { view } = this.#memory;
    view.setUint8(at + EV_TYPE, type & 0xff);
    view.setUint8(at + EV_ID, eventId(number));
    this.#owner.wake();
  }
}
