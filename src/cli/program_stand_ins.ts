import { ProgramError } from "../guest/guard.ts";

/** Names that a program does not have: each would make a run depend on the real world, or escape the emulator. */
export const FORBIDDEN: readonly string[] = [
  "Date",
  "performance",
  "Deno",
  "process",
  "fetch",
  "crypto",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "Promise",
  "Worker",
  "WebSocket",
  "XMLHttpRequest",
  "localStorage",
  "sessionStorage",
  "globalThis",
  "self",
  "window",
  "prompt",
  "alert",
  "confirm",
];

const INSTEAD: Readonly<Record<string, string>> = {
  Date: "guest.now() is virtual time",
  performance: "guest.now() is virtual time",
  setTimeout: "guest.sleep and guest.alarm wait in virtual time",
  setInterval: "guest.sleep and guest.alarm wait in virtual time",
  Promise: "a program waits with yield*",
};

/** A stand-in that throws {@link ProgramError} whatever is done with it. */
export function forbidden(name: string): unknown {
  const refuse = (): never => {
    const why = INSTEAD[name] ?? "a run depends on nothing but scenario and seed";
    throw new ProgramError(`${name} is not there in a guest program; ${why}`);
  };
  const traps = { get: refuse, set: refuse, has: refuse, apply: refuse, construct: refuse };
  return new Proxy(function () {}, traps);
}

/** `Math` with everything but `random`. */
export function mathWithoutRandom(): typeof Math {
  const random = (): never => {
    throw new ProgramError("Math.random is not there in a guest program; guest.random() is drawn from the seed");
  };
  const names = Object.getOwnPropertyNames(Math) as (keyof typeof Math)[];
  return Object.assign(Object.create(null), Object.fromEntries(names.map((name) => [name, Math[name]])), { random });
}
