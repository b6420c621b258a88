import { SlotArea } from "../../src/mx/driver/slot_area.ts";
import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { Link, type WirePort } from "../../src/hw/link.ts";
import { COST_NAMES, type Costs } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { Processor } from "../../src/hw/processor.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { KERNEL } from "../../src/metrics/stage.ts";
import { MxCommand } from "../../src/mx/driver/contract.ts";
import { type DriverParts, OmxDriver } from "../../src/mx/driver/driver.ts";
import type { DriverEndpoint, EventSink } from "../../src/mx/driver/endpoint.ts";
import * as ev from "../../src/mx/driver/events.ts";
import { type MxLimits, mxLimits } from "../../src/mx/limits.ts";
import { Engine } from "../../src/sim/engine.ts";
import { recordLinks, type WireFrame } from "./wire.ts";

const FREE = Object.fromEntries(COST_NAMES.map((name) => [name, 0])) as unknown as Costs;
/** Flight of a frame on the bench's cable. Nothing else takes time, unless a test says so. */
export const FLIGHT = US;
const MAC_HIGH = 0x0200;

/** An event as a driver has delivered it. */
export interface BenchEvent {
  readonly at: number;
  readonly type: number;
  readonly expected: boolean;
  readonly cookie: number;
  readonly matchA: number;
  readonly matchB: number;
  readonly session: number;
  readonly length: number;
  readonly peer: number;
  readonly endpoint: number;
  readonly small: number;
  readonly seq: number;
  readonly piggyack: number;
  readonly extra: number;
  readonly shared: number;
  readonly status: number;
  /** Payload, inline or from the receive queue. */
  readonly data: Uint8Array;
}

/** Takes every event, as long as `room` lasts, and hands them to the script. */
class BenchSink implements EventSink {
  readonly events: BenchEvent[] = [];
  /** Events that still fit: 0 is a full queue. */
  room = Infinity;
  recvSlot = 0;
  recvAddress: number;
  readonly #bench: DriverBench;
  readonly #slot: number;
  #expected = false;
  #withData = false;

  constructor(bench: DriverBench) {
    this.#bench = bench;
    this.#slot = bench.memory.alloc(ev.EVENT_BYTES);
    this.recvAddress = bench.memory.alloc(bench.limits.slotBytes);
  }

  reserve(_cpu: Processor, expected: boolean, withData: boolean): number {
    if (this.room <= 0) return -1;
    this.room--;
    this.#expected = expected;
    this.#withData = withData;
    this.#bench.memory.u8.fill(0, this.#slot, this.#slot + ev.EVENT_BYTES);
    return this.#slot;
  }

