/**
 * How far a workload has got that computes until its result has converged. One rank says it for all: they agree on every
 * decision. A solve takes as long as it takes, so that nothing begins anew when measuring does.
 */
export class SolverMeter {
  /** Iterations of the solve that is under way, or that was the last, from its beginning. */
  iterations = 0;
  /** The largest change that was found when the ranks compared theirs last; null before they have in this solve. */
  residual: number | null = null;
  /** Solves that have come to their own end since the cluster began, and how many of them had converged. */
  solves = 0;
  converged = 0;

  /** Another solve, or the same one from its start. */
  begin(): void {
    this.iterations = 0;
    this.residual = null;
  }

  end(hasConverged: boolean): void {
    this.solves++;
    if (hasConverged) this.converged++;
  }
}
