/** What the prompt for a time holds. */
export interface SeekState {
  readonly text: string;
  /** Chosen with the arrows, picoseconds; null while a time is typed. */
  readonly chosenPs: number | null;
  /** Why the text is not a time. */
  readonly problem: string;
}

export const NO_SEEK: SeekState = { text: "", chosenPs: null, problem: "" };
