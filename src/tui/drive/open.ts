import { ProgramFault } from "../../base/assert.ts";
import type { Message } from "../message.ts";
import type { DashboardOptions } from "../options.ts";
import type { DashboardRun } from "../run.ts";

/** The dashboard, as the opener needs it. */
export interface OpenHost {
  /** Puts a run that is there in place of the present one. */
  attach(run: DashboardRun, scenario: string, path: string | null): void;
  /** Takes a message without a picture of it. */
  apply(message: Message): void;
  draw(): void;
  fail(error: unknown): void;
}

/**
 * Opens the runs that the user asks for. A run that cannot be built leaves the present one as it is; one that takes its
 * time appears when it is there.
 */
export class Opener {
  readonly #options: Pick<DashboardOptions, "open">;
  readonly #host: OpenHost;
  /** Runs asked for so far: one that is late must not take the place of a later one. */
  #asked = 0;

  constructor(options: Pick<DashboardOptions, "open">, host: OpenHost) {
    this.#options = options;
    this.#host = host;
  }

  /** After the picture that says so: building a large cluster takes longer than a key may wait. */
  open(scenario: string, path: string | null): void {
    const asked = ++this.#asked;
    const text = `opening ${scenario}${path === null ? "" : ` on ${path}`} ...`;
    this.#host.apply({ type: "notice", level: "info", text });
    setTimeout(() => this.#settle(asked, () => this.#begin(asked, scenario, path)), 0);
  }

  /** Nothing that was asked for appears any more. */
  stop(): void {
    this.#asked++;
  }

  #begin(asked: number, scenario: string, path: string | null): void {
    const attach = (run: DashboardRun): void => this.#host.attach(run, scenario, path);
    const failed = (error: unknown): void => {
      if (error instanceof ProgramFault) return this.#host.fail(error);
      this.#host.apply({ type: "failed", text: error instanceof Error ? error.message : String(error) });
    };
    let run: DashboardRun | Promise<DashboardRun>;
    try {
      run = this.#options.open(scenario, path === null ? {} : { path });
    } catch (error) {
      return failed(error);
    }
    if (!(run instanceof Promise)) return attach(run);
    run.then(
      (opened) => {
        // Nobody will see it: its memory is wanted by the one that was asked for later.
        if (asked !== this.#asked) opened.release();
        this.#settle(asked, () => attach(opened));
      },
      (error) => this.#settle(asked, () => failed(error)),
    );
  }

  /** Does what follows from an order, with a picture of it. Of several orders in a row the last one counts. */
  #settle(asked: number, then: () => void): void {
    if (asked !== this.#asked) return;
    try {
      then();
      this.#host.draw();
    } catch (error) {
      this.#host.fail(error);
    }
  }
}
