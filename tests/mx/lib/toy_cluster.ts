import { SlotArea } from "../../../src/mx/driver/slot_area.ts";
import { assert } from "../../../src/base/assert.ts";
import { NS, TIME_LIMIT_PS, US } from "../../../src/base/units.ts";
import { PhysicalCpu } from "../../../src/hw/cpu.ts";
import { type Costs, resolveCosts } from "../../../src/hw/machine_profile.ts";
import { Memory } from "../../../src/hw/memory.ts";
import { Processor } from "../../../src/hw/processor.ts";
import type { Process, Thread } from "../../../src/hw/thread.ts";
import { vhpc12 } from "../../../src/hw/profiles/vhpc12.ts";
import { Journeys, NO_JOURNEY } from "../../../src/metrics/journey.ts";
import { DRIVER, KERNEL, PIN, SYSCALL, WIRE } from "../../../src/metrics/stage.ts";
import { Mx } from "../../../src/mx/api.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as ev from "../../../src/mx/driver/events.ts";
import { COUNTER_LABELS } from "../../../src/mx/driver/counters.ts";
import { Region } from "../../../src/mx/driver/region.ts";
import { type MxLimits, mxLimits } from "../../../src/mx/limits.ts";
import { Engine } from "../../../src/sim/engine.ts";

/** Time on the toy wire, and in the toy driver for one command. */
export const WIRE_PS = 5 * US;
const DRIVER_PS = 600 * NS;

/** A command on the wire, with its payload. */
export interface Frame {
  readonly from: ToyDriver;
  readonly command: c.MxCommand;
  readonly payload: Uint8Array;
  /** Counts frames of one kind from one host, from 0. */
  readonly nth: number;
  time: number;
  journey: number;
}

/** What happens to a frame: dropped, delivered `copies` times, after `extraPs`. */
export interface Fate {
  drop?: boolean;
  copies?: number;
  extraPs?: number;
}

export const KIND_NAMES: Record<number, string> = {
  [c.CMD_SEND_TINY]: "TINY",
  [c.CMD_SEND_SMALL]: "SMALL",
  [c.CMD_SEND_MEDIUM_FRAG]: "MEDIUM",
  [c.CMD_SEND_RNDV]: "RNDV",
  [c.CMD_PULL]: "PULL",
  [c.CMD_SEND_NOTIFY]: "NOTIFY",
  [c.CMD_CONNECT_REQUEST]: "CONNECT",
  [c.CMD_CONNECT_REPLY]: "REPLY",
  [c.CMD_SEND_LIBACK]: "LIBACK",
  [c.CMD_CREATE_REGION]: "CREATE",
  [c.CMD_DESTROY_REGION]: "DESTROY",
  [c.CMD_SEND_MEDIUM_VA]: "MEDIUMVA",
};

/**
 * Hosts `a`, `b`, ... with one board or several (`a`, then `a:1`, ...: each is a peer of its own) that share memory and
 * a scriptable wire, with a toy driver below the real library.
 */
export class ToyCluster {
  readonly engine = new Engine(7);
  readonly journeys = new Journeys();
  readonly memory = new Memory(64 << 20);
  readonly costs: Costs = resolveCosts(vhpc12);
  readonly limits: MxLimits;
  readonly entries: number;
  readonly hosts: ToyHost[] = [];
  /** The library of every process, in order of their starts. */
  readonly processes: Mx[] = [];
  /** Every frame that was put on the wire. */
  readonly sent: Frame[] = [];
  fate: (frame: Frame) => Fate | void = () => {};
  shared = false;
  /** Endpoint numbers that a driver has. */
  endpointMax = 256;
  readonly counts = new Map<string, number>();
  readonly #arrival: number;
  readonly #frames: Frame[] = [];

  /** Hosts and boards of each. `hosts` has all boards, those with number 0 first. */
  readonly hostCount: number;
  readonly boards: number;

  constructor(hosts = 2, options: { entries?: number; mtu?: number; compat?: boolean; boards?: number } = {}) {
    this.limits = mxLimits(options.mtu ?? 9000, options.compat);
    this.entries = options.entries ?? 64;
    this.#arrival = this.engine.handler("toy arrival", (index) => this.#arrive(this.#frames[index]));
    this.hostCount = hosts;
    this.boards = options.boards ?? 1;
    for (let i = 0; i < hosts * this.boards; i++) this.hosts.push(new ToyHost(this, i));
  }

