import type { Prng } from "../base/prng.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import { type Process, processThread, type Thread, type Wait } from "../hw/thread.ts";
import type { Engine } from "../sim/engine.ts";
import { type MxDriver, RESULT_NO_RESOURCES, RESULT_OK } from "./driver/contract.ts";
import { MxEndpoint } from "./endpoint.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import type { LibraryOptions } from "./lib/core.ts";
import { addCounters, LibraryCounters } from "./lib/counters.ts";
import { MAX_ENDPOINTS } from "./limits.ts";
import * as mx from "./status.ts";

/** "Any" in place of a board or endpoint number. */
export const ANY_NUMBER = 0xffffffff;

/** Of an endpoint that is opened: where, and how its library works. */
export interface OpenOptions extends LibraryOptions {
  /** Board number, 0 by default; {@link ANY_NUMBER} takes the first that has the endpoint free. */
  readonly board?: number;
}

/** What a process needs to use MX. */
export interface MxOptions {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly costs: Costs;
  /** Names the process in its random stream: unique in a cluster. */
  readonly name: string;
  /** MX boards (network interfaces) that the process may open endpoints on. */
  readonly boards: number;
  /** A driver on a board, for one endpoint that is about to be opened. */
  readonly attach: (board: number) => MxDriver;
  /** The library's debug build: messages are stamped with checksums, and checked. Default false. */
  readonly debugChecksum?: boolean;
  /** Environment of the process: what the library's options are where an open names none (see `environment.ts`). */
  readonly environment?: Environment;
}

/** The MX library of one process, which has one thread. */
export class Mx {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly costs: Costs;
  readonly name: string;
  /** Return code of the last call. */
  code = mx.MX_SUCCESS;
  readonly timer: number;
  readonly boards: number;
  readonly #attach: (board: number) => MxDriver;
  readonly #debugChecksum: boolean;
  /** The process's own copy, which it may change. */
  readonly environment: Record<string, string>;
  readonly #random: Prng;
  readonly #endpoints: MxEndpoint[] = [];
  /** What those have counted that are no longer among {@link endpoints}; null when there are none. */
  past: LibraryCounters | null = null;
  /** The endpoint that an open is under way for. */
  #opening: MxEndpoint | null = null;
  /** The process is dead: its timers mean nothing any more. */
  died = false;
  /** By board: the driver that answers questions, and whether it waits for an endpoint. */
  readonly #control: MxDriver[] = [];
  readonly #spare: boolean[] = [];
  #thread: Thread | null = null;

  constructor(options: MxOptions) {
    this.engine = options.engine;
    this.memory = options.memory;
    this.costs = options.costs;
    this.name = options.name;
    this.boards = options.boards;
    this.#attach = options.attach;
    this.#debugChecksum = options.debugChecksum ?? false;
    this.environment = { ...options.environment };
    this.#random = options.engine.random(`${options.name} sessions`);
    this.timer = options.engine.handler(`${options.name} library timer`, (slot) => this.#endpoints[slot].timerFired());
  }

  /** Makes a thread for the program on a processor and starts it. Call it from an event handler or before the run. */
  start(processor: Processor, program: (mx: Mx) => Process, onExit?: () => void): Thread {
    const thread = processThread(this.name, processor, program(this), onExit);
    this.bind(thread);
    thread.notify();
    return thread;
  }

  /** Says which thread makes the calls. Before the first call. */
  bind(thread: Thread): void {
    this.#thread = thread;
  }

  /** Every endpoint that the process has opened; of those of one board and number, the last. */
  get endpoints(): readonly MxEndpoint[] {
    return this.#endpoints;
  }

  get thread(): Thread {
    return this.#thread!;
  }

  /** The instant that the running burst has reached, picoseconds. */
  get now(): number {
    return this.#thread!.processor.now;
  }

  /** A driver on a board that answers questions, though none of its endpoints may be open. */
  control(board: number): MxDriver {
    if (this.#control[board] === undefined) {
      this.#control[board] = this.#attach(board);
      this.#spare[board] = true;
    }
    return this.#control[board];
  }

  /** A driver for an endpoint that is about to be opened; the same again if opening fails. */
  #unused(board: number): MxDriver {
    if (this.#spare[board] !== true) {
      this.#control[board] = this.#attach(board);
      this.#spare[board] = true;
    }
    return this.#control[board];
  }

