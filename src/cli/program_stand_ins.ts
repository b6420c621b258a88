import { ProgramError } from "../guest/guard.ts";

/**
 * What a program has of the runtime: ECMAScript that depends on nothing outside, and what makes bytes of text. It is a
 * list of what is harmless, so that what a later runtime brings is not there either. Left out of ECMAScript are the
 * clock (`Date`, `Temporal`), the machine's language (`Intl`), whatever shows when memory is collected or is shared
 * between threads, and what goes on without the emulator (`Promise`).
 */
const ALLOWED: ReadonlySet<string> = new Set([
  ...["undefined", "NaN", "Infinity", "Object", "Function", "Boolean", "Symbol", "String", "RegExp", "JSON"],
  ...["Number", "BigInt", "parseFloat", "parseInt", "isFinite", "isNaN", "Proxy", "Reflect"],
  ...["Array", "Map", "Set", "WeakMap", "WeakSet", "Iterator", "DisposableStack"],
  ...["ArrayBuffer", "DataView", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array"],
  ...["Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array", "Float16Array", "Float32Array", "Float64Array"],
  ...["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SuppressedError", "SyntaxError"],
  ...["TypeError", "URIError", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape"],
  ...["unescape", "TextDecoder", "TextEncoder", "atob", "btoa", "structuredClone"],
  "eval", // no name that a module may declare: refused where it is read
]);

/** These a program has in a form of their own. */
export const REPLACED: readonly string[] = ["Math", "console"];

/** Names that a program does not have: each could make a run depend on the real world, or escape the emulator. */
export const FORBIDDEN: ReadonlySet<string> = new Set(
  namesOfRuntime().filter((name) => !ALLOWED.has(name) && !REPLACED.includes(name)),
);

/** All names that mean something without a declaration, inherited ones such as `addEventListener` too. */
function namesOfRuntime(): string[] {
  const names = ["window"]; // of browsers alone, but known to everybody
  for (let of: object = globalThis; of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    names.push(...Object.getOwnPropertyNames(of));
  }
  return names.filter((name) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name));
}

const VIRTUAL_TIME = "guest.now() is virtual time";
const WAITING = "guest.sleep and guest.alarm wait in virtual time";

const INSTEAD: Readonly<Record<string, string>> = {
  Date: VIRTUAL_TIME,
  Temporal: VIRTUAL_TIME,
  performance: VIRTUAL_TIME,
  setTimeout: WAITING,
  setInterval: WAITING,
  setImmediate: WAITING,
  queueMicrotask: WAITING,
  Promise: "a program waits with yield*",
  Intl: "it goes by the machine's language",
};

/** A stand-in that throws {@link ProgramError} whatever is done with it. */
export function forbidden(name: string): unknown {
  const refuse = (): never => {
    const why = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : "a run depends on nothing but scenario and seed";
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
