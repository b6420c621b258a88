import { PAGE_SIZE, US } from "../base/units.ts";
import { HOLD_ALL, HOLD_NOTHING } from "../hw/processor.ts";
import { type Process, processThread, WAIT_BLOCK } from "../hw/thread.ts";
import { Mx } from "../mx/api.ts";
import type { OmxDriver } from "../mx/driver/driver.ts";
import { addCounters } from "../mx/lib/counters.ts";
import type { RowMeter } from "../workload/meter.ts";
import { Pattern } from "../workload/payload.ts";
import { type Crew, type ProcessContext, RankFailed, type Workload } from "../workload/workload.ts";
import type { Cluster, Guest } from "./cluster.ts";
import { GuestMemory } from "./guest_memory.ts";
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
  /** A program cannot go on: neither can the run, for this reason. */
  fail(text: string): void;
}

// What a guest's process does.
const RUNNING = 0;
const DYING = 1; // its kernel closes its endpoints
const DOWN = 2; // the guest has to be booted first
const ENDED = 3;

interface Seat {
  readonly guest: Guest;
  readonly memory: GuestMemory;
  state: number;
  /** Crashes that are not over. */
  crashes: number;
  deaths: number;
  announced: number;
  onDeath: (() => void) | null;
}

/**
 * The programs of a cluster's guests: a process in each, and what starts them, starts them anew after a crash, and tells
 * the others of it.
 *
 * A crash ends the process in the middle of whatever it does: its kernel closes its endpoints, which takes back regions,
 * grants and maps on every path. Then a guest stands still until it is booted: its VCPUs are paused, so that what comes
 * for it finds full rings. Its devices stay connected meanwhile; a native process has no guest around it, and its host
 * goes on.
 */
