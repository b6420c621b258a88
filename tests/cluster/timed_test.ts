import assert from "node:assert/strict";
import { TIME_LIMIT_PS } from "../../src/base/units.ts";
import { Timed, timeProblem, type Timing } from "../../src/cluster/timed.ts";
import { Engine } from "../../src/sim/engine.ts";

interface Spell extends Timing {
  readonly name: string;
}

/** Writes down what begins and what stops, when, and what goes on then. */
class Diary extends Timed<Spell> {
  readonly lines: string[] = [];
  readonly engine: Engine;

  constructor(engine: Engine) {
    super(engine, "spell");
    this.engine = engine;
  }

  protected override problemOf({ name }: Spell): string | null {
    return name === "" ? "no name" : null;
  }

  protected override outlivesCluster({ name }: Spell): boolean {
    return name !== "short";
  }

  protected override begin({ name }: Spell, byUser: boolean): () => void {
    this.#write(byUser ? `+${name} by a user` : `+${name}`);
    return () => this.#write(`-${name}`);
  }

  #write(what: string): void {
    this.lines.push(`${this.engine.now} ${what}: ${this.going().map(({ name }) => name).join(" ")}`.trimEnd());
  }

  /** What has been written since the last look, up to this time. */
  until(ps: number): string[] {
    this.engine.run(ps);
    return this.lines.splice(0);
  }
}

const diary = () => new Diary(new Engine(1));
const spell = (name: string, atPs: number, forPs: number | null): Spell => ({ name, atPs, forPs });

Deno.test("each begins at its time and stops when that is over; what goes on is in the order of adding", () => {
  const book = diary();
  for (const one of [spell("late", 20, 20), spell("early", 10, 20), spell("good", 25, null)]) {
    assert.equal(book.add(one), null);
  }
  assert.deepEqual(book.until(100), [
    "10 +early: early",
    "20 +late: late early",
    "25 +good: late early good",
    "30 -early: late good",
    "40 -late: good",
  ]);
});

Deno.test("what is over is not stopped again, by whatever ends all", () => {
  const book = diary();
  const over = spell("over", 10, 10);
  book.replan([over]);
  book.add(spell("going", 15, 100), true);
  book.add(spell("coming", 40, 10));
  assert.deepEqual(book.until(30), ["10 +over: over", "15 +going by a user: over going", "20 -over: going"]);
  assert.equal(book.end(over), false);
  book.replan([]);
  assert.deepEqual(book.until(30), [], "of the scenario's none goes on");
  book.clear();
  book.clear();
  assert.deepEqual(book.until(200), ["30 -going:"], "and what was to come does not");
});

Deno.test("what is ended stops at once, and once; what has not begun never does", () => {
  const book = diary();
  const [one, other] = [spell("one", 10, 20), spell("other", 20, 20)];
  for (const each of [one, other]) book.add(each, true);
  book.until(15);
  assert.deepEqual([book.has(one), book.has(other)], [true, true]);
  assert.deepEqual([book.end(one), book.end(other)], [true, true]);
  assert.deepEqual([book.has(one), book.has(other), book.end(one)], [false, false, false]);
  assert.deepEqual(book.until(100), ["15 -one:"]);
});

Deno.test("others of the scenario take the place of its own; a user's stay, and befall the next cluster", () => {
  const book = diary();
  const [mine, short] = [spell("mine", 0, 50), spell("short", 0, 50)];
  book.replan([spell("old", 0, null), spell("never", 30, 5)]);
  for (const one of [mine, short]) book.add(one, true);
  book.until(10);
  book.replan([spell("new", 0, 10), spell("next", 20, 5)]);
  assert.deepEqual(book.until(25), ["10 -old: mine short", "20 +next: mine short next", "25 -next: mine short"]);
  assert.deepEqual(book.lasting(), [mine]);
  book.until(50);
  assert.deepEqual([book.lasting(), book.has(mine)], [[], false]);
});

Deno.test("one whose time is over already does nothing, one that has begun before begins now", () => {
  const book = diary();
  book.until(20);
  assert.equal(book.add(spell("over", 0, 20)), null);
  assert.equal(book.engine.handler("another", () => {}), 0, "no handler is declared for it");
  assert.equal(book.add(spell("begun", 5, 30)), null);
  assert.deepEqual(book.until(100), ["20 +begun: begun", "35 -begun:"]);
});

Deno.test("a problem is told of before anything is declared or begins", () => {
  const book = diary();
  assert.equal(book.add(spell("", 0, null), true), "no name");
  assert.throws(() => book.replan([spell("", 0, null)]), /spell: the scenario names what exists/);
  assert.deepEqual(book.until(10), []);
  const wanted = "wanted a whole number of picoseconds within virtual time";
  for (const forPs of [0, -1, 0.5, Infinity, TIME_LIMIT_PS]) {
    assert.equal(timeProblem("spell", { atPs: 1, forPs }), `spell: found ${forPs} ps, ${wanted}`);
  }
  for (const forPs of [null, 1, TIME_LIMIT_PS - 1]) assert.equal(timeProblem("spell", { atPs: 1, forPs }), null);
});
