import { grown } from "../base/grown.ts";
import { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import type { Costs } from "../hw/machine_profile.ts";
import * as stages from "../metrics/stage.ts";
import type { SharedInfo } from "./shared_info.ts";
import * as sharedInfo from "./shared_info.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { INTERRUPT, IRQ, NOTIFICATION } = stages;
const { EVTCHN_PORTS } = sharedInfo;

/** What a guest's kernel runs for an event, inside the upcall's burst. */
export type EventHandler = (cpu: Processor) => void;

/** Port 0 is no port, whatever a guest writes into the page. */
const FIRST_PORT = 1;

const CHARGED_EVENT = 1;
const CHARGED_PIRQ = 2;

/** Whose upcall, and on which VCPU. */
interface UpcallOf {
  readonly upcalls: Upcalls;
  readonly vcpu: number;
}

/**
 * A guest kernel's event upcalls, one for each VCPU: interrupts that scan the selector and the pending bits and run the
 * handlers of the ports bound to their VCPU.
 */
export class Upcalls {
  readonly #info: SharedInfo;
  readonly #costs: Costs;
  readonly #processors: readonly Processor[];
  readonly #interrupts: Interrupt[];
  /** Where each VCPU's next scan begins, one past the last port served, so that no port starves others. */
  readonly #scanFrom: number[];
  /** By port, for as many as there are (see growTo): the VCPU, doubled, and 1 more where a device interrupts. */
  #served: Uint16Array;
  readonly #handlers: (EventHandler | undefined)[] = [];
  #charged = 0;

  /** Upcalls run, handlers run by them, and events taken that had no handler. */
  readonly counters = { upcalls: 0, delivered: 0, unhandled: 0 };

  constructor(name: string, info: SharedInfo, processors: readonly Processor[], costs: Costs, ports: number) {
    this.#info = info;
    this.#served = new Uint16Array(ports);
    this.growTo(ports);
    this.#costs = costs;
    this.#processors = processors;
    this.#scanFrom = processors.map(() => FIRST_PORT);
    this.#interrupts = processors.map((_, vcpu) =>
      Interrupt.of(`${name} upcall ${vcpu}`, 0, Upcalls.#onUpcall, { upcalls: this, vcpu })
    );
  }

  static readonly #onUpcall = (cpu: Processor, { upcalls, vcpu }: UpcallOf): boolean => upcalls.#run(vcpu, cpu);

  /** There are so many ports from now on. */
  growTo(ports: number): void {
    this.#served = grown(this.#served, new Uint16Array(ports));
    while (this.#handlers.length < ports) this.#handlers.push(undefined);
  }

  vcpuOf(port: number): number {
    return this.#served[port] >> 1;
  }

  bind(port: number, vcpu: number): void {
    this.#served[port] = vcpu << 1 | this.#served[port] & 1;
  }

  /** Sets what runs for a port, and whether its events are a device's interrupts. */
  listen(port: number, handler: EventHandler, isPirq: boolean): void {
    this.#handlers[port] = handler;
    this.#served[port] = this.#served[port] & ~1 | (isPirq ? 1 : 0);
  }

  forget(port: number): void {
    this.#handlers[port] = undefined;
    this.#served[port] = 0;
  }

  /** A pending port is not masked (any more): selects it, and interrupts its VCPU unless that has been done already. */
  raise(port: number): void {
    const vcpu = this.#served[port] >> 1;
    if (this.#info.select(vcpu, port)) this.#processors[vcpu].raise(this.#interrupts[vcpu]);
  }

  /** Serves every selected port from where the last upcall stopped, going round once (__xen_evtchn_do_upcall). */
  #run(vcpu: number, cpu: Processor): boolean {
    this.counters.upcalls++;
    this.#charged = 0;
    this.#info.clearUpcall(vcpu);
    const low = this.#info.takeSelector(vcpu, 0);
    const high = this.#info.takeSelector(vcpu, 1);
    this.#scan(vcpu, cpu, low, high);
    // A port masked or closed in between leaves an upcall with nothing to serve: it was taken all the same.
    if (this.#charged === 0) this.#charge(cpu, CHARGED_EVENT);
    return false;
  }

  /** Serves the selected ports; `low` and `high` are the halves of the selector, of which a bit stands for 64 ports. */
  #scan(vcpu: number, cpu: Processor, low: number, high: number): void {
    const start = this.#scanFrom[vcpu];
    // First the ports [start, EVTCHN_PORTS), then [FIRST_PORT, start).
    let from = start;
    let to = EVTCHN_PORTS;
    for (;;) {
      for (let word = from >> 6; word << 6 < to; word++) {
        word = nextBit(low, high, word);
        if (word < 0) break;
        this.#serveGroup(vcpu, cpu, word << 1, from, to);
        this.#serveGroup(vcpu, cpu, (word << 1) | 1, from, to);
      }
      if (to === start || start === FIRST_PORT) return;
      from = FIRST_PORT;
      to = start;
    }
  }

  /** Of a group of 32 ports, serves those in [from, to), lowest first. */
  #serveGroup(vcpu: number, cpu: Processor, group: number, from: number, to: number): void {
    if (group << 5 >= to) return;
    let bits = this.#info.active(group);
    if (bits === 0) return;
    const first = group << 5;
    if (from > first) bits &= from - first < 32 ? -1 << (from & 31) : 0;
    if (to - first < 32) bits &= to > first ? (1 << (to & 31)) - 1 : 0;
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      this.#serve(vcpu, cpu, first | bit);
      bits &= bits - 1;
      // The handler may have masked or closed ports of which the turn would come.
      if (bits !== 0) bits &= this.#info.active(group);
    }
  }

  /** Runs a pending port's handler, if the port is this VCPU's: each serves its own. */
  #serve(vcpu: number, cpu: Processor, port: number): void {
    const served = this.#served[port];
    if (served >> 1 !== vcpu) return;
    // Cleared before the handler runs, so that what comes while it does is an event of its own.
    this.#info.setPending(port, false);
    this.#scanFrom[vcpu] = port === EVTCHN_PORTS - 1 ? FIRST_PORT : port + 1;
    this.#charge(cpu, (served & 1) === 1 ? CHARGED_PIRQ : CHARGED_EVENT);
    const handler = this.#handlers[port];
    if (handler === undefined) {
      this.counters.unhandled++;
      return;
    }
    this.counters.delivered++;
    handler(cpu);
    cpu.putDown(); // a handler's message is not the next one's
  }

  /** One upcall pays once for its event channels, and once for the physical interrupts that Xen took for it. */
  #charge(cpu: Processor, kind: number): void {
    if ((this.#charged & kind) !== 0) return;
    this.#charged |= kind;
    if (kind === CHARGED_PIRQ) cpu.charge(INTERRUPT, IRQ, this.#costs.xenInterrupt);
    else cpu.charge(NOTIFICATION, IRQ, this.#costs.upcall);
  }
}

/** The lowest set bit of a 64-bit word at or above `from`, -1 when there is none. */
function nextBit(low: number, high: number, from: number): number {
  if (from < 32) {
    const bits = low & (-1 << from);
    if (bits !== 0) return 31 - Math.clz32(bits & -bits);
    from = 32;
  }
  if (from >= 64) return -1;
  const bits = high & (-1 << (from - 32));
  return bits === 0 ? -1 : 63 - Math.clz32(bits & -bits);
}
