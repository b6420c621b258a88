import * as stages from "../metrics/stage.ts";
import { Interrupt } from "./interrupt.ts";
import type { Processor } from "./processor.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { HYP, NOTIFICATION } = stages;

/** A VCPU as whoever injects interrupts into it sees it: what its hypervisor adds to each, and how many there were. */
export interface InterruptTarget {
  readonly processor: Processor;
  /** Interrupts injected, and those that found the one before them still pending. */
  injected: number;
  merged: number;
  /** What an injection at this instant costs the guest before its handler runs. */
  injectionPs(): number;
  /** The guest's end-of-interrupt write to its virtual APIC. */
  endOfInterrupt(cpu: Processor): void;
}

/** One interrupt vector of a virtual device in a guest. */
export class InterruptLine {
  readonly #name: string;
  readonly #target: InterruptTarget;
  readonly #interrupt: Interrupt;
  readonly #handler: (cpu: Processor) => void;
  readonly #message: () => number;
  #injectionPs = 0;

  /** `message` names the journey that the interrupt announces, or -1: its costs are that message's. */
  constructor(target: InterruptTarget, name: string, handler: (cpu: Processor) => void, message: () => number) {
    this.#name = name;
    this.#target = target;
    this.#handler = handler;
    this.#message = message;
    this.#interrupt = Interrupt.of(name, 0, InterruptLine.#run, this);
  }

  static readonly #run = (cpu: Processor, of: InterruptLine): boolean => {
    cpu.carry(of.#message(), NOTIFICATION);
    cpu.charge(NOTIFICATION, HYP, of.#injectionPs);
    of.#handler(cpu);
    of.#target.endOfInterrupt(cpu);
    cpu.putDown();
    return false;
  };

  /** Signals the interrupt: from an event handler. */
  signal(): void {
    if (this.#interrupt.pending) {
      this.#target.merged++;
      return;
    }
    this.#target.injected++;
    this.#target.processor.mark(this.#name);
    this.#injectionPs = this.#target.injectionPs();
    this.#target.processor.raise(this.#interrupt);
  }
}