  commit(cpu: Processor, type: number, journey: number): void {
    const { view, u8 } = this.#bench.memory;
    const at = this.#slot;
    const length = view.getUint32(at + ev.EV_LENGTH, true);
    const extra = view.getUint32(at + ev.EV_EXTRA, true);
    const inQueue = type === 0x15 ? extra & 0xffff : length;
    const from = this.#withData ? this.recvAddress : at + ev.EV_DATA;
    const data = u8.slice(from, from + (this.#withData || type === 0x13 ? inQueue : 0));
    this.events.push({
      at: cpu.now,
      type,
      expected: this.#expected,
      cookie: view.getUint32(at + ev.EV_COOKIE, true),
      matchA: view.getUint32(at + ev.EV_MATCH_A, true),
      matchB: view.getUint32(at + ev.EV_MATCH_B, true),
      session: view.getUint32(at + ev.EV_SESSION, true),
      length,
      peer: view.getUint16(at + ev.EV_PEER, true),
      endpoint: view.getUint8(at + ev.EV_ENDPOINT),
      small: view.getUint8(at + ev.EV_SMALL_FIELD),
      seq: view.getUint16(at + ev.EV_SEQ, true),
      piggyack: view.getUint16(at + ev.EV_PIGGYACK, true),
      extra,
      shared: view.getUint8(at + ev.EV_SHARED),
      status: view.getUint8(at + ev.EV_STATUS),
      data,
    });
    this.#bench.frames.journeys.drop(journey);
  }
}

export interface BenchEndpoint {
  readonly endpoint: DriverEndpoint;
  readonly sink: BenchSink;
  /** Address of its send queue. */
  readonly sendQueue: SlotArea;
}

/** One driver with its end of the cable. */
export class BenchSide implements WirePort {
  readonly name: string;
  readonly receiveLatencyPs = 0;
  readonly driver: OmxDriver;
  readonly cpu: Processor;
  readonly mac: number;
  /** Frames find no room: the port drops what it is given. */
  portFull = false;
  readonly #bench: DriverBench;
  readonly #rx: number[] = [];
  readonly #poll: Interrupt;

  constructor(bench: DriverBench, name: string, side: 0 | 1) {
    this.#bench = bench;
    this.name = name;
    this.mac = 0xa0 + side;
    const { engine, memory, frames, limits } = bench;
    const costs = { contextSwitch: 0, idleExit: 0, threadSlice: 3000 * US };
    this.cpu = new Processor(engine, name, OWNER_HOST, costs, frames.journeys, null, new PhysicalCpu(engine, 0));
    const leave = engine.handler(`${name} leaves`, (frame) => bench.link.carry(side, frame, 0));
    this.driver = new OmxDriver({
      engine,
      memory,
      frames,
      costs: bench.costs,
      limits,
      hostname: name,
      processor: this.cpu,
      ...bench.parts,
      port: {
        macHigh: MAC_HIGH,
        macLow: this.mac,
        transmit: (cpu, frame) => {
          if (this.portFull) frames.free(frame);
          else cpu.post(leave, frame);
          return !this.portFull;
        },
      },
    });
    this.#poll = new Interrupt(`${name} poll`, 1, (cpu) => {
      const frame = this.#rx.shift();
      if (frame === undefined) return false;
      cpu.carry(frames.journeyOf(frame), 0);
      this.driver.receive(cpu, frame);
      frames.free(frame);
      cpu.putDown();
      return this.#rx.length > 0;
    });
  }

