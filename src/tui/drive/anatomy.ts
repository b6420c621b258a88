import { ProgramFault } from "../../base/assert.ts";
import type { AnatomyClass } from "../../report/anatomy.ts";
import type { AnatomyEffect, AnatomyMessage } from "../modes/anatomy.ts";

/** A recording that is being made, piece by piece: null while there is nothing new to show. */
export type AnatomySource = Iterator<AnatomyClass | null>;

/** Work goes on for so long before keys and pictures get their turn, milliseconds. */
const SLICE_MS = 15;

/** Makes recordings of single messages beside the run, in slices, so that keys are answered meanwhile. */
export class AnatomyDrive {
  readonly #open: (scenario: string, path: string) => Promise<AnatomySource>;
  readonly #dispatch: (message: AnatomyMessage) => void;
  readonly #failed: (error: unknown) => void;
  /** The recording that is wanted: one that was asked for earlier is given up. */
  #asked = 0;

  /** `failed` gets what is wrong with us, not with a scenario. */
  constructor(
    open: (scenario: string, path: string) => Promise<AnatomySource>,
    dispatch: (message: AnatomyMessage) => void,
    failed: (error: unknown) => void,
  ) {
    this.#open = open;
    this.#dispatch = dispatch;
    this.#failed = failed;
  }

  record({ asked, scenario, path }: AnatomyEffect): void {
    this.#asked = asked;
    this.#make(asked, scenario, path).catch((error) => {
      if (error instanceof ProgramFault) return this.#failed(error);
      const text = error instanceof Error ? error.message : String(error);
      this.#dispatch({ type: "anatomy-failed", asked, text });
    });
  }

  async #make(asked: number, scenario: string, path: string): Promise<void> {
    const source = await this.#open(scenario, path);
    while (asked === this.#asked) {
      const until = performance.now() + SLICE_MS;
      do {
        const { value: made, done = false } = source.next();
        if (done) return this.#dispatch({ type: "anatomy-complete", asked });
        if (made === null) continue;
        // The picture has taken its time too.
        this.#dispatch({ type: "anatomy-class", asked, made });
        break;
      } while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
