import v8 from "node:v8";
import vm from "node:vm";

let collect: (() => void) | null = null;

/**
 * Collects garbage now. For those who have just let go of a whole cluster: most of it lies outside the heap of V8, which
 * sees no reason to hurry, and a few clusters later the process would be twice as large.
 */
export function collectGarbage(): void {
  if (collect === null) {
    // The only way to it without a flag on the command line of the user.
    v8.setFlagsFromString("--expose-gc");
    collect = vm.runInNewContext("gc") as () => void;
  }
  collect();
}
