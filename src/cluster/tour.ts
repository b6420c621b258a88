/** Panes that a tour can point at, by the dashboard's names. */
export const TOUR_PANES = [
  "guests",
  "latency",
  "throughput",
  "host",
  "guest",
  "stages",
  "rings",
  "network",
  "events",
] as const;
export type TourPane = typeof TOUR_PANES[number];

/** Speeds that a tour can ask for: those of the dashboard, without "as fast as it goes". */
export const TOUR_SPEEDS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100] as const;

/** One caption of a guided tour: words at a virtual time of the run. Metrics of the result stand in braces: `{rtt_us.p50}`. */
export interface TourStep {
  /** When it appears, picoseconds of virtual time; at once if the run is further already. */
  readonly atPs: number;
  readonly title: string;
  readonly text: string;
  /** The pane that gets the focus. */
  readonly look?: TourPane;
  /** Asked with the caption; the answer comes with the next press of the tour's key. */
  readonly ask?: string;
  readonly answer?: string;
  /** A key of the dashboard that does what it always does, and goes on with the tour. */
  readonly press?: string;
  /** The step begins with a run of the scenario on this path. */
  readonly path?: string;
  /** Virtual time passes this many times as fast as wall time until the caption appears. */
  readonly speed?: number;
}

/** The metrics in a text: what stands between braces. */
export function metricsIn(text: string): string[] {
  return [...text.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]);
}