  receive(frame: number): void {
    this.#rx.push(frame);
    this.cpu.raise(this.#poll);
  }

  /** Opens an endpoint with a fake owner. */
  open(index: number, session: number): BenchEndpoint {
    const sink = new BenchSink(this.#bench);
    const { memory, limits } = this.#bench;
    const sendQueue = SlotArea.flat(memory.alloc(8 * limits.slotBytes), limits.slotBytes);
    const endpoint = this.driver.open(index, session, sink, sendQueue);
    assert.ok(endpoint !== null, "the bench opens free endpoints only");
    return { endpoint, sink, sendQueue };
  }

  /** Runs something in a burst at the present instant. */
  burst(work: (cpu: Processor) => void): void {
    this.cpu.raise(
      new Interrupt("burst", 1, (cpu) => {
        work(cpu);
        return false;
      }),
    );
    this.#bench.run(this.#bench.engine.now);
  }

  /** Executes a command in a burst at the present instant, and returns its result. */
  execute(endpoint: DriverEndpoint, fields: Partial<MxCommand>): number {
    const command = Object.assign(new MxCommand(), fields);
    let result = -1;
    this.burst((cpu) => result = this.driver.execute(cpu, KERNEL, endpoint, command));
    return result;
  }
}

export interface BenchOptions {
  readonly mtu?: number;
  readonly compat?: boolean;
  readonly frames?: number;
  readonly costs?: Partial<Costs>;
  readonly parts?: Partial<DriverParts>;
}

/**
 * Two bare drivers `a` and `b` on a cable, without libraries or programs: frames are made by hand, and what the drivers
 * do is read from the wire, from the events and from the counters. Nothing costs time but the flight.
 */
export class DriverBench {
  readonly engine = new Engine(1);
  readonly memory = new Memory(48 << 20);
  readonly frames: FramePool;
  readonly limits: MxLimits;
  readonly costs: Costs;
  readonly link: Link;
  readonly a: BenchSide;
  readonly b: BenchSide;
  readonly wire: WireFrame[];
  /** What else both drivers are made with. */
  readonly parts: Partial<DriverParts>;
  #read = 0;
  readonly #payloads: Uint8Array[] = [];

  constructor(options: BenchOptions = {}) {
    this.parts = options.parts ?? {};
    this.costs = { ...FREE, ...options.costs };
    this.limits = mxLimits(options.mtu ?? 9000, options.compat);
    this.frames = new FramePool(this.memory, new Journeys(), options.frames ?? 4096);
    this.a = new BenchSide(this, "a", 0);
    this.b = new BenchSide(this, "b", 1);
    this.link = new Link(this.engine, this.frames, "bench", 10e9, FLIGHT, this.a, this.b);
    this.wire = recordLinks([this.link], this.frames, this.limits);
    // Each is the other's peer 1; 0 is the own board. Hand-made frames need no handshake.
    this.a.driver.peers.add("b", MAC_HIGH, this.b.mac, false).reverse = 1;
    this.b.driver.peers.add("a", MAC_HIGH, this.a.mac, false).reverse = 1;
  }

  run(until: number): void {
    this.engine.run(until);
  }

  /** Puts a hand-made frame on the wire now; `payload` is attached behind its linear part. */
  send(from: BenchSide, bytes: Uint8Array, payload?: Uint8Array): void {
    const frame = this.frames.take(bytes.length);
    this.memory.u8.set(bytes, this.frames.at(frame));
    if (payload !== undefined) {
      this.memory.u8.set(payload, this.frames.attachOwn(frame, payload.length));
    }
    this.link.carry(from === this.a ? 0 : 1, frame, 0);
    this.#read = this.wire.length; // what a script sends is not what it expects
  }

  /** Runs until a frame appears on the wire, `limit` at most, and checks the fields that are given. */
  expect(from: BenchSide, name: string, fields: Record<string, number> = {}, limit = 10 * US): WireFrame {
    const until = this.engine.now + limit;
    while (this.wire.length === this.#read && this.engine.nextTime <= until) this.engine.run(until, 1);
    const frame = this.wire[this.#read++];
    assert.ok(frame !== undefined, `expected ${name} from ${from.name}, found silence until ${until}`);
    assert.deepEqual([frame.name, frame.side], [name, from === this.a ? 0 : 1]);
    const found = Object.fromEntries(Object.keys(fields).map((key) => [key, Number(frame.fields[key])]));
    assert.deepEqual(found, fields, name);
    return frame;
  }

  /** Runs until an instant; nothing may appear on the wire before it. */
  silence(until: number): void {
    this.engine.run(until);
    const frame = this.wire[this.#read];
    assert.ok(frame === undefined, `expected silence until ${until}, found ${frame?.name} at ${frame?.at}`);
  }

  /** Keeps the payload of every frame from now on, for {@link payloadOf}. */
  keepPayloads(): void {
    this.link.tap.listen((_, frame) => {
      const from = this.frames.payloadOf(frame);
      this.#payloads.push(this.memory.u8.slice(from, from + this.frames.payloadLengthOf(frame)));
    });
  }

  /** The attached payload of a frame that was on the wire. */
  payloadOf(frame: WireFrame): Uint8Array {
    return this.#payloads[this.wire.indexOf(frame)];
  }

  /** Frames that have appeared since the script last looked. */
  takeWire(): WireFrame[] {
    const news = this.wire.slice(this.#read);
    this.#read = this.wire.length;
    return news;
  }

  /** Lets everything arrive, and checks that no frame and no journey is left. */
  clean(): void {
    this.engine.run(this.engine.now + 10 * US);
    assert.equal(this.frames.used, 0, "frames");
    assert.equal(this.frames.journeys.live, 0, "journeys");
  }
}

/** Non-zero counters by number, for a whole-state comparison. */
export function counted(side: BenchSide): Record<number, number> {
  return Object.fromEntries([...side.driver.counters].map((value, i) => [i, value] as const).filter(([, v]) => v > 0));
}
