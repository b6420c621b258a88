import { PhysicalCpu } from "../../../src/hw/cpu.ts";
import { type Costs, resolveCosts } from "../../../src/hw/machine_profile.ts";
import { Memory } from "../../../src/hw/memory.ts";
import { Processor } from "../../../src/hw/processor.ts";
import type { Process, Thread } from "../../../src/hw/thread.ts";
import { vhpc12 } from "../../../src/hw/profiles/vhpc12.ts";
import { Journeys, NO_JOURNEY } from "../../../src/metrics/journey.ts";
import { US } from "../../../src/base/units.ts";
import { WIRE } from "../../../src/metrics/stage.ts";
import { Mx } from "../../../src/mx/api.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import { type MxLimits, mxLimits } from "../../../src/mx/limits.ts";
import { Engine } from "../../../src/sim/engine.ts";
import { KIND_NAMES, ToyDriver, WIRE_PS } from "./toy_driver.ts";

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
  /** From a fragment's transmission to its completion. */
  mediumDonePs = 1 * US;
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
    return new Processor(
      this.cluster.engine,
      this.name,
      0,
      costs,
      this.cluster.journeys,
      null,
      new PhysicalCpu(this.cluster.engine, 0),
    );
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