  run(until: number): void {
    this.engine.run(until);
  }

  alloc(bytes: number, seed?: number): number {
    const address = this.memory.alloc(bytes);
    if (seed !== undefined) {
      for (let i = 0; i < bytes; i++) {
        this.memory.u8[address + i] = (i * 31 + seed * 7) & 0xff;
      }
    }
    return address;
  }

  same(a: number, b: number, bytes: number): boolean {
    return Buffer.compare(this.memory.u8.subarray(a, a + bytes), this.memory.u8.subarray(b, b + bytes)) === 0;
  }

  /** Names of the frames sent by a host, in order. */
  frames(host?: number): string[] {
    return this.sent.filter((f) => host === undefined || f.from.host.peer === host)
      .map((f) => KIND_NAMES[f.command.kind]);
  }

  transmit(now: number, from: ToyDriver, command: c.MxCommand, payload: Uint8Array): void {
    const copy = new c.MxCommand();
    copy.assign(command);
    const key = `${from.host.peer}/${command.kind}`;
    const nth = this.counts.get(key) ?? 0;
    this.counts.set(key, nth + 1);
    const frame: Frame = { from, command: copy, payload, nth, time: now, journey: command.journey };
    this.sent.push(frame);
    const fate = this.fate(frame) ?? {};
    if (fate.drop) {
      this.journeys.drop(frame.journey);
      if (command.kind === c.CMD_PULL) from.pullTimesOut(now, command);
      return;
    }
    for (let i = fate.copies ?? 1; i > 0; i--) {
      const journey = i > 1 ? this.journeys.fork(frame.journey) : frame.journey;
      this.#frames.push({ ...frame, journey });
      this.engine.at(now + WIRE_PS + (fate.extraPs ?? 0) + i, this.#arrival, this.#frames.length - 1);
    }
  }

  #arrive(frame: Frame): void {
    const { command, from } = frame;
    this.journeys.until(frame.journey, WIRE, this.engine.now);
    const target = this.hosts[command.peer]?.drivers.get(command.endpoint);
    const nack = command.endpoint >= this.endpointMax
      ? c.NACK_BAD_ENDPOINT
      : target === undefined || !target.isOpen
      ? c.NACK_ENDPOINT_CLOSED
      : command.kind !== c.CMD_CONNECT_REQUEST && command.kind !== c.CMD_CONNECT_REPLY &&
          command.session !== target.queues!.session
      ? c.NACK_BAD_SESSION
      : 0;
    if (nack !== 0) {
      this.journeys.drop(frame.journey);
      if (command.kind === c.CMD_SEND_LIBACK) return;
      if (command.kind === c.CMD_PULL) from.pullDone(command, nack, NO_JOURNEY);
      else from.nacked(command, nack);
    } else if (command.kind === c.CMD_PULL) target!.serve(frame);
    else target!.deliver(frame);
  }
}

export class ToyHost {
  readonly cluster: ToyCluster;
  readonly peer: number;
  readonly name: string;
  readonly mac: number;
  readonly processor: Processor;
  readonly drivers = new Map<number, ToyDriver>();
  /** Settings for drivers attached from now on. */
  slow = false;
  refuse: (command: c.MxCommand) => boolean = () => false;
  /** Registrations that the driver calls wrong. */
  invalid: (command: c.MxCommand) => boolean = () => false;
  #processes = 0;

  constructor(cluster: ToyCluster, peer: number) {
    this.cluster = cluster;
    this.peer = peer;
    const board = Math.floor(peer / cluster.hostCount);
    this.name = String.fromCharCode(97 + peer % cluster.hostCount) + (board === 0 ? "" : `:${board}`);
    this.mac = 0x02_00_00_00_00_10 + peer;
    this.processor = this.#cpu();
  }

