import type { Lab } from "../lab.ts";

/** One statement of a claim, as it is checked, and what that came to. */
export interface ClaimPart {
  /** With the bounds within which it holds. */
  readonly text: string;
  readonly holds: boolean;
  /** The figures that decide. */
  readonly evidence: string;
  /** Of a statement that mxtop is known not to show: why (docs/not-modelled.md, what the study expects). */
  readonly known?: string;
}

/** What the study says a correct emulator must show (costs D). */
export interface Claim {
  readonly id: string;
  /** The reference's words, all of them. */
  readonly text: string;
  /** What of these words no part checks, and why. */
  readonly notChecked?: string;
  readonly check: (lab: Lab) => readonly ClaimPart[];
}

export const us = (value: number): string => `${value.toFixed(2)} us`;
export const mbps = (value: number): string => `${Math.round(value)} MB/s`;
/** A fraction as a percentage. */
export const share = (fraction: number, digits = 0): string => `${(fraction * 100).toFixed(digits)} %`;
