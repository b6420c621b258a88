/** Something that was done to the run, or has come of it. */
export interface Note {
  readonly atPs: number;
  readonly text: string;
}

/** Notes that are kept: the latest. */
const KEPT = 500;

/** What users have done to a run and what has come of it, in order: the latest of all that was noted. */
export class Notes {
  readonly latest: Note[] = [];
  /** Notes in all, those that are not kept any more included. */
  count = 0;

  /** `atPs` is the instant of it, picoseconds. */
  add(atPs: number, text: string): void {
    this.count++;
    this.latest.push({ atPs, text });
    if (this.latest.length > KEPT) this.latest.shift();
  }

  /** Notes `cause` at `atPs`, before what has been noted since `count` was `before`: that has come of it already. */
  addCause(before: number, atPs: number, cause: string): void {
    const { latest } = this;
    const caused = before < this.count ? latest.splice(before - this.count) : [];
    this.add(atPs, cause);
    latest.push(...caused);
  }
}