  #cpu(): Processor {
    const { contextSwitch, idleExit, threadSlice } = this.cluster.costs;
    const costs = { contextSwitch, idleExit, threadSlice };
    return new Processor(this.cluster.engine, this.name, 0, costs, this.cluster.journeys, null, new PhysicalCpu(0));
  }

  /** Starts a program on a processor of its own. */
  start(program: (mx: Mx) => Process, onExit?: () => void): Thread {
    const { engine, memory, costs, boards, hostCount, hosts } = this.cluster;
    const attach = (board: number) => new ToyDriver(hosts[this.peer + board * hostCount]);
    const name = `${this.name}${this.#processes++}`;
    const processor = this.#processes === 1 ? this.processor : this.#cpu();
    const mx = new Mx({ engine, memory, costs, name, boards, attach });
    this.cluster.processes.push(mx);
    return mx.start(processor, program, onExit);
  }
}

/** Executes commands in the caller's burst, or (`slow`) one at a time, 3 us each, while the caller spins. */
export class ToyDriver implements c.MxDriver {
  readonly host: ToyHost;
  readonly memory: Memory;
  readonly info: c.DriverInfo;
  queues: c.EndpointQueues | null = null;
  isOpen = false;
  readonly slow: boolean;
  readonly commands: string[] = [];
  #owner: c.EndpointOwner | null = null;
  #index = -1;
  #nextUnexpected = 0;
  #nextExpected = 0;
  #nextRecv = 0;
  #released = [0, 0];
  #regions = new Map<number, Region>();
  #waiting: c.MxCommand[] = [];
  #running = false;
  #finished = false;
  readonly #slowHandler: number;
  readonly #doneHandler: number;
  #dones: { command: c.MxCommand; status: number; journey: number }[] = [];

