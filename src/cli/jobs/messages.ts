import { ProgramFault } from "../../base/assert.ts";
import { type Problem, ScenarioError } from "../../cluster/scenario_file.ts";
import { MemoryError } from "../../hw/memory.ts";
import type { Snapshot } from "../../report/snapshot.ts";
import { UsageError } from "../exit.ts";
import type { Job } from "./job.ts";

/*
 * What the main thread and its Workers say to each other. All of it is plain data, which a structured clone carries
 * over as it is.
 */

/** To a Worker: do this; or end what you are doing. */
export type Order = { readonly kind: "do"; readonly job: Job } | { readonly kind: "stop" };

/** From a Worker: how far it is, and how it ended. One `done` or `failed` for each job. */
export type Answer =
  | { readonly kind: "at"; readonly nowPs: number; readonly endPs: number }
  | { readonly kind: "done"; readonly snapshot: Snapshot | null }
  | { readonly kind: "failed"; readonly failure: Failure };

/** An error without its class, which a structured clone would take off. */
export interface Failure {
  readonly kind: "usage" | "scenario" | "memory" | "fault" | "other";
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly problems: readonly Problem[];
  /** Of a MemoryError. */
  readonly wantedBytes: number;
}

export function toFailure(error: unknown): Failure {
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const problems = error instanceof ScenarioError ? error.problems : [];
  const kind = error instanceof ScenarioError
    ? "scenario"
    : error instanceof UsageError
    ? "usage"
    : error instanceof MemoryError
    ? "memory"
    : error instanceof ProgramFault
    ? "fault"
    : "other";
  const wantedBytes = error instanceof MemoryError ? error.wantedBytes : 0;
  return { kind, name, message, stack, problems, wantedBytes };
}

/** The error as it would have been thrown here, with the stack of where it was. */
export function toError({ kind, name, message, stack, problems, wantedBytes }: Failure): Error {
  const error = kind === "scenario"
    ? new ScenarioError(problems)
    : kind === "usage"
    ? new UsageError(message)
    : kind === "memory"
    ? new MemoryError(wantedBytes)
    : kind === "fault"
    ? new ProgramFault(message)
    : new Error(message);
  if (kind === "other") error.name = name;
  error.stack = stack;
  return error;
}
