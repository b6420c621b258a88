/*
 * What the instrumented text of a program calls. The emulator runs a program's code in one go until it yields, so a
 * program that never yields would stop the world: its loops count their turns here. And it is easily forgotten that
 * calls of the library are generators: where a call stands without `yield*`, what it gives goes through here.
 * Lines and columns are those of the user's file, from 1.
 */

/** Turns of loops without virtual time going on, after which a program is stopped. */
export const TURN_LIMIT = 20_000_000;
/** What a yield at the same instant counts for: an event is dearer than a turn. */
const YIELD_TURNS = 100;

/** A mistake of a guest program; `place` is `file:line:column` where it is known. */
export class ProgramError extends Error {
  override name = "ProgramError";
  readonly place: string | null;

  constructor(message: string, place: string | null = null) {
    super(message);
    this.place = place;
  }
}

/** A call that was made where no `yield*` stands, and has not begun yet. */
interface OpenCall {
  readonly name: string;
  readonly place: string;
}

/** How a rank stands, or the alarms of one. */
interface Standing {
  /** Virtual time at which it went on last, microseconds. */
  instant: number;
  /** Turns of its loops since virtual time went on. */
  turns: number;
  /** Where it waits, and since when, microseconds of virtual time; a line of 0 before it has. */
  file: string;
  line: number;
  column: number;
  since: number;
}

/** One for each loaded program; its ranks run one at a time. */
export class Guard {
  /** That of the program whose code runs now, in any session; null while none does. */
  static running: Guard | null = null;
  /** Turns that loops have made since virtual time went on. Raised by the program's own text. */
  turns = 0;
  /** Prints a line for the rank that runs now; null while none does. */
  print: ((text: string) => void) | null = null;
  /** Where the program has thrown something that is no Error, or yielded something, last. */
  lastPlace: string | null = null;
  readonly #open = new Set<OpenCall>();
  readonly #standings: Standing[] = [];
  #present = standing();

  /** A rank begins, for the first time or anew. */
  begin(rank: number): void {
    this.#standings[rank] = standing();
  }

  /** A rank goes on at this instant, or its alarm rings: a number of its own for each. */
  enter(rank: number, now: number): void {
    Guard.running = this;
    const present = this.#present = this.#standings[rank] ??= standing();
    this.turns = present.instant === now ? present.turns + YIELD_TURNS : 0;
    present.instant = now;
    if (this.turns > TURN_LIMIT) throw new ProgramError(`went on without end, and virtual time stood still`);
  }

  /** It has yielded or ended. Throws {@link ProgramError} when a call is left that nobody has begun. */
  leave(): void {
    Guard.running = null;
    this.#present.turns = this.turns;
    if (this.#open.size === 0) return;
    const [{ name, place }] = this.#open;
    this.#open.clear();
    throw new ProgramError(withoutStar(name), place);
  }

  /** The rank that runs comes to a `yield*`. */
  waits(file: string, line: number, column: number): void {
    const present = this.#present;
    present.file = file;
    present.line = line;
    present.column = column;
    present.since = present.instant;
  }

  /** `file:line:column since 12.5 us`: the `yield*` that a rank has come to last; null before it has come to one. */
  waitOf(rank: number): string | null {
    const { file, line, column, since } = this.#standings[rank] ?? standing();
    return line === 0 ? null : `${file}:${line}:${column} since ${since} us`;
  }

  /** A loop has gone on for too long. */
  over(file: string, line: number, column: number): never {
    const text =
      `a loop ran ${TURN_LIMIT} turns without a yield*; call the library, guest.compute or guest.sleep in it`;
    throw new ProgramError(text, `${file}:${line}:${column}`);
  }

  /** A call that is a statement: what it gives is thrown away. */
  dropped(value: unknown, name: string, file: string, line: number, column: number): unknown {
    if (isGenerator(value)) throw new ProgramError(withoutStar(name), `${file}:${line}:${column}`);
    return value;
  }

  /** A call whose value is used, but not by a `yield*` at once: somebody has to begin it before the next yield. */
  called(value: unknown, name: string, file: string, line: number, column: number): unknown {
    if (!isGenerator(value)) return value;
    const call = { name, place: `${file}:${line}:${column}` };
    this.#open.add(call);
    return new BegunLater(value, () => this.#open.delete(call));
  }

  /** A `yield` without a star. */
  yielded(value: unknown, file: string, line: number, column: number): unknown {
    this.lastPlace = `${file}:${line}:${column}`;
    return value;
  }

  /** Something that is thrown: only an Error knows by itself where that was. */
  thrown(value: unknown, file: string, line: number, column: number): unknown {
    this.lastPlace = `${file}:${line}:${column}`;
    return value;
  }

  /** The console of a program: what it logs is output of the rank. */
  get log(): Readonly<Record<string, (...values: unknown[]) => void>> {
    const log = (...values: unknown[]) => {
      if (this.print === null) throw new ProgramError("printed while it was loaded, before any guest was there");
      this.print(values.map(shown).join(" "));
    };
    return { log, info: log, warn: log, error: log, debug: log };
  }
}

/** A generator that says when it is begun. `yield*` asks for the iterator once, and never comes back here. */
class BegunLater implements Iterable<unknown> {
  readonly #call: Generator;
  readonly #begun: () => void;

  constructor(call: Generator, begun: () => void) {
    this.#call = call;
    this.#begun = begun;
  }

  [Symbol.iterator](): Generator {
    this.#begun();
    return this.#call;
  }

  next(...values: [] | [unknown]): IteratorResult<unknown> {
    this.#begun();
    return this.#call.next(...values);
  }

  return(value: unknown): IteratorResult<unknown> {
    this.#begun();
    return this.#call.return(value);
  }

  throw(error: unknown): IteratorResult<unknown> {
    this.#begun();
    return this.#call.throw(error);
  }
}

function standing(): Standing {
  return { instant: NaN, turns: 0, file: "", line: 0, column: 0, since: 0 };
}

/** What a call of a generator function gives: it has done nothing yet. */
export function isGenerator(value: unknown): value is Generator {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

function withoutStar(name: string): string {
  return `${name} was called without yield*`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    const text = JSON.stringify(value, (_key, inner) => typeof inner === "bigint" ? `${inner}n` : inner);
    return text ?? String(value);
  } catch {
    return String(value);
  }
}
