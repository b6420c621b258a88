import type { MachineProfile } from "../machine_profile.ts";
import { jss14 } from "./jss14.ts";
import { vhpc12 } from "./vhpc12.ts";

/** Every machine profile; the first is the default. */
export const MACHINES: readonly MachineProfile[] = [vhpc12, jss14];
