/*
 * The arithmetic of `jacobi.ts`. A grid is rows of cells, with a row or column of fixed values around it: its upper edge
 * is 1, the others 0. A block of `rows` rows and `columns` columns begins at index `at` of an array, edges included.
 */

/** Sets a block to 0, and its upper edge to 1 if that is the grid's. */
export function start(cells: Float64Array, at: number, rows: number, columns: number, isUpper: boolean): void {
  const width = columns + 2;
  cells.fill(0, at, at + (rows + 2) * width);
  if (isUpper) cells.fill(1, at, at + width);
}

/** Makes rows `first` to `last` of the block at `to` from that at `from`; returns the largest change of a cell. */
export function sweep(
  cells: Float64Array,
  from: number,
  to: number,
  first: number,
  last: number,
  columns: number,
): number {
  const width = columns + 2;
  let largest = 0;
  for (let row = first; row <= last; row++) {
    // Each cell is read once in its row: this loop is most of the emulator's own work in a large grid.
    let at = from + row * width + 1;
    let into = to + row * width + 1;
    let left = cells[at - 1];
    let cell = cells[at];
    for (const end = at + columns; at < end; at++) {
      const right = cells[at + 1];
      const value = 0.25 * (cells[at - width] + cells[at + width] + left + right);
      const change = Math.abs(value - cell);
      if (change > largest) largest = change;
      cells[into++] = value;
      left = cell;
      cell = right;
    }
  }
  return largest;
}

/** What a solve of one process had after some iterations: all cells, edges included, and the last largest change. */
export interface Solution {
  readonly cells: Float64Array;
  readonly change: number;
}

/**
 * The same by one process, for an observer to compare with. It is asked for the same iteration by one rank after the
 * other, and may have gone on with the next solve meanwhile.
 */
export class Serial {
  readonly #rows: number;
  readonly #columns: number;
  /** Both halves of it a grid, of which one is `#at` now. */
  readonly #cells: Float64Array;
  #isSecond = false;
  #iteration = 0;
  #change = 0;
  #asked = -1;
  #solution: Solution | null = null;

  constructor(rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
    this.#cells = new Float64Array(2 * this.#length);
    this.#begin();
  }

  get #length(): number {
    return (this.#rows + 2) * (this.#columns + 2);
  }

  #begin(): void {
    this.#iteration = 0;
    this.#isSecond = false;
    for (const at of [0, this.#length]) start(this.#cells, at, this.#rows, this.#columns, true);
  }

  /** Goes there, from the start if need be. Called often, it spares the one who asks a long wait. */
  advanceTo(iteration: number): void {
    if (iteration < this.#iteration) this.#begin();
    for (; this.#iteration < iteration; this.#iteration++) {
      const [from, to] = this.#isSecond ? [this.#length, 0] : [0, this.#length];
      this.#change = sweep(this.#cells, from, to, 1, this.#rows, this.#columns);
      this.#isSecond = !this.#isSecond;
    }
  }

  at(iteration: number): Solution {
    if (this.#solution !== null && this.#asked === iteration) return this.#solution;
    this.advanceTo(iteration);
    const begin = this.#isSecond ? this.#length : 0;
    const cells = this.#cells.slice(begin, begin + this.#length);
    this.#asked = iteration;
    return this.#solution = { cells, change: this.#change };
  }
}
