/**
 * What a user does to a run while it goes on: plain data, the same in the log of inputs, in the dashboard's menu and in
 * the palette. Scenario, seed and inputs determine every byte of a run.
 */
export type Input =
  /** What a link suffers from now on, for a time or for good. */
  | {
    readonly kind: "fault";
    /** By the names of its ends, as in a scenario's faults. */
    readonly link: string;
    readonly loss?: number;
    /** Probability that a frame arrives with bytes changed. */
    readonly corrupt?: number;
    readonly delayPs?: number;
    readonly cut?: boolean;
    readonly forPs: number | null;
  }
  /** The driver domain's back end (or the host's back-end threads) does nothing for a time. */
  | { readonly kind: "stall"; readonly host: string; readonly forPs: number }
  /** So many CPUs of a host are taken by somebody else's computation. */
  | { readonly kind: "hog"; readonly host: string; readonly cpus: number; readonly forPs: number | null }
  /** A guest dies and is booted again after a time. */
  | { readonly kind: "crash"; readonly guest: string; readonly forPs: number }
  /** The cluster is changed as `--set` would: `guests=20`, `path=virtio`, `costs.hypercall=800`. */
  | { readonly kind: "set"; readonly assignments: readonly string[] }
  /** What an earlier input of the run began is over now; inputs are numbered from 1, in order. */
  | { readonly kind: "end"; readonly input: number };

/** An input, and between which two events of the run it came. */
export interface InputRecord {
  readonly atPs: number;
  /** Events that had run. */
  readonly events: number;
  readonly input: Input;
}