  constructor(host: ToyHost) {
    this.host = host;
    this.memory = host.cluster.memory;
    this.slow = host.slow;
    this.info = {
      limits: host.cluster.limits,
      mac: host.mac.toString(16).padStart(12, "0"),
      hostname: host.name,
      sharedComms: host.cluster.shared,
    };
    const engine = host.cluster.engine;
    this.#slowHandler = engine.handler("toy slow", () => {
      this.#finished = true;
      this.#owner!.wake();
    });
    this.#doneHandler = engine.handler("toy done", (i) => this.#completeLater(i));
  }

  open(_cpu: Processor, index: number, session: number, owner: c.EndpointOwner): c.EndpointQueues | null {
    if (this.host.drivers.get(index)?.isOpen) return null;
    const { entries, limits } = this.host.cluster;
    this.#owner = owner;
    this.#index = index;
    this.isOpen = true;
    this.host.drivers.set(index, this);
    this.queues = {
      index,
      session,
      entries,
      sendQueue: SlotArea.flat(this.memory.alloc(entries * limits.slotBytes), limits.slotBytes),
      recvQueue: SlotArea.flat(this.memory.alloc(entries * limits.slotBytes), limits.slotBytes),
      unexpectedEvents: this.memory.alloc(entries * ev.EVENT_BYTES),
      expectedEvents: this.memory.alloc(entries * ev.EVENT_BYTES),
      unexpectedJourneys: new Int32Array(entries).fill(NO_JOURNEY),
      expectedJourneys: new Int32Array(entries).fill(NO_JOURNEY),
    };
    return this.queues;
  }

  close(_cpu: Processor): void {
    this.isOpen = false;
  }

  peerByName(name: string): number {
    return this.host.cluster.hosts.findIndex((h) => h.name === name);
  }

  peerByMac(mac: number): number {
    return this.host.cluster.hosts.findIndex((h) => h.mac === mac);
  }

  peerMac(peer: number): number {
    return this.host.cluster.hosts[peer]?.mac ?? -1;
  }

  peerName(peer: number): string | null {
    return this.host.cluster.hosts[peer]?.name ?? null;
  }

  counters(): ArrayLike<number> {
    return new Float64Array(COUNTER_LABELS.length);
  }

  peerIsLocal(peer: number): boolean {
    const { hostCount } = this.host.cluster;
    return peer % hostCount === this.host.peer % hostCount;
  }

  chargeSleep(cpu: Processor): void {
    cpu.charge(SYSCALL, KERNEL, 200 * NS);
  }

  release(unexpected: number, expected: number): void {
    this.#released = [unexpected, expected];
  }

  submit(cpu: Processor, command: c.MxCommand): void {
    assert(this.isOpen, "toy: a command after close");
    this.commands.push(KIND_NAMES[command.kind]);
    if (!this.slow) {
      this.#execute(cpu, command);
      return;
    }
    const copy = new c.MxCommand();
    copy.assign(command);
    this.#waiting.push(copy);
  }

  advance(cpu: Processor): boolean {
    while (this.#waiting.length > 0) {
      if (!this.#running) {
        this.#running = true;
        this.#finished = false;
        this.host.cluster.engine.at(cpu.now + 3 * US, this.#slowHandler);
        return false;
      }
      if (!this.#finished) return false;
      this.#running = false;
      this.#execute(cpu, this.#waiting.shift()!);
    }
    return true;
  }

  #execute(cpu: Processor, command: c.MxCommand): void {
    const { kind, cookie } = command;
    if (this.host.refuse(command)) {
      this.host.cluster.journeys.drop(command.journey);
      this.#owner!.commandDone(kind, cookie, c.RESULT_NO_RESOURCES);
      return;
    }
    if (kind === c.CMD_CREATE_REGION && this.host.invalid(command)) {
      this.#owner!.commandDone(kind, cookie, c.RESULT_INVALID);
      return;
    }
    if (kind === c.CMD_CREATE_REGION) {
      assert(!this.#regions.has(command.region), "toy: region exists");
      cpu.charge(PIN, KERNEL, 2 * US);
      const extents = command.segments ?? [{ address: command.address, length: command.length }];
      this.#regions.set(command.region, new Region(command.region, command.regionSeq, command.length, extents));
    } else if (kind === c.CMD_DESTROY_REGION) {
      cpu.charge(PIN, KERNEL, 1 * US);
      if (!this.#regions.delete(command.region)) {
        this.#owner!.commandDone(kind, cookie, c.RESULT_INVALID);
        return;
      }
    } else if (kind === c.CMD_SEND_MEDIUM_VA) {
      this.#sendFragments(cpu, command);
      this.#later(cpu.now + 1 * US, command, 0, NO_JOURNEY);
    } else {
      if (command.journey >= 0) cpu.carry(command.journey, DRIVER);
      cpu.charge(DRIVER, KERNEL, DRIVER_PS);
      this.host.cluster.transmit(cpu.now, this, command, this.#payload(command));
      cpu.putDown();
      if (kind === c.CMD_SEND_MEDIUM_FRAG) this.#later(cpu.now + 1 * US, command, 0, NO_JOURNEY);
    }
    this.#owner!.commandDone(kind, cookie, c.RESULT_OK);
  }

  /** All fragments of a medium message out of the program's memory: frames like those from the send queue. */
  #sendFragments(cpu: Processor, command: c.MxCommand): void {
    const extents = command.segments ?? [{ address: command.address, length: command.length }];
    const source = new Region(-1, 0, command.length, extents);
    const size = this.host.cluster.limits.mediumFragmentBytes;
    const journey = command.journey;
    const frame = new c.MxCommand();
    frame.assign(command);
    frame.kind = c.CMD_SEND_MEDIUM_FRAG;
    for (let offset = 0; offset < command.length; offset += size) {
      frame.fragment = offset / size;
      frame.fragmentLength = Math.min(size, command.length - offset);
      frame.journey = offset + size < command.length ? cpu.journeys.fork(journey) : journey;
      if (frame.journey >= 0) cpu.carry(frame.journey, DRIVER);
      cpu.charge(DRIVER, KERNEL, DRIVER_PS);
      const at = this.memory.alloc(frame.fragmentLength);
      source.read(this.memory, offset, at, frame.fragmentLength);
      this.host.cluster.transmit(cpu.now, this, frame, this.memory.u8.slice(at, at + frame.fragmentLength));
      cpu.putDown();
    }
  }

  #payload(command: c.MxCommand): Uint8Array {
    const u8 = this.memory.u8;
    if (command.kind === c.CMD_SEND_TINY || command.kind === c.CMD_SEND_SMALL) {
      return u8.slice(command.address, command.address + command.length);
    }
    if (command.kind !== c.CMD_SEND_MEDIUM_FRAG) return new Uint8Array(0);
    const at = this.queues!.sendQueue.atOffset(command.queueOffset);
    return u8.slice(at, at + command.fragmentLength);
  }

  #later(time: number, command: c.MxCommand, status: number, journey: number): void {
    const copy = new c.MxCommand();
    copy.assign(command);
    this.#dones.push({ command: copy, status, journey });
    this.host.cluster.engine.at(time, this.#doneHandler, this.#dones.length - 1);
  }

  #completeLater(index: number): void {
    const { command, status, journey } = this.#dones[index];
    if (!this.isOpen) {
      this.host.cluster.journeys.drop(journey);
      return;
    }
    const isPull = command.kind === c.CMD_PULL;
    this.#event(false, isPull ? c.EVENT_PULL_DONE : c.EVENT_MEDIUM_DONE, journey, (view, at) => {
      view.setUint32(at + ev.EV_COOKIE, command.cookie, true);
      view.setUint8(at + ev.EV_SMALL_FIELD, status);
      view.setUint32(at + ev.EV_LENGTH, command.length, true);
    });
  }

  /** The data owner's side of a pull: all of it in one step, then the puller's completion. */
  serve(frame: Frame): void {
    const { command, from } = frame;
    const source = this.#regions.get(command.remoteRegion);
    const target = from.#regions.get(command.region);
    if (source === undefined || source.length < command.length) {
      this.host.cluster.journeys.drop(frame.journey);
      from.pullDone(command, c.PULL_BAD_REGION, NO_JOURNEY);
      return;
    }
    if (target !== undefined) target.copyFrom(this.memory, 0, source, command.length);
    from.pullDone(command, c.PULL_OK, frame.journey);
  }

  /** A pull that is never answered: ends when its time is over. */
  pullTimesOut(now: number, command: c.MxCommand): void {
    if (command.timeoutPs < TIME_LIMIT_PS) this.#later(now + command.timeoutPs, command, c.PULL_TIMEOUT, NO_JOURNEY);
  }

  pullDone(command: c.MxCommand, status: number, journey: number): void {
    const { engine, journeys } = this.host.cluster;
    const time = engine.now + WIRE_PS;
    journeys.until(journey, WIRE, engine.now);
    if (journey >= 0) journeys.work(journey, WIRE, WIRE_PS);
    this.#later(time, command, status, journey);
  }

  nacked(command: c.MxCommand, type: number): void {
    if (!this.isOpen) return;
    this.#event(true, c.EVENT_NACK_LIB, NO_JOURNEY, (view, at) => {
      view.setUint16(at + ev.EV_PEER, command.peer, true);
      view.setUint8(at + ev.EV_ENDPOINT, command.endpoint);
      view.setUint16(at + ev.EV_SEQ, command.seq, true);
      view.setUint8(at + ev.EV_SMALL_FIELD, type);
    });
  }

  deliver(frame: Frame): void {
    const { command, from, payload } = frame;
    const type = TYPES[command.kind];
    const hasSlot = type === c.EVENT_SMALL || type === c.EVENT_MEDIUM_FRAG;
    const recvSlot = hasSlot ? this.#nextRecv++ % this.queues!.entries : 0;
    this.#event(true, type, frame.journey, (view, at) => {
      if (type === c.EVENT_TINY) this.memory.u8.set(payload, at + ev.EV_DATA);
      if (hasSlot) this.memory.u8.set(payload, this.queues!.recvQueue.at(recvSlot));
      view.setUint32(at + ev.EV_MATCH_A, command.matchA, true);
      view.setUint32(at + ev.EV_MATCH_B, command.matchB, true);
      const connect = type === c.EVENT_CONNECT_REQUEST;
      view.setUint32(at + ev.EV_SESSION, connect ? command.ownSession : command.session, true);
      view.setUint32(at + ev.EV_LENGTH, command.length, true);
      view.setUint16(at + ev.EV_PEER, from.host.peer, true);
      view.setUint8(at + ev.EV_ENDPOINT, from.#index);
      view.setUint8(at + ev.EV_SMALL_FIELD, smallField(command));
      const isConnect = connect || type === c.EVENT_CONNECT_REPLY;
      view.setUint16(at + ev.EV_SEQ, isConnect ? command.recvSeqStart : command.seq, true);
      view.setUint16(at + ev.EV_PIGGYACK, command.piggyack, true);
      view.setUint32(at + ev.EV_EXTRA, extra(command, recvSlot), true);
      view.setUint8(at + ev.EV_SHARED, this.host.cluster.shared ? 1 : 0);
      view.setUint8(at + ev.EV_STATUS, command.connectStatus);
    });
  }

  #event(unexpected: boolean, type: number, journey: number, fill: (view: DataView, at: number) => void): void {
    const queues = this.queues!;
    const index = unexpected ? this.#nextUnexpected++ : this.#nextExpected++;
    const room = index - this.#released[unexpected ? 0 : 1] < queues.entries;
    assert(room || unexpected, "toy: expected event queue overrun");
    if (!room) {
      this.#nextUnexpected--;
      this.host.cluster.journeys.drop(journey);
      return;
    }
    const slot = index % queues.entries;
    const at = (unexpected ? queues.unexpectedEvents : queues.expectedEvents) + slot * ev.EVENT_BYTES;
    const view = this.memory.view;
    fill(view, at);
    view.setUint8(at + ev.EV_TYPE, type);
    view.setUint8(at + ev.EV_ID, ev.eventId(index));
    const journeys = unexpected ? queues.unexpectedJourneys : queues.expectedJourneys;
    assert(journeys[slot] === NO_JOURNEY, "toy: a journey was left in its slot");
    journeys[slot] = journey;
    this.#owner!.wake();
  }

  /** Puts any event into the unexpected queue, as a broken or hostile peer might cause. */
  inject(type: number, fields: Record<string, number>): void {
    this.#event(true, type, NO_JOURNEY, (view, at) => {
      view.setUint16(at + ev.EV_PEER, fields.peer ?? 0, true);
      view.setUint8(at + ev.EV_ENDPOINT, fields.endpoint ?? 0);
      view.setUint16(at + ev.EV_SEQ, fields.seq ?? 0, true);
      view.setUint16(at + ev.EV_PIGGYACK, fields.piggyack ?? 0, true);
      view.setUint32(at + ev.EV_EXTRA, fields.extra ?? 0, true);
      view.setUint32(at + ev.EV_LENGTH, fields.length ?? 0, true);
      view.setUint8(at + ev.EV_SMALL_FIELD, fields.small ?? 0);
      view.setUint32(at + ev.EV_SESSION, fields.session ?? 0, true);
    });
  }

  get regionCount(): number {
    return this.#regions.size;
  }
}

