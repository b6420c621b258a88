import { EXIT_INTERRUPTED, EXIT_TERMINATED } from "./exit.ts";

const CODES: Readonly<Partial<Record<Deno.Signal, number>>> = { SIGINT: EXIT_INTERRUPTED, SIGTERM: EXIT_TERMINATED };

/**
 * Turns the first SIGINT or SIGTERM into a request that a run can honour between two slices; a second one ends the
 * program at once.
 */
export class StopSignals {
  #exitCode: number | null = null;
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #told: (() => void)[] = [];

  constructor() {
    for (const [signal, code] of Object.entries(CODES) as [Deno.Signal, number][]) {
      const listener = () => {
        if (this.#exitCode !== null) Deno.exit(code);
        this.#exitCode = code;
        for (const tell of this.#told) tell();
      };
      // Windows knows SIGINT alone.
      if (Deno.build.os === "windows" && signal !== "SIGINT") continue;
      Deno.addSignalListener(signal, listener);
      this.#listeners.push([signal, listener]);
    }
  }

  /** Exit code of the signal that came, null as long as none did. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** Calls back when the first signal comes, for those who cannot look between two slices. */
  whenStopped(tell: () => void): void {
    this.#told.push(tell);
  }

  release(): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}
