import type { MachineProfile } from "../machine_profile.ts";
import { jss14 } from "./jss14.ts";
import { modern } from "./modern.ts";
import { vhpc12 } from "./vhpc12.ts";

/** Every machine profile; the first is the default. */
export const MACHINES: readonly MachineProfile[] = [vhpc12, jss14, modern];

/** Rate of a machine's NIC, and so of its links unless a scenario says otherwise, bits per second. */
export function linkRateOf(machine: string): number {
  const profile = MACHINES.find(({ name }) => name === machine) ?? MACHINES[0];
  return profile.limits.nicRateGbps.value * 1e9;
}
