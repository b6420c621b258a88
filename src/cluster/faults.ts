import { TIME_LIMIT_PS, US } from "../base/units.ts";
import type { Link } from "../hw/link.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultSpec } from "./scenario.ts";
import { Timed, timeProblem } from "./timed.ts";

/**
 * Plays timed faults of links. What a link suffers is worked out anew from the faults that are active on it, so that
 * any number of them may overlap: losses, corruption and delays add up (probabilities to 1 at most), and a link is cut
 * while any cut lasts.
 */
export class FaultPlayer extends Timed<FaultSpec> {
  readonly #links: readonly Link[];
  readonly #baseLoss: number;
  readonly #note: (text: string) => void;

  /** `note` is told in words what a link suffers from now on. */
  constructor(cluster: Cluster, faults: readonly FaultSpec[], baseLoss: number, note: (text: string) => void) {
    super(cluster.world.engine, "fault");
    this.#links = cluster.links;
    this.#baseLoss = baseLoss;
    this.#note = note;
    this.replan(faults);
  }

  protected override problemOf(spec: FaultSpec): string | null {
    if (this.#linkOf(spec) !== undefined) return problemOf(spec);
    const names = this.#links.map(({ name }) => name).join(", ");
    return `no link ${JSON.stringify(spec.link)}; wanted ${names === "" ? "none: one host has no link" : names}`;
  }

  protected override begin(spec: FaultSpec, byUser: boolean): () => void {
    const link = this.#linkOf(spec)!;
    this.#apply(link, byUser);
    return () => this.#apply(link);
  }

  #linkOf({ link }: FaultSpec): Link | undefined {
    return this.#links.find(({ name }) => name === link);
  }

  /** `isTold`: what it suffers is known to whoever is told of it. */
  #apply(link: Link, isTold = false): void {
    const here = this.going().filter((fault) => fault.link === link.name);
    link.loss = Math.min(1, here.reduce((sum, { loss }) => sum + loss, this.#baseLoss));
    link.corruption = Math.min(1, here.reduce((sum, { corrupt = 0 }) => sum + corrupt, 0));
    link.extraDelayPs = here.reduce((sum, { delayPs }) => sum + delayPs, 0);
    link.cut = here.some(({ cut }) => cut);
    if (!isTold) this.#note(`link ${link.name}: ${here.length === 0 ? "no fault any more" : sufferingOf(link)}`);
  }
}

function sufferingOf({ cut, loss, corruption, extraDelayPs }: Link): string {
  if (cut) return "cut";
  const percent = (fraction: number) => `${Number((100 * fraction).toPrecision(3))} %`;
  const parts = [
    loss > 0 ? `${percent(loss)} of frames lost` : "",
    corruption > 0 ? `${percent(corruption)} of frames corrupted` : "",
    extraDelayPs > 0 ? `${extraDelayPs / US} us of delay` : "",
  ];
  return parts.filter((part) => part !== "").join(", ") || "a fault that does nothing";
}

/** What is wrong with a fault's figures; null when nothing is. A scenario's have been checked by its schema. */
function problemOf(spec: FaultSpec): string | null {
  const { loss, corrupt = 0, delayPs } = spec;
  for (const [what, value] of [["loss", loss], ["corrupt", corrupt]] as const) {
    if (!(value >= 0 && value <= 1)) return `fault: found ${what} ${value}, wanted 0 to 1`;
  }
  const isDelay = Number.isInteger(delayPs) && delayPs >= 0 && delayPs <= TIME_LIMIT_PS;
  if (!isDelay) return `fault: found a delay of ${delayPs} ps, wanted a whole number of picoseconds`;
  return timeProblem("fault", spec);
}
