import process from "node:process";
import v8 from "node:v8";
import vm from "node:vm";

let collect: (() => void) | null = null;

/**
 * Collects garbage now. For those who have just let go of a whole cluster: most of it lies outside the heap of V8, which
 * sees no reason to hurry, and a few clusters later the process would be twice as large.
 */
export function collectGarbage(): void {
  if (collect === null) {
    // The only way to it without a flag on the command line of the user.
    v8.setFlagsFromString("--expose-gc");
    collect = vm.runInNewContext("gc") as () => void;
  }
  collect();
}

/** Clusters of fewer guests are small whatever is done. */
const MANY_GUESTS = 20;

/**
 * To be called once a cluster is built. All that is built survives, by which V8 has let its young generation grow, and
 * would go on to double it; a full collection makes it small again. A run keeps nearly nothing of what it allocates and
 * is as fast in a small one. With 40 guests it takes 60 to 90 ms and saves 25 MB.
 */
export function collectAfterBuilding(guests: number): void {
  if (guests >= MANY_GUESTS) collectGarbage();
}

/** A heap below this is left to V8, bytes with what is free in it: no run of some hundred guests gets there. */
const LARGE_HEAP = 288 << 20;
/** A large one is collected when it has grown by this since it was last. */
const GROWTH = 1.3;

/**
 * Keeps the heap of a run with thousands of guests small. V8 makes the young generation as large as it may, 64 MB, while
 * they connect, and lets the old one grow by half before it collects it; flags that say otherwise are only heeded on the
 * command line. Each collection takes as long as about a fiftieth of such a run, and there are two or three: once all
 * are connected, little that is allocated stays.
 */
export class HeapWatch {
  #limit = LARGE_HEAP;

  /** To be called now and then. */
  look(): void {
    if (heapBytes() < this.#limit) return;
    collectGarbage();
    this.#limit = Math.max(LARGE_HEAP, heapBytes() * GROWTH);
  }

  /** Makes room for what comes at the end: figures of every guest, and programs that close what they have opened. */
  end(): void {
    if (heapBytes() > LARGE_HEAP / 2) collectGarbage();
  }
}

/** What {@link CompilerRests} sees of the machine, so that tests can bring their own. All in milliseconds. */
export interface CpuClock {
  now(): number;
  /** CPU time of all threads of the process until now. */
  cpu(): number;
  sleep(ms: number): Promise<void>;
}

const CPU_CLOCK: CpuClock = {
  now: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/*
 * Of what was tried (10 to 60 ms of work, 0.4 to 1 s in all): shorter stretches and more of them save some MB more, and
 * take up to 0.2 s of a run of 1.3 s.
 */
/** For so long after its start a run has rests. */
const FIRST_MOMENTS_MS = 600;
/** Work between two rests. */
const WORK_MS = 25;
/** A rest is over when the process has used less than this part of a CPU for a nap, */
const IDLE = 0.3;
const NAP_MS = 2;
/** or else after this. */
const LONGEST_REST_MS = 40;

/**
 * Rests of the main thread in the first moments of a run. V8 hands hundreds of functions to the compilers in its other
 * threads then, and what it has needed for one, about 100 KB, it only frees when no other waits: up to 45 MB, which stay
 * with the process. In a rest the compilers catch up. Nothing says when they have but the CPU time of the process, which
 * stands still. With 40 guests the rests save 5 to 20 MB and take 20 to 60 ms of a run: the work that had to wait is done
 * in compiled code.
 */
export class CompilerRests {
  readonly #clock: CpuClock;
  readonly #begun: number;
  /** When the last rest was over. */
  #rested: number;

  constructor(clock = CPU_CLOCK) {
    this.#clock = clock;
    this.#begun = this.#rested = clock.now();
  }

  /** For a cluster of so many guests; null: few are as large as they are, and their runs may be short. */
  static of(guests: number): CompilerRests | null {
    return guests >= MANY_GUESTS ? new CompilerRests() : null;
  }

  /** Whether {@link look} is still to be called, and every few milliseconds. */
  get due(): boolean {
    return this.#clock.now() - this.#begun < FIRST_MOMENTS_MS;
  }

  /** Rests if there has been work enough since the last time. */
  async look(): Promise<void> {
    const { now, cpu, sleep } = this.#clock;
    const begun = now();
    if (begun - this.#rested < WORK_MS) return;
    let busy;
    do {
      const before = { now: now(), cpu: cpu() };
      await sleep(NAP_MS);
      this.#rested = now();
      busy = (cpu() - before.cpu) / (this.#rested - before.now);
    } while (busy >= IDLE && this.#rested - begun < LONGEST_REST_MS);
  }
}

function heapBytes(): number {
  return v8.getHeapStatistics().total_heap_size;
}

/**
 * What makes V8 faster here, for `deno run --v8-flags=`, or DENO_V8_FLAGS in the environment: a program cannot set them
 * itself (`setFlagsFromString` of node:v8 does nothing in Deno). V8 inlines 920 bytes of bytecode into one function by
 * default. What an event sets off runs through many small functions once, and instants are numbers beyond 2^31: each that
 * passes a call that is not inlined is allocated. Saves 15 % of the instructions of a ping-pong's message, once
 * V8 has compiled it all: a run of a second gains nothing.
 */
export const V8_FLAGS = "--max-inlined-bytecode-size-cumulative=3000";

/** Whether the environment has flags for V8, as far as the program may look. */
export function hasV8Flags(): boolean {
  const name = "DENO_V8_FLAGS";
  return Deno.permissions.querySync({ name: "env", variable: name }).state === "granted" && Deno.env.has(name);
}
