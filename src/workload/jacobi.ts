import { z } from "zod";
import { timeField } from "../base/quantity.ts";
import { NS } from "../base/units.ts";
import type { Process, Wait } from "../hw/thread.ts";
import type { MxRequest } from "../mx/api.ts";
import { Group } from "./group.ts";
import { Serial, start, sweep } from "./jacobi_grid.ts";
import { SolverMeter } from "./solver_meter.ts";
import { type Crew, type ProcessContext, type Workload, WorkloadError } from "./workload.ts";

const params = z.object({
  rows: z.int().min(1).max(65536).default(256).describe("rows of the grid, without its edges; the ranks share them"),
  columns: z.int().min(1).max(65536).default(256).describe("columns of the grid, without its edges"),
  tolerance: z.number().min(0).default(1e-4).describe("converged when no cell changes by more in an iteration"),
  max_iterations: z.int().min(1).default(10_000).describe("iterations after which a solve ends, converged or not"),
  check_every: z.int().min(1).max(1000).default(10).describe("iterations between two all-reduces of the residual"),
  overlap: z.boolean().default(false).describe("rows inside are computed while the halos are on their way"),
  // Five loads, three additions, a multiplication, a comparison, a store: some five cycles of a core at 2.4 GHz.
  cell_time: timeField({ max: 1e9 }).default(2 * NS)
    .describe("time to update a cell; 2 ns by default, an estimate for 2.4 GHz and rows in the cache"),
  wait: z.enum(["poll", "block"]).default("block").describe("how a process waits for a completion"),
});
type Params = z.infer<typeof params>;

/** Bytes of a cell, a double. */
const CELL = 8;
/** Step of a message with a row of a neighbour's. */
const HALO = 0;

/**
 * Laplace's equation by Jacobi's method: each cell becomes the mean of its four neighbours, until nothing changes. Each
 * rank has a block of rows and, above and below, a row of each neighbour's (the halo), sent anew in every iteration. Now
 * and then all agree on the largest change. Arithmetic is real, in guest memory, and the result is compared with that of
 * one process, to the last bit: how rows are shared out changes neither a cell nor a maximum.
 *
 * An iteration is a round: its time is computing, the halos, and the all-reduce where there is one.
 */
export const jacobi: Workload<Params> = {
  kind: "jacobi",
  title: "jacobi: Laplace's equation, rows shared out, until converged (rtt: an iteration)",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ rows, columns }, ranks) => 2 * (Math.ceil(rows / ranks) + 2) * (columns + 2) * CELL + 64 * 1024,
  reports: ["solver"],
  check({ rows }, { ranks }) {
    if (ranks < 2) throw new WorkloadError(`guests: jacobi wants 2 or more, found ${ranks}`);
    if (rows < ranks) throw new WorkloadError(`rows: found ${rows}, wanted at least ${ranks}, one for each guest`);
  },
  program: (params, crew, context) => new Jacobi(params, crew, context).run(),
};

/** What the observer of a cluster computes by itself, for all ranks. */
const observers = new WeakMap<Crew, Serial>();

class Jacobi {
  readonly #params: Params;
  readonly #context: ProcessContext;
  readonly #group: Group;
  readonly #serial: Serial;
  /** The first of the own rows in the grid, counted from 1 as its edge is row 0, and how many. */
  readonly #first: number;
  readonly #rows: number;
  /** Ranks above and below that exist. */
  readonly #neighbours: readonly { readonly rank: number; readonly own: number; readonly halo: number }[];
  /** Bytes of a row with its edges. */
  readonly #stride: number;
  /** Addresses of the own blocks, halos included: what is, and what will be. */
  #now = 0;
  #next = 0;
  /** The largest change, and another rank's. */
  #residual = 0;

