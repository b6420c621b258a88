/** Something of a scenario that can be set while it runs. */
export interface Setting {
  /** As `--set` takes it: `workload.size`, `costs.hypercall`. */
  readonly key: string;
  /** Its present value, as it would be typed. */
  readonly value: string;
  /** Unit of a plain number; empty where the value carries its own, or has none. */
  readonly unit: string;
  /** What it is, in a few words. */
  readonly help: string;
  /** Every value that it can have, where these are few. */
  readonly choices?: readonly string[];
}
