import v8 from "node:v8";
import vm from "node:vm";

let collect: (() => void) | null = null;
let isTuned = false;

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

/**
 * Tells V8 to inline more than it does by default, 920 bytes of bytecode into one function. What an event sets off runs
 * through many small functions once, and instants are numbers beyond 2^31: each that passes a call that is not inlined
 * is allocated. Makes runs 10 to 20 % faster; must come before the engine's functions are hot.
 */
export function tuneForEvents(): void {
  if (isTuned) return;
  isTuned = true;
  v8.setFlagsFromString("--max-inlined-bytecode-size-cumulative=3000");
}
