import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import type { Processor } from "../../src/hw/processor.ts";
import type { Process } from "../../src/hw/thread.ts";

/* What tests of schedulers ask of programs and processors. */

/** A program that computes all the time. */
export function* hog(): Process {
  for (;;) yield 50 * MS;
}

export function near(actual: number, wanted: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${what}: ${actual}, wanted ${wanted} +- ${tolerance}`);
}

/** Picoseconds that are booked on a processor, of all classes. */
export function total(processor: Processor): number {
  processor.settle();
  return processor.time.reduce((sum, part) => sum + part, 0);
}
