import { ProgramFault } from "../base/assert.ts";
import type { Generation } from "./generation.ts";
import type { Input } from "./input.ts";
import type { FaultSpec, Scenario, TroubleSpec } from "./scenario.ts";

/** Makes the scenario that these assignments of `--set`, one after another, make of the first. Throws what is wrong. */
export type Resolver = (assignments: readonly string[]) => Scenario;

/** What inputs act on. */
export interface InputTarget {
  /** For inputs of kind `set`. An error's message is what is told; anything that is no plain Error is thrown on. */
  readonly resolve?: Resolver;
  /** The cluster that is there now. */
  present(): Generation;
  /** Its programs have been told to stop: another cluster comes. */
  isChanging(): boolean;
  changeTo(scenario: Scenario): void;
}

/** What lasts until it is over by itself or ended; null for anything else. */
type Begun = FaultSpec | TroubleSpec | null;

/** What users have done to the world of a session: each input by its number, from 1, whatever became of the cluster. */
export class Inputs {
  readonly #target: InputTarget;
  readonly #assignments: string[] = [];
  readonly #begun: Begun[] = [];

  constructor(target: InputTarget) {
    this.#target = target;
  }

  /** Inputs that were done. */
  get count(): number {
    return this.#begun.length;
  }

  /** Numbers of the inputs whose effect goes on. */
  get lasting(): number[] {
    const { faults, troubles } = this.#target.present();
    return this.#begun.flatMap((begun, i) =>
      begun !== null && ("link" in begun ? faults.has(begun) : troubles.has(begun)) ? [i + 1] : []
    );
  }

  /** Does it at this instant. Returns null, or why it cannot be done: then nothing has changed. */
  apply(input: Input): string | null {
    const begun = this.#begin(input);
    if (typeof begun === "string") return begun;
    this.#begun.push(begun);
    return null;
  }

  /** Why a change of the cluster would be refused; null for one that would not, and for any other input. */
  check(input: Input): string | null {
    if (input.kind !== "set") return null;
    const scenario = this.#resolved(input.assignments);
    return typeof scenario === "string" ? scenario : null;
  }

  /** What is wrong; or what begins. */
  #begin(input: Input): string | Begun {
    const target = this.#target;
    const present = target.present();
    if (input.kind === "set") return this.#set(input.assignments);
    if (input.kind === "end") return this.#endOf(input.input);
    if (input.kind === "fault") {
      const { link, loss = 0, corrupt, delayPs = 0, cut = false, forPs } = input;
      const fault = {
        atPs: present.now,
        forPs,
        link,
        loss,
        delayPs,
        cut,
        ...(corrupt === undefined ? {} : { corrupt }),
      };
      return present.faults.add(fault, true) ?? fault;
    }
    if (input.kind === "crash" && target.isChanging()) {
      return "crash: the cluster is being changed, and all guests with it";
    }
    const trouble = { atPs: present.now, ...input };
    return present.troubles.add(trouble, true) ?? trouble;
  }

  /** What an earlier input began is over now. */
  #endOf(number: number): string | null {
    const begun = this.#begun[number - 1];
    if (begun === undefined) {
      return this.count === 0 ? `no input ${number}: none was done` : `no input ${number}; wanted 1 to ${this.count}`;
    }
    if (begun === null) return `input ${number}: not possible to end it`;
    const { faults, troubles } = this.#target.present();
    const isOverNow = "link" in begun ? faults.end(begun) : troubles.end(begun);
    return isOverNow ? null : `input ${number}: over already`;
  }

  #set(assignments: readonly string[]): string | null {
    const scenario = this.#resolved(assignments);
    if (typeof scenario === "string") return scenario;
    this.#assignments.push(...assignments);
    this.#target.changeTo(scenario);
    return null;
  }

  /** The scenario with these assignments after all that were made before; or why there is none. */
  #resolved(assignments: readonly string[]): Scenario | string {
    const { resolve, present } = this.#target;
    if (resolve === undefined) return "set: this run does not know how to change its scenario";
    let scenario: Scenario;
    try {
      scenario = resolve([...this.#assignments, ...assignments]);
    } catch (error) {
      if (!(error instanceof Error) || error instanceof ProgramFault) throw error;
      return error.message.replaceAll("\n", "; ");
    }
    const { program } = present().scenario;
    if (scenario.program?.file !== program?.file || scenario.program?.source !== program?.source) {
      return "set: program: a run keeps its guest program; open the scenario anew to run another";
    }
    return scenario;
  }
}