  constructor(params: Params, crew: Crew, context: ProcessContext) {
    const { rank, ranks } = context;
    this.#params = params;
    this.#context = context;
    let serial = observers.get(crew);
    if (serial === undefined) observers.set(crew, serial = new Serial(params.rows, params.columns));
    this.#serial = serial;
    const begin = (of: number) => 1 + Math.floor((of * params.rows) / ranks);
    this.#first = begin(rank);
    this.#rows = begin(rank + 1) - this.#first;
    const above = { rank: rank - 1, own: 1, halo: 0 };
    const below = { rank: rank + 1, own: this.#rows, halo: this.#rows + 1 };
    this.#neighbours = [above, below].filter(({ rank }) => rank >= 0 && rank < ranks);
    this.#stride = (params.columns + 2) * CELL;
    this.#group = new Group(context, this.#neighbours.map(({ rank }) => rank), params.wait);
  }

  run(): Process {
    const { alloc } = this.#context;
    const bytes = (this.#rows + 2) * this.#stride;
    this.#now = alloc(bytes);
    this.#next = alloc(bytes);
    this.#residual = alloc(2 * CELL);
    return this.#group.run(() => this.#solveAll());
  }

  *#solveAll(): Process {
    const { rank, rows, ranks, endless } = this.#context;
    const { columns } = this.#params;
    do {
      if (rank === 0) rows.begin();
      const iterations = yield* this.#solve();
      if (rank === 0) rows.end(columns * CELL, iterations * 2 * (ranks - 1) * columns * CELL);
    } while (endless && !this.#group.isLast);
  }

  /** From the start until converged; returns the number of iterations. */
  *#solve(): Generator<Wait | Process, number> {
    const { tolerance, max_iterations, check_every } = this.#params;
    const context = this.#context;
    const { rank, meter } = context;
    const group = this.#group;
    const solver = rank === 0 ? meter.solver ??= new SolverMeter() : null;
    this.#begin();
    solver?.begin();
    for (let iteration = 1;; iteration++) {
      const began = context.now();
      const change = yield* this.#iterate();
      [this.#now, this.#next] = [this.#next, this.#now];
      let residual = Infinity;
      if (iteration % check_every === 0 || iteration === max_iterations) {
        if (rank === 0) group.isLast = context.stopping();
        residual = yield* this.#largest(change);
      }
      group.timed(began);
      if (rank === 0) this.#serial.advanceTo(iteration);
      if (solver !== null) {
        solver.iterations = iteration;
        if (residual !== Infinity) solver.residual = residual;
      }
      const isThrough = residual <= tolerance || iteration === max_iterations;
      if (isThrough || group.isLast) {
        if (!this.#isAsSerial(iteration, residual)) meter.integrityErrors++;
        if (isThrough) solver?.end(residual <= tolerance);
        return iteration;
      }
      yield 0;
    }
  }

  /** One iteration; returns the largest change in the own rows. */
  *#iterate(): Generator<Wait | Process, number> {
    const { columns, overlap } = this.#params;
    const group = this.#group;
    const bytes = columns * CELL;
    const rowAt = (row: number) => this.#now + row * this.#stride + CELL;
    const halos: MxRequest[] = [];
    const sends: MxRequest[] = [];
    for (const { rank, halo } of this.#neighbours) halos.push(yield* group.post(rank, rowAt(halo), bytes, HALO));
    for (const { rank, own } of this.#neighbours) sends.push(yield* group.send(rank, rowAt(own), bytes, HALO));
    const last = this.#rows;
    let change = overlap ? yield* this.#update(2, last - 1) : 0;
    for (const [i, { rank }] of this.#neighbours.entries()) yield group.received(halos[i], rank, bytes);
    if (!overlap) change = yield* this.#update(1, last);
    else {
      change = Math.max(change, yield* this.#update(1, 1));
      if (last > 1) change = Math.max(change, yield* this.#update(last, last));
    }
    // The rows that were sent stay as they are until they have been: the next iteration writes there.
    for (const [i, { rank }] of this.#neighbours.entries()) yield group.sent(sends[i], rank);
    return change;
  }

  /** Updates rows of the own block, first and last included, and takes the time for it; returns the largest change. */
  *#update(first: number, last: number): Generator<Wait, number> {
    if (last < first) return 0;
    const { memory } = this.#context;
    const { columns, cell_time } = this.#params;
    yield (last - first + 1) * columns * cell_time;
    return sweep(memory.f64, this.#now / CELL, this.#next / CELL, first, last, columns);
  }

  /** The largest of all ranks' numbers. */
  *#largest(own: number): Generator<Wait | Process, number> {
    const { memory } = this.#context;
    const [sum, other] = [this.#residual, this.#residual + CELL];
    memory.f64[sum / CELL] = own;
    const { cell_time } = this.#params;
    yield this.#group.reduce({
      sum,
      other,
      length: CELL,
      *combine() {
        memory.f64[sum / CELL] = Math.max(memory.f64[sum / CELL], memory.f64[other / CELL]);
        yield cell_time; // a comparison is part of a cell's
      },
    });
    return memory.f64[sum / CELL];
  }

  #begin(): void {
    const { f64 } = this.#context.memory;
    for (const block of [this.#now, this.#next]) {
      start(f64, block / CELL, this.#rows, this.#params.columns, this.#first === 1);
    }
  }

  /** Whether the own rows, and the residual where it was asked for, are those of one process. */
  #isAsSerial(iteration: number, residual: number): boolean {
    const { f64 } = this.#context.memory;
    const { cells, change } = this.#serial.at(iteration);
    const width = this.#params.columns + 2;
    const [own, all] = [this.#now / CELL + width, this.#first * width];
    for (let i = 0; i < this.#rows * width; i++) if (f64[own + i] !== cells[all + i]) return false;
    return residual === Infinity || residual === change;
  }
}
