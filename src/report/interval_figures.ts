import type {
  Figures,
  GuestFigures,
  HostFigures,
  LinkFigures,
  OfferedFigures,
  SolverFigures,
  StageFigures,
  TotalFigures,
} from "./snapshot.ts";

/**
 * What a run did in an interval of virtual time: fields of the {@link Snapshot}, with its names, units and classes, but
 * of this time alone. Whoever reads the one can read the other. Counts of all intervals of a cluster add up to those of
 * its snapshot.
 */
export interface IntervalFigures {
  /** Virtual time, nanoseconds. What happened at the very end is in it, what happened at its begin is not. */
  from_ns: number;
  to_ns: number;
  /** Virtual time that the figures cover, nanoseconds. */
  measured_ns: number;
  /** Of all events up to its end: of two runs, the first interval that differs is where they part. */
  fingerprint: string;
  /** The run was stopped in it. */
  partial: boolean;
  /** Clusters that the session had before this one; left out for the first. */
  cluster?: number;
  totals: TotalFigures;
  guests: IntervalGuest[];
  hosts: IntervalHost[];
  links: LinkFigures[];
  stages: StageFigures[];
  /** `waiting` and `under_way` are those at its end. */
  offered?: OfferedFigures;
  /** As it stood at its end. */
  solver?: SolverFigures;
}

export type IntervalGuest = Figures & Pick<GuestFigures, "name" | "host" | "path" | "sent" | "cpu">;
export type IntervalHost = Pick<HostFigures, "name" | "cpus" | "native" | "cpu" | "nic">;
