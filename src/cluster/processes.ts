import { US } from "../base/units.ts";
import { type Process, processThread } from "../hw/thread.ts";
import { Mx } from "../mx/api.ts";
import type { RowMeter } from "../workload/meter.ts";
import { Pattern } from "../workload/payload.ts";
import type { Crew, ProcessContext, Workload } from "../workload/workload.ts";
import type { Cluster, Guest } from "./cluster.ts";
import type { Scenario } from "./scenario.ts";

/** Programs start within this time of each other, picoseconds. */
const START_SPREAD = 20 * US;

/** What programs run on, and who is told of them. */
export interface ProcessParts {
  readonly cluster: Cluster;
  readonly scenario: Scenario;
  readonly workload: Workload;
  readonly rows: RowMeter;
  /** Programs that would end by themselves start over instead. */
  readonly endless: boolean;
  /** The last program has ended. */
  ended(): void;
}

/** The programs of a cluster's guests: a process in each. */
export class Processes {
  /** Programs that have not ended. */
  running = 0;
  readonly #parts: ProcessParts;
  readonly #pattern: Pattern;
  readonly #crew: Crew;
  #stopping = false;

  /** Programs start within the first microseconds from now. */
  constructor(parts: ProcessParts) {
    this.#parts = parts;
    const { cluster, scenario } = parts;
    const { engine, memory } = cluster.world;
    this.#pattern = new Pattern(memory);
    this.#crew = {
      ranks: cluster.guests.length,
      boards: scenario.boards,
      hostIndexOf: (rank) => cluster.guests[rank].host.index,
    };
    const random = engine.random("program starts");
    const start = engine.handler("program starts", (rank) => cluster.guests[rank].thread!.notify());
    for (const [rank, guest] of cluster.guests.entries()) {
      this.running++;
      this.#load(rank, guest);
      engine.after(US + random.below(START_SPREAD), start, rank);
    }
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Tells programs to finish what they have begun, and to end. */
  stop(): void {
    this.#stopping = true;
  }

  /** Makes the process of a guest, which does not run yet. */
  #load(rank: number, guest: Guest): void {
    const { scenario, workload } = this.#parts;
    const context = this.#context(rank, guest);
    const program: Process = workload.program(scenario.workload.params, this.#crew, context);
    guest.thread = processThread(guest.spec.name, guest.site.processor, program, () => this.#ended());
    context.mx.bind(guest.thread);
    guest.mx = context.mx;
  }

  #ended(): void {
    this.running--;
    if (this.running === 0) this.#parts.ended();
  }

  #context(rank: number, guest: Guest): ProcessContext {
    const { cluster, scenario, rows, endless } = this.#parts;
    const { world, guests } = cluster;
    const { domain, processor } = guest.site;
    const name = guest.spec.name;
    const mx = new Mx({
      engine: world.engine,
      memory: world.memory,
      costs: world.costs,
      name,
      boards: guest.ports.length,
      attach: (board) => guest.ports[board].attach(),
      debugChecksum: world.mechanisms.debugChecksum,
      environment: scenario.environment,
    });
    return {
      rank,
      ranks: guests.length,
      name,
      mx,
      memory: world.memory,
      meter: guest.meter,
      meterOf: (other) => guests[other].meter,
      rows,
      pattern: this.#pattern,
      random: world.engine.random(`${name} program`),
      now: () => processor.now,
      alloc: (bytes) => domain === null ? world.memory.alloc(bytes) : domain.allocPages(Math.ceil(bytes / 4096)),
      boards: guest.ports.length,
      hostOf: (other, board = 0) => guests[other].ports[board].hostname,
      endpointOf: (other) => guests[other].port.endpoint,
      stopping: () => this.#stopping,
      endless,
    };
  }
}