export class Processes {
  /** Programs that have not ended; those of guests that are down have not. */
  running = 0;
  readonly #parts: ProcessParts;
  readonly #pattern: Pattern;
  readonly #crew: Crew;
  readonly #seats: Seat[];
  /** Of all seats together. */
  #deaths = 0;
  #stopping = false;
  /** Declared with the first crash: order of declaration is part of a run's identity. */
  #bootHandler = -1;
  #announceHandler = -1;

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
    this.#seats = cluster.guests.map((guest) => ({
      guest,
      memory: new GuestMemory(memory, (bytes) => {
        const { domain } = guest.site;
        return domain === null ? memory.alloc(bytes) : domain.allocPages(Math.ceil(bytes / PAGE_SIZE));
      }),
      state: RUNNING,
      crashes: 0,
      deaths: 0,
      announced: 0,
      onDeath: null,
    }));
    const random = engine.random("program starts");
    const start = engine.handler("program starts", (rank) => this.#start(rank));
    for (const rank of this.#seats.keys()) {
      this.running++;
      this.#load(rank);
      engine.after(US + random.below(START_SPREAD), start, rank);
    }
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Whether what large messages consist of has not changed. */
  get isPayloadAsMade(): boolean {
    return this.#pattern.isAsMade();
  }

  /** Where those wait that have not ended, as far as the workload knows. */
  waits(): string[] {
    return this.#seats.flatMap(({ state, guest }, rank) => {
      const place = state === ENDED ? null : this.#parts.workload.waitOf?.(rank) ?? null;
      return place === null ? [] : [`${guest.spec.name} (rank ${rank}) waits at ${place}`];
    });
  }

  /** Tells programs to finish what they have begun, and to end. Guests that are down come up, without their programs. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const seat of this.#seats) if (seat.state === DOWN) this.#wakeUp(seat);
    this.#tellAll();
  }

  /** The guest dies at this instant. */
  crash(rank: number): void {
    const seat = this.#seats[rank];
    if (this.#stopping) return;
    seat.crashes++;
    if (seat.state !== RUNNING) return;
    this.#prepare();
    seat.onDeath?.();
    seat.onDeath = null;
    seat.state = DYING;
    seat.deaths++;
    this.#deaths++;
    const { thread, mx, past } = seat.guest;
    thread!.divert(mx!.die(), () => this.#died(seat));
    if (mx!.past !== null) addCounters(past, mx!.past);
    for (const { counters } of mx!.endpoints) addCounters(past, counters);
    seat.guest.mx = null;
    this.#tellAll();
  }

  /** The crash is over: the guest boots, and its program starts anew, as soon as the old one is gone. */
  boot(rank: number): void {
    const seat = this.#seats[rank];
    if (seat.crashes > 0) seat.crashes--;
    if (seat.crashes === 0 && seat.state === DOWN) this.#wakeUp(seat);
  }

  // ---- inside

  /** For the first crash: what is only needed then. */
  #prepare(): void {
    if (this.#bootHandler >= 0) return;
    const { engine } = this.#parts.cluster.world;
    this.#bootHandler = engine.handler("guest boots", (rank) => {
      const seat = this.#seats[rank];
      if (seat.state === DOWN && (this.#stopping || seat.crashes === 0)) this.#wakeUp(seat);
    });
    this.#announceHandler = engine.handler("rank announces", (rank, deaths) => {
      this.#seats[rank].announced = deaths;
      this.#tellAll();
    });
  }

  /** Ends the waits of all programs that know of each other's deaths: users' own do not. */
  #tellAll(): void {
    if (this.#parts.scenario.program !== undefined) return;
    for (const { guest, state } of this.#seats) {
      if (state !== RUNNING) continue;
      for (const endpoint of guest.mx!.endpoints) if (endpoint.isOpen) endpoint.wakeup();
    }
  }

  /** A program starts that has not been killed before it could. */
  #start(rank: number): void {
    const { state, deaths, guest } = this.#seats[rank];
    if (state === RUNNING && deaths === 0) guest.thread!.notify();
  }

  /** Makes the process of a guest, which does not run yet. */
  #load(rank: number): void {
    const { scenario, workload } = this.#parts;
    const { guest } = this.#seats[rank];
    const context = this.#context(rank);
    const seat = this.#seats[rank];
    const program = this.#booted(seat, workload.program(scenario.workload.params, this.#crew, context));
    guest.thread = processThread(guest.spec.name, guest.site.processor, program, () => this.#ended(seat));
    context.mx.bind(guest.thread);
    guest.mx = context.mx;
  }

  /** In the last burst of a process that has died. */
  #died(seat: Seat): void {
    seat.state = DOWN;
    for (const driver of this.#ownDrivers(seat.guest)) driver.isDown = true;
    const { processor, vcpus } = seat.guest.site;
    for (const vcpu of vcpus) vcpu.hold(HOLD_ALL);
    const isOver = this.#stopping || seat.crashes === 0;
    if (isOver) processor.post(this.#bootHandler, this.#seats.indexOf(seat));
  }

  #wakeUp(seat: Seat): void {
    for (const vcpu of seat.guest.site.vcpus) vcpu.hold(HOLD_NOTHING);
    if (this.#stopping) {
      this.#ended(seat);
      return;
    }
    seat.state = RUNNING;
    seat.memory.reset();
    this.#load(this.#seats.indexOf(seat));
    seat.guest.thread!.notify();
  }

  /** A program of another life: before its first step its kernel has looked through what was left in its rings. */
  *#booted({ guest, deaths }: Seat, program: Process): Process {
    if (deaths > 0) { for (const driver of this.#ownDrivers(guest)) driver.isDown = false; }
    try {
      yield program;
      return;
    } catch (error) {
      if (!(error instanceof RankFailed)) throw error;
      this.#parts.fail(`${guest.spec.name} at ${guest.site.processor.now / US} us: ${error.message}`);
    }
    for (;;) yield WAIT_BLOCK;
  }

  /** The drivers of a guest that has an Open-MX kernel of its own. */
  #ownDrivers({ host, site }: Guest): OmxDriver[] {
    if (site.vcpus.length === 0) return [];
    const boards = [...host.paths.values()].flatMap((path) => path.boards);
    return boards.map(({ driver }) => driver).filter(({ processor }) => processor === site.processor);
  }

  #ended(seat: Seat): void {
    seat.state = ENDED;
    seat.announced = Infinity;
    this.running--;
    if (this.running === 0) this.#parts.ended();
  }

  #context(rank: number): ProcessContext {
    const { cluster, scenario, rows, endless } = this.#parts;
    const { world, guests } = cluster;
    const seat = this.#seats[rank];
    const { guest, memory, deaths } = seat;
    const { processor } = guest.site;
    const { name } = guest.spec;
    // Another life draws other numbers: its sessions are not those of the one before.
    const stream = deaths === 0 ? name : `${name} life ${deaths}`;
    const mx = new Mx({
      engine: world.engine,
      memory: world.memory,
      costs: world.costs,
      name: stream,
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
      random: world.engine.random(`${stream} program`),
      now: () => processor.now,
      alloc: (bytes) => memory.alloc(bytes),
      boards: guest.ports.length,
      hostOf: (other, board = 0) => guests[other].ports[board].hostname,
      endpointOf: (other) => guests[other].port.endpoint,
      onDeath: (action) => seat.onDeath = action,
      deathsOf: (other) => this.#seats[other].deaths,
      deaths: () => this.#deaths,
      announce: (known) => processor.post(this.#announceHandler, rank, known),
      announcedBy: (other) => this.#seats[other].announced,
      stopping: () => this.#stopping,
      endless,
    };
  }
}
