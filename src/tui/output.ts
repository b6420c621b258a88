/** Where the bytes go. May give back less than it was given, and takes its time when the terminal does not read. */
export type Sink = (bytes: Uint8Array) => Promise<number>;

/** What waits for a terminal that does not read: two large screens. More is thrown away, and drawn again later. */
const ROOM_CHARS = 256 * 1024;

/**
 * Text on its way to the terminal. Nobody ever waits for it: a terminal that does not read (a hung connection, a stopped
 * multiplexer) would otherwise stop keys, signals and the run with it. Who draws looks at {@link busy} and leaves
 * pictures out while one is still on its way.
 */
export class Output {
  readonly #sink: Sink;
  readonly #now: () => number;
  readonly #encoder = new TextEncoder();
  #waiting = "";
  #writing = false;
  #since = 0;
  #lost = false;
  #leftOut = 0;
  /**
   * Called when all has been written: how long that took, milliseconds, how many pictures were left out meanwhile, and
   * whether something was thrown away.
   */
  onDrain: (ms: number, leftOut: number, lost: boolean) => void = () => {};

  /** `now` gives wall time in milliseconds. */
  constructor(sink: Sink, now: () => number) {
    this.#sink = sink;
    this.#now = now;
  }

  /** Whether something is still on its way. */
  get busy(): boolean {
    return this.#writing;
  }

  /** Whether a picture can be written; one that cannot is counted as left out. */
  get ready(): boolean {
    if (this.#writing) this.#leftOut++;
    return !this.#writing;
  }

  write(text: string): void {
    if (this.#writing && this.#waiting.length + text.length > ROOM_CHARS) {
      // A part of a picture is worth nothing: what comes next begins afresh.
      this.#waiting = "";
      this.#lost = true;
      return;
    }
    this.#waiting += text;
    if (!this.#writing) this.#start();
  }

  /** What has not been handed on yet; it is no longer waiting. */
  take(): string {
    const text = this.#waiting;
    this.#waiting = "";
    return text;
  }

  /** Whether all is written within `ms`. */
  async drained(ms: number): Promise<boolean> {
    const end = this.#now() + ms;
    while (this.#writing && this.#now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    return !this.#writing;
  }

  #start(): void {
    this.#writing = true;
    this.#since = this.#now();
    this.#run().then(() => {
      this.#writing = false;
      if (this.#waiting !== "") return this.#start();
      const [lost, leftOut] = [this.#lost, this.#leftOut];
      this.#lost = false;
      this.#leftOut = 0;
      this.onDrain(this.#now() - this.#since, leftOut, lost);
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting !== "") {
      let bytes: Uint8Array = this.#encoder.encode(this.take());
      try {
        while (bytes.length > 0) bytes = bytes.subarray(await this.#sink(bytes));
      } catch {
        // The terminal is gone: a hang-up follows, and there is nobody to draw for.
        this.#waiting = "";
      }
    }
  }
}