const TYPES: Record<number, number> = {
  [c.CMD_SEND_TINY]: c.EVENT_TINY,
  [c.CMD_SEND_SMALL]: c.EVENT_SMALL,
  [c.CMD_SEND_MEDIUM_FRAG]: c.EVENT_MEDIUM_FRAG,
  [c.CMD_SEND_RNDV]: c.EVENT_RNDV,
  [c.CMD_SEND_NOTIFY]: c.EVENT_NOTIFY,
  [c.CMD_CONNECT_REQUEST]: c.EVENT_CONNECT_REQUEST,
  [c.CMD_CONNECT_REPLY]: c.EVENT_CONNECT_REPLY,
  [c.CMD_SEND_LIBACK]: c.EVENT_LIBACK,
};

function smallField(command: c.MxCommand): number {
  switch (command.kind) {
    case c.CMD_SEND_MEDIUM_FRAG:
      return command.fragment;
    case c.CMD_SEND_RNDV:
      return command.region;
    case c.CMD_SEND_NOTIFY:
      return command.remoteRegion;
    default:
      return command.connectSeq;
  }
}

function extra(command: c.MxCommand, recvSlot: number): number {
  switch (command.kind) {
    case c.CMD_SEND_MEDIUM_FRAG:
      return ((recvSlot << 16) | command.fragmentLength) >>> 0;
    case c.CMD_SEND_SMALL:
      return (recvSlot << 16) >>> 0;
    case c.CMD_SEND_RNDV:
      return command.regionSeq;
    case c.CMD_SEND_NOTIFY:
      return command.remoteRegionSeq;
    case c.CMD_SEND_LIBACK:
      return command.ackNumber;
    case c.CMD_CONNECT_REQUEST:
      return command.key;
    default:
      return command.ownSession;
  }
}