  /**
   * Opens endpoint `index` (0 to 255, or {@link ANY_NUMBER}) with a key that connects must show. Null with {@link code}
   * MX_BOARD_UNKNOWN when there is no such board, MX_BAD_ENDPOINT when the index is out of range, MX_BUSY when it is
   * taken, MX_NO_RESOURCES when the driver has no room for another endpoint, MX_BAD_PARAM_VAL for a context id of more
   * than 16 bits. A search takes the lowest free number, and the lowest board where several have it: that spreads
   * endpoints over the boards (omx_endpoint.c:227-300).
   */
  *openEndpoint(index: number, key: number, options: OpenOptions = {}): Generator<Wait, MxEndpoint | null> {
    const { board = 0 } = options;
    this.code = this.#checkOpening(index, board, options);
    if (this.code !== mx.MX_SUCCESS) return null;
    const session = this.#drawSession();
    const { library } = readEnvironment(this.environment);
    const all = { debugChecksum: this.#debugChecksum, ...library, ...options };
    const [firstIndex, lastIndex] = index === ANY_NUMBER ? [0, MAX_ENDPOINTS - 1] : [index, index];
    const [firstBoard, lastBoard] = board === ANY_NUMBER ? [0, this.boards - 1] : [board, board];
    for (let i = firstIndex; i <= lastIndex; i++) {
      for (let b = firstBoard; b <= lastBoard; b++) {
        const endpoint = new MxEndpoint(this, this.#unused(b), b, i, key, session, all);
        const code = yield* this.#open(endpoint);
        this.code = code;
        if (code === mx.MX_SUCCESS) {
          this.#keep(endpoint);
          return endpoint;
        }
        if (code !== mx.MX_BUSY) return null;
        yield 0; // each attempt is a system call
      }
    }
    return null;
  }

  /** An endpoint takes the place of the one that had its number before: a process may open it thousands of times. */
  #keep(endpoint: MxEndpoint): void {
    const { board, index } = endpoint;
    const slot = this.#endpoints.findIndex((other) => !other.isOpen && other.board === board && other.index === index);
    endpoint.slot = slot < 0 ? this.#endpoints.length : slot;
    if (slot >= 0) addCounters(this.past ??= new LibraryCounters(), this.#endpoints[slot].counters);
    this.#endpoints[endpoint.slot] = endpoint;
  }

  /** Opens an endpoint at its driver, which may take its time to refuse. */
  *#open(endpoint: MxEndpoint): Generator<Wait, number> {
    const { library } = endpoint;
    if (!library.open(this.#thread!.processor)) return mx.MX_BUSY;
    this.#spare[endpoint.board] = false;
    this.#opening = endpoint;
    yield* endpoint.settle();
    this.#opening = null;
    return openCode(library.openResult);
  }

  /**
   * The end of a process that dies in the middle of anything: its kernel closes each endpoint as soon as the command is
   * through that the process was in the kernel for (omx_miscdev_release). What it has sent and not heard of, and what
   * it owes others, is forgotten.
   */
  *die(): Process {
    this.died = true;
    if (this.#opening !== null) yield* this.#opening.abandon();
    for (const endpoint of this.#endpoints) yield* endpoint.abandon();
  }

  #checkOpening(index: number, board: number, options: OpenOptions): number {
    const { contextBits = 0, contextShift = 0 } = options;
    const isField = Number.isInteger(contextBits) && Number.isInteger(contextShift) && contextBits >= 0 &&
      contextBits <= 16 && contextShift >= 0 && contextBits + contextShift <= 64;
    if (!isField) return mx.MX_BAD_PARAM_VAL;
    if (board !== ANY_NUMBER && !(Number.isInteger(board) && board >= 0 && board < this.boards)) {
      return mx.MX_BOARD_UNKNOWN;
    }
    const isIndex = Number.isInteger(index) && index >= 0 && index < MAX_ENDPOINTS;
    return isIndex || index === ANY_NUMBER ? mx.MX_SUCCESS : mx.MX_BAD_ENDPOINT;
  }

  /** Never the value that stands for "unknown". */
  #drawSession(): number {
    const session = this.#random.u32();
    return session === 0xffffffff ? 1 : session;
  }
}
/** Return code of an open that the driver has answered later. */
function openCode(result: number): number {
  if (result === RESULT_OK) return mx.MX_SUCCESS;
  return result === RESULT_NO_RESOURCES ? mx.MX_NO_RESOURCES : mx.MX_BUSY;
}
