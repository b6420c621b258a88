import { SlotArea } from "../../../src/mx/driver/slot_area.ts";
import { assert } from "../../../src/base/assert.ts";
import { NS, TIME_LIMIT_PS, US } from "../../../src/base/units.ts";
import { Memory } from "../../../src/hw/memory.ts";
import { Processor } from "../../../src/hw/processor.ts";
import { NO_JOURNEY } from "../../../src/metrics/journey.ts";
import { DRIVER, KERNEL, PIN, SYSCALL, WIRE } from "../../../src/metrics/stage.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as ev from "../../../src/mx/driver/events.ts";
import { COUNTER_LABELS } from "../../../src/mx/driver/counters.ts";
import { Region } from "../../../src/mx/driver/region.ts";
import type { Frame, ToyHost } from "./toy_cluster.ts";

/** Time on the toy wire. */
export const WIRE_PS = 5 * US;

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

/** Time in the toy driver for one command. */
const DRIVER_PS = 600 * NS;

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
      journeys: new Int32Array(2 * entries),
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
      this.#regions.set(command.region, new Region(command.region, command.length, extents));
    } else if (kind === c.CMD_DESTROY_REGION) {
      cpu.charge(PIN, KERNEL, 1 * US);
      if (!this.#regions.delete(command.region)) {
        this.#owner!.commandDone(kind, cookie, c.RESULT_INVALID);
        return;
      }
    } else if (kind === c.CMD_SEND_MEDIUM_VA) {
      this.#sendFragments(cpu, command);
      this.#later(cpu.now + this.host.cluster.mediumDonePs, command, 0, NO_JOURNEY);
    } else {
      if (command.journey >= 0) cpu.carry(command.journey, DRIVER);
      cpu.charge(DRIVER, KERNEL, DRIVER_PS);
      this.host.cluster.transmit(cpu.now, this, command, this.#payload(command));
      cpu.putDown();
      if (kind === c.CMD_SEND_MEDIUM_FRAG) {
        this.#later(cpu.now + this.host.cluster.mediumDonePs, command, 0, NO_JOURNEY);
      }
    }
    this.#owner!.commandDone(kind, cookie, c.RESULT_OK);
  }

  /** All fragments of a medium message out of the program's memory: frames like those from the send queue. */
  #sendFragments(cpu: Processor, command: c.MxCommand): void {
    const extents = command.segments ?? [{ address: command.address, length: command.length }];
    const source = new Region(-1, command.length, extents);
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
    const place = unexpected ? slot : queues.entries + slot;
    assert(queues.journeys[place] === 0, "toy: a journey was left in its slot");
    queues.journeys[place] = journey + 1;
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
