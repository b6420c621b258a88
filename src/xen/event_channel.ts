import { grown } from "../base/grown.ts";
import { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import * as stages from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import { EEXIST, EINVAL, ENOSPC, ESRCH } from "./errno.ts";
import type { SharedInfo } from "./shared_info.ts";
import * as sharedInfo from "./shared_info.ts";
import { type EventHandler, Upcalls } from "./upcall.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { HYP, NOTIFICATION } = stages;
const { EVTCHN_PORTS, PORT_IDLE, PORT_PENDING } = sharedInfo;

/** What a port is, named as in Xen's `struct evtchn`. */
export const ECS_FREE = 0;
export const ECS_RESERVED = 1;
/** Waits for the named remote domain to bind to it. */
export const ECS_UNBOUND = 2;
export const ECS_INTERDOMAIN = 3;
/** A physical interrupt. */
export const ECS_PIRQ = 4;

/** Ports that a domain has places for from the start; few domains want more. */
const FIRST_PORTS = 16;

/*
 * What is kept of a port, one record of PORT_WORDS words: thousands of domains with five small arrays each would be
 * ten times as large.
 *
 *   [STATE]          ECS_*
 *   [REMOTE_DOMAIN]  -1 without one
 *   [REMOTE_PORT]
 *   [PIRQ]           number of the physical interrupt, -1 without one
 *   [GENERATION]     counts closings, so that an event on its way to a closed port does not reach the port's next user
 */
const PORT_WORDS = 5;
const STATE = 0;
const REMOTE_DOMAIN = 1;
const REMOTE_PORT = 2;
const PIRQ = 3;
const GENERATION = 4;

/** What a sender sends by. */
interface PortOf {
  readonly channels: EventChannels;
  readonly port: number;
}

function send(cpu: Processor, { channels, port }: PortOf): boolean {
  channels.send(cpu, port);
  return false;
}

/**
 * The event channels of one domain: the hypervisor's table of its ports. The bits are in the domain's shared-info page,
 * and what the guest's kernel does about them is in its upcalls.
 *
 * A notification is one bit: arriving again before the guest has taken it changes nothing. An event that arrives sets
 * the port's pending bit; if that was clear and the port is not masked, it sets the selector bit of the bound VCPU, and
 * if that was clear too, raises the VCPU's upcall. Ports start masked, as Linux starts them; {@link listen} unmasks.
 */
export class EventChannels {
  readonly #domain: Domain;
  readonly #info: SharedInfo;
  readonly #upcalls: Upcalls;
  /** Records of ports, of as many as have been wanted so far. */
  #records = new Int32Array(0);
  #ports = 0;
  /** By physical interrupt, 0 for none: the port that it is bound to. */
  readonly #portOfPirq: number[] = [];
  #inUse = 0;
  readonly #arriveHandler: number;
  readonly #retriggerHandler: number;

  /**
   * What happened to events. At any instant `arrived` = `merged` + `discarded` + what the upcalls `delivered` or found
   * `unhandled` + the bits that are pending.
   */
  readonly counters = {
    /** Sends that this domain made, and those of them that found nobody bound at the other end. */
    sent: 0,
    unbound: 0,
    /** Unmaskings that took a hypercall. */
    unmaskCalls: 0,
    /** Events that reached a port of this domain. */
    arrived: 0,
    /** Arrived while the port was pending already. */
    merged: 0,
    /** Arrived at a masked port: pending, but no upcall. */
    masked: 0,
    /** Pending when their port was closed. */
    discarded: 0,
    /** Sent to a port that was closed before they arrived. */
    late: 0,
  };

  constructor(domain: Domain, info: SharedInfo) {
    this.#domain = domain;
    this.#info = info;
    const { engine, costs, name } = domain.hypervisor;
    const title = `${name} ${domain.name}`;
    this.#upcalls = new Upcalls(title, info, domain.processors, costs, FIRST_PORTS);
    this.#growTo(FIRST_PORTS);
    this.#records[STATE] = ECS_RESERVED; // port 0
    this.#arriveHandler = engine.handler(`${title} event`, EventChannels.#onArrive, this);
    this.#retriggerHandler = engine.handler(`${title} unmask`, (port) => this.#retrigger(port));
  }

  static readonly #onArrive = (port: number, generation: number, of: EventChannels): void =>
    of.#arrive(port, generation);

  /** Upcalls run, handlers run, and events without a handler. */
  get upcallCounters(): Readonly<Upcalls["counters"]> {
    return this.#upcalls.counters;
  }

  // ---- binding: control plane, not charged. A port number, or an error number negated.

  /** EVTCHNOP_alloc_unbound: a port that `remoteDomid` may bind to. */
  allocUnbound(remoteDomid: number): number {
    if (this.#domain.hypervisor.domain(remoteDomid) === undefined) return -ESRCH;
    const port = this.#take(ECS_UNBOUND);
    if (port > 0) this.#records[port * PORT_WORDS + REMOTE_DOMAIN] = remoteDomid;
    return port;
  }

  /**
   * EVTCHNOP_bind_interdomain. As in Xen the new local port is made pending at once, because a notification of the
   * still unbound remote port may have been lost: its handler must stand one event without a cause.
   */
  bindInterdomain(remoteDomid: number, remotePort: number): number {
    const remote = this.#domain.hypervisor.domain(remoteDomid)?.eventChannels;
    if (remote === undefined) return -ESRCH;
    if (remote.state(remotePort) !== ECS_UNBOUND) return -EINVAL;
    if (remote.#records[remotePort * PORT_WORDS + REMOTE_DOMAIN] !== this.#domain.id) return -EINVAL;
    const port = this.#take(ECS_INTERDOMAIN);
    if (port < 0) return port;
    this.#records[port * PORT_WORDS + REMOTE_DOMAIN] = remoteDomid;
    this.#records[port * PORT_WORDS + REMOTE_PORT] = remotePort;
    remote.#records[remotePort * PORT_WORDS + STATE] = ECS_INTERDOMAIN;
    remote.#records[remotePort * PORT_WORDS + REMOTE_PORT] = port;
    this.#domain.hypervisor.engine.after(0, this.#arriveHandler, port, this.#records[port * PORT_WORDS + GENERATION]);
    return port;
  }

  /** EVTCHNOP_bind_pirq: physical interrupt number `pirq` of a device that this domain drives. */
  bindPirq(pirq: number): number {
    while (this.#portOfPirq.length <= pirq) this.#portOfPirq.push(0);
    if (this.#portOfPirq[pirq] !== 0) return -EEXIST;
    const port = this.#take(ECS_PIRQ);
    if (port < 0) return port;
    this.#records[port * PORT_WORDS + PIRQ] = pirq;
    this.#portOfPirq[pirq] = port;
    return port;
  }

  /** EVTCHNOP_bind_vcpu: the VCPU whose upcall serves the port; ports start at VCPU 0. */
  bindVcpu(port: number, vcpu: number): number {
    if (this.state(port) < ECS_UNBOUND || !(vcpu >= 0 && vcpu < this.#domain.processors.length)) return -EINVAL;
    this.#upcalls.bind(port, vcpu);
    this.#domain.hypervisor.engine.after(0, this.#retriggerHandler, port);
    return 0;
  }

  /** The guest kernel's part: sets what runs for the port's events, and unmasks it (bind_evtchn_to_irqhandler). */
  listen(port: number, handler: EventHandler, vcpu = 0): number {
    const status = this.bindVcpu(port, vcpu);
    if (status < 0) return status;
    this.#upcalls.listen(port, handler, this.#records[port * PORT_WORDS + STATE] === ECS_PIRQ);
    this.#info.setMasked(port, false);
    return 0;
  }

  /** EVTCHNOP_close. The other end of an interdomain channel falls back to unbound; what is pending here is lost. */
  close(port: number): number {
    const state = this.state(port);
    if (state < ECS_UNBOUND) return -EINVAL;
    if (state === ECS_INTERDOMAIN) {
      const remote = this.#domain.hypervisor.domain(this.#records[port * PORT_WORDS + REMOTE_DOMAIN])!.eventChannels;
      remote.#records[this.#records[port * PORT_WORDS + REMOTE_PORT] * PORT_WORDS + STATE] = ECS_UNBOUND;
    }
    if (state === ECS_PIRQ) this.#portOfPirq[this.#records[port * PORT_WORDS + PIRQ]] = 0;
    if (this.isPending(port)) this.counters.discarded++;
    this.#info.setPending(port, false);
    this.#info.setMasked(port, true);
    this.#upcalls.forget(port);
    this.#records[port * PORT_WORDS + STATE] = ECS_FREE;
    this.#inUse--;
    this.#records[port * PORT_WORDS + REMOTE_DOMAIN] = -1;
    this.#records[port * PORT_WORDS + PIRQ] = -1;
    this.#records[port * PORT_WORDS + GENERATION]++;
    return 0;
  }

  // ---- notifying

  /** EVTCHNOP_send from a burst: the event arrives at the other end at the instant that the burst has reached. */
  send(cpu: Processor, port: number): number {
    const { costs } = this.#domain.hypervisor;
    cpu.charge(NOTIFICATION, HYP, costs.eventSend);
    const state = this.state(port);
    if (state !== ECS_INTERDOMAIN && state !== ECS_UNBOUND) return -EINVAL;
    this.counters.sent++;
    if (cpu.track !== null) cpu.mark(`notify ${port}`);
    if (state === ECS_UNBOUND) {
      this.counters.unbound++; // dropped silently, as Xen does
      return 0;
    }
    const remote = this.#domain.hypervisor.domain(this.#records[port * PORT_WORDS + REMOTE_DOMAIN])!.eventChannels;
    const remotePort = this.#records[port * PORT_WORDS + REMOTE_PORT];
    cpu.post(remote.#arriveHandler, remotePort, remote.#records[remotePort * PORT_WORDS + GENERATION]);
    return 0;
  }

  /**
   * A send to be raised on one of this domain's processors, from a posted handler that has just published a ring slot
   * and found that the other end asked for a notification. It runs, and is charged, right after the burst that filled
   * the slot. Make one for each port and processor, at set-up.
   */
  sender(port: number): Interrupt {
    return Interrupt.of(`${this.#domain.name} send ${port}`, 0, send, { channels: this, port });
  }

  /** A device's physical interrupt: called from an event handler of the hardware. */
  raisePirq(pirq: number): number {
    if (pirq >= this.#portOfPirq.length || this.#portOfPirq[pirq] === 0) return -EINVAL;
    this.#deliver(this.#portOfPirq[pirq]);
    return 0;
  }

  // ---- masks

  mask(port: number): void {
    if (this.state(port) >= ECS_UNBOUND) this.#info.setMasked(port, true);
  }

  /**
   * Unmasks a port; when an event is pending, the upcall runs now. A pending event or a port of another VCPU costs a
   * hypercall. `cpu` is the burst that does it, null in set-up code.
   */
  unmask(cpu: Processor | null, port: number): void {
    if (this.state(port) < ECS_UNBOUND) return;
    this.#info.setMasked(port, false);
    const pending = this.isPending(port);
    const { engine, costs } = this.#domain.hypervisor;
    if (cpu === null) {
      if (pending) engine.after(0, this.#retriggerHandler, port);
      return;
    }
    const isLocal = cpu === this.#domain.processors[this.#upcalls.vcpuOf(port)];
    if (pending || !isLocal) {
      this.counters.unmaskCalls++;
      cpu.charge(NOTIFICATION, HYP, costs.hypercall);
    }
    if (pending) cpu.post(this.#retriggerHandler, port);
  }

  // ---- looking

  /** What a port is (ECS_*); ECS_FREE for a number that is no port. */
  state(port: number): number {
    return port >= 0 && port < this.#ports ? this.#records[port * PORT_WORDS + STATE] : ECS_FREE;
  }

  isPending(port: number): boolean {
    return this.#info.isPending(port);
  }

  isMasked(port: number): boolean {
    return this.#info.isMasked(port);
  }

  /** How many ports are in use. */
  get portsInUse(): number {
    return this.#inUse;
  }

  // ---- inside

  #take(state: number): number {
    let port = 1;
    while (port < this.#ports && this.state(port) !== ECS_FREE) port++;
    if (port === this.#ports) {
      if (port === EVTCHN_PORTS) return -ENOSPC;
      this.#growTo(Math.min(port * 2, EVTCHN_PORTS));
    }
    this.#records[port * PORT_WORDS + STATE] = state;
    this.#inUse++;
    return port;
  }

  #growTo(ports: number): void {
    this.#records = grown(this.#records, new Int32Array(ports * PORT_WORDS));
    for (; this.#ports < ports; this.#ports++) {
      this.#records[this.#ports * PORT_WORDS + REMOTE_DOMAIN] = -1;
      this.#records[this.#ports * PORT_WORDS + PIRQ] = -1;
    }
    this.#upcalls.growTo(ports);
  }

  #arrive(port: number, generation: number): void {
    if (this.#records[port * PORT_WORDS + GENERATION] !== generation) {
      this.counters.late++;
      return;
    }
    this.#deliver(port);
  }

  #deliver(port: number): void {
    this.counters.arrived++;
    this.#traceArrival(port);
    const was = this.#info.arrive(port);
    if (was === PORT_IDLE) this.#upcalls.raise(port);
    else if (was === PORT_PENDING) this.counters.merged++;
    else this.counters.masked++;
  }

  #traceArrival(port: number): void {
    const processor = this.#domain.processors[this.#upcalls.vcpuOf(port)];
    if (processor.track === null) return;
    const what = this.#records[port * PORT_WORDS + STATE] === ECS_PIRQ
      ? `interrupt ${this.#records[port * PORT_WORDS + PIRQ]}`
      : `event ${port}`;
    processor.mark(this.isPending(port) ? `${what}, merged` : what);
  }

  #retrigger(port: number): void {
    if (this.isPending(port) && !this.isMasked(port)) this.#upcalls.raise(port);
  }
}
