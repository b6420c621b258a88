import type { MachineProfile } from "../machine_profile.ts";
import { vhpc12 } from "./vhpc12.ts";

/** Every machine profile; the first is the default. */
export const MACHINES: readonly MachineProfile[] = [vhpc12];
