import assert from "node:assert/strict";
import { jacobi } from "../../src/workload/jacobi.ts";
import { Serial } from "../../src/workload/jacobi_grid.ts";
import { MS } from "../../src/base/units.ts";
import { toTable } from "../../src/report/table.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { judge } from "../../src/report/thresholds.ts";
import { run, type ScenarioOptions, totals } from "../support/scenario.ts";

Deno.test("every rank has a row", () => {
  const check = (rows: number, ranks: number) =>
    jacobi.check(jacobi.params.parse({ rows }), { ranks, boards: 1, hostIndexOf: () => 0 });
  check(3, 3);
  const name = "WorkloadError";
  assert.throws(() => check(3, 1), { name, message: "guests: jacobi wants 2 or more, found 1" });
  assert.throws(() => check(3, 4), { name, message: "rows: found 3, wanted at least 4, one for each guest" });
});

Deno.test("one process: the middle of a square with one edge of four at 1 becomes a quarter", () => {
  const serial = new Serial(15, 15);
  const { cells, change } = serial.at(2000);
  const middle = 8 * 17 + 8;
  assert.ok(Math.abs(cells[middle] - 0.25) < 1e-9 && change < 1e-12, `${cells[middle]}, ${change}`);
  const before = serial.at(1);
  assert.equal(before.change, 0.25, "it can be asked for an earlier iteration");
  assert.deepEqual([...before.cells.slice(17, 20)], [0, 0.25, 0.25]);
});

Deno.test("any number of ranks converges in the same iteration, that of one process", () => {
  const serial = new Serial(20, 30);
  let iterations = 0;
  do iterations += 7; while (serial.at(iterations).change > 3e-3);
  assert.ok(iterations > 40, `${iterations}`);
  for (const [guests, overlap] of [[2, true], [3, false], [20, true], [7, false]]) {
    const workload = { kind: "jacobi", rows: 20, columns: 30, tolerance: 3e-3, check_every: 7, overlap };
    const session = run({ path: guests === 3 ? "xen2mx" : "native", guests: Number(guests), workload });
    for (const { meter } of session.cluster.guests) assert.equal(meter.rtt.count, iterations);
    assert.deepEqual([totals(session).integrityErrors, session.drain()], [0, []]);
    session.release();
  }
});

Deno.test("an iteration is computing and a halo's way; computing what needs no halo meanwhile saves most of that", () => {
  const timeOf = (overlap: boolean) => {
    const workload = {
      kind: "jacobi",
      rows: 128,
      columns: 256,
      max_iterations: 60,
      check_every: 60,
      overlap,
      wait: "poll",
    };
    const [row] = run({ hosts: 4, guests: 4, workload }).rows.rows;
    assert.equal(row.size, 2048);
    return row.rttUs;
  };
  const computedUs = (128 / 4) * 256 * 0.002;
  const [plain, overlapped] = [timeOf(false), timeOf(true)];
  assert.ok(plain > computedUs + 5 && plain < computedUs + 35, `${plain} us, ${computedUs} computing`);
  assert.ok(overlapped > computedUs && overlapped < plain - 4, `${overlapped} us, ${plain} without`);
});

Deno.test("rows of any class: tiny to large", () => {
  for (const columns of [3, 10, 900, 5000]) {
    for (const path of ["native", "xen2mx"]) {
      const workload = { kind: "jacobi", rows: 5, columns, max_iterations: 12, check_every: 4 };
      const session = run({ path, guests: 3, workload });
      const { integrityErrors, lost, messages } = totals(session);
      assert.deepEqual([integrityErrors, lost, messages], [0, 0, 12 * 4 + 3 * 4], `${path}, ${columns} columns`);
      assert.deepEqual(session.drain(), []);
    }
  }
});

Deno.test("a result says how many iterations were done, how near they came, and whether that was near enough", () => {
  const resultOf = (params: object, options: Partial<ScenarioOptions> = {}) => {
    const workload = { kind: "jacobi", rows: 20, columns: 30, tolerance: 3e-3, check_every: 7, ...params };
    const session = run({ guests: 3, workload, ...options });
    return takeSnapshot(session, { command: "test", version: "0", wallMs: 0, partial: false });
  };
  const serial = new Serial(20, 30);
  let iterations = 0;
  do iterations += 7; while (serial.at(iterations).change > 3e-3);
  const whole = resultOf({});
  const residual = Number(serial.at(iterations).change.toPrecision(7));
  assert.deepEqual(whole.solver, { iterations, residual, solves: 1, converged: 1 });
  assert.equal(judge(whole, ["solver.converged == 1", `solver.iterations <= ${iterations}`]).ok, true);
  assert.match(
    toTable(whole),
    new RegExp(`^solver     ${iterations} iterations   residual 0\\.00\\d+   solves 1   converged 1$`, "m"),
  );
  // A solve that has begun in the warm-up has as many.
  assert.deepEqual(resultOf({}, { warmupPs: MS }).solver, whole.solver);
  // One that ends for want of iterations has not converged, and one that is cut off has not come to its end.
  const { change } = serial.at(10);
  assert.deepEqual(resultOf({ max_iterations: 10 }).solver, {
    iterations: 10,
    residual: Number(change.toPrecision(7)),
    solves: 1,
    converged: 0,
  });
  const { solves, converged, residual: none } = resultOf({ check_every: 1000 }, { durationPs: MS }).solver!;
  assert.deepEqual([solves, converged, none], [0, 0, null]);
  assert.equal(resultOf({ kind: "all-reduce" }).solver, undefined);
});
