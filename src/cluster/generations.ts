import { counted } from "../base/counted.ts";
import { SECOND } from "../base/units.ts";
import type { RunOutput } from "../guest/output.ts";
import type { GuestProgram } from "../guest/program.ts";
import type { CostRead } from "../hw/machine_profile.ts";
import type { Engine } from "../sim/engine.ts";
import type { Workload } from "../workload/workload.ts";
import { ClusterChange, isOtherCluster } from "./cluster_change.ts";
import { Generation } from "./generation.ts";
import { MessageWait } from "./message_stop.ts";
import type { Scenario } from "./scenario.ts";
import { endpointShortage } from "./scenario_tables.ts";
import { workloadOf } from "./workload_of.ts";

/** How long a run without an end goes on: virtual time cannot be named exactly for much longer. */
const ENDLESS = 7200 * SECOND;

/** What all clusters of a session have alike, and who is told of them. */
export interface GenerationsParts {
  readonly endless: boolean;
  /** Several sessions go on at the same time: see Memory. */
  readonly oneOfMany: boolean;
  /** Told of each cost that a cluster reads, once. */
  readonly costRead?: CostRead;
  /** The program of a scenario that names one, and where what it says goes. */
  readonly program?: GuestProgram;
  readonly output: RunOutput | null;
  /** The programs have ended by themselves: no other cluster comes. */
  ended(): void;
  /** A program cannot go on: neither can the run, for this reason. */
  fail(text: string): void;
  /** Notes for users what happens at this instant. */
  note(text: string): void;
}

/**
 * The clusters of a session, one after another: the present one, the change to the next, and what goes on from one to
 * the other, such as the count of messages and who waits for one of them.
 */
export class Generations {
  present: Generation;
  /** Clusters before the present one. */
  count = 0;
  readonly messageWait: MessageWait = new MessageWait();
  readonly #parts: GenerationsParts;
  #change: ClusterChange | null = null;
  /** Messages and events of the clusters before the present one. */
  #messagesBefore = 0;
  #eventsBefore = 0;

  constructor(first: Scenario, parts: GenerationsParts) {
    this.#parts = parts;
    this.present = this.#build(first, this.#workloadOf(first), null);
  }

  /** Messages complete in all clusters, warm-up included. */
  get messages(): number {
    return this.#messagesBefore + this.present.cluster.total.completed;
  }

  /** Nothing has happened in the present cluster yet. */
  get isAtBeginning(): boolean {
    return this.present.cluster.world.engine.events === this.#eventsBefore;
  }

  /** Has the present cluster, or the one after it, stop at message number `count` of all. */
  waitForMessage(count: number): void {
    this.messageWait.begin(count, this.present.cluster, this.#messagesBefore);
  }

  endMessageWait(): void {
    this.messageWait.end(this.present.cluster);
  }

  /** The programs of the present cluster have been told to stop: another one comes. */
  get isChanging(): boolean {
    return this.#change !== null;
  }

  /** The next cluster is to begin now. */
  get isDue(): boolean {
    return this.#change !== null && this.#change.isDue(this.present);
  }

  /** Makes for a cluster after this scenario, if the present one is not; whether that has begun now. */
  changeTo(scenario: Scenario): boolean {
    const { present } = this;
    if (this.#change === null && !isOtherCluster(scenario, present.scenario)) {
      present.replan(scenario);
      return false;
    }
    const workload = this.#workloadOf(scenario);
    if (this.#change !== null) {
      this.#change.scenario = scenario;
      this.#change.workload = workload;
      return false;
    }
    this.#change = new ClusterChange(scenario, workload);
    this.#change.begin(present);
    return true;
  }

  /** The present cluster stays, whatever was on the way. */
  giveUpChange(): void {
    this.#change?.giveUp();
    this.#change = null;
  }

  /** Takes the present cluster down as it is, and begins with the next one at this instant. */
  renew(): void {
    const { scenario, workload } = this.#change!;
    const { cluster, processes: { running } } = this.present;
    const { world, total } = cluster;
    const cut = running === 0 ? "" : `; ${counted(running, "program")} cut off`;
    const lasting = this.present.lasting();
    const engine = world.engine.successor(scenario.seed);
    const { isWatched } = total;
    // Who has looked at it may look once more.
    this.present.settle();
    this.#messagesBefore = this.messages;
    this.#eventsBefore = world.engine.events;
    world.memory.release();
    this.#change = null;
    this.present = this.#build(scenario, workload, engine);
    this.messageWait.goOn(this.present.cluster, this.#messagesBefore);
    this.present.cluster.total.isWatched = isWatched;
    this.present.inherit(lasting);
    this.count++;
    this.#parts.note(`the changed cluster begins: ${scenario.guests.length} guests on ${scenario.path}${cut}`);
  }

  #build(scenario: Scenario, workload: Workload, engine: Engine | null): Generation {
    const { endless, oneOfMany, costRead, fail, note } = this.#parts;
    const ended = () => this.#programsEnded();
    return new Generation({ scenario, workload, endless, oneOfMany, costRead, engine, ended, fail, note }, ENDLESS);
  }

  #workloadOf(scenario: Scenario): Workload {
    const { program, output, fail } = this.#parts;
    const noEndpoint = (rank: number) => endpointShortage(this.present.cluster, rank, this.present.scenario);
    return workloadOf(scenario, program, output, fail, noEndpoint);
  }

  #programsEnded(): void {
    const { cluster, processes } = this.present;
    if (this.#change !== null) cluster.world.engine.stop();
    else if (!processes.stopping) this.#parts.ended();
  }
}
