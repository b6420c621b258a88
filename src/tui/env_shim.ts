/**
 * Import this before any npm package that looks at `process.env` while it loads (blessed, yaml): reading a variable
 * without permission would stop the program with a prompt. Afterwards a variable is visible only if reading it is
 * allowed already, and unset otherwise.
 */
import process from "node:process";

// Inside tmux blessed would start `tmux -V` to learn its version, and ask for permission to do so.
const HIDDEN = new Set(["TMUX"]);

function granted(variable?: string): boolean {
  return Deno.permissions.querySync(variable === undefined ? { name: "env" } : { name: "env", variable }).state ===
    "granted";
}

function visible(key: string | symbol): key is string {
  return typeof key === "string" && key !== "" && !HIDDEN.has(key) && granted(key);
}

/** What was asked for before. blessed asks for the same variable for every character of the screen. */
const known = new Map<string | symbol, string | undefined>();

function valueOf(key: string | symbol): string | undefined {
  if (!known.has(key)) known.set(key, visible(key) ? Deno.env.get(key) : undefined);
  return known.get(key);
}

process.env = new Proxy({} as Record<string, string>, {
  get: (_target, key) => valueOf(key),
  has: (_target, key) => visible(key) && Deno.env.has(key),
  set: (_target, key, value) => {
    known.delete(key);
    if (visible(key)) Deno.env.set(key, String(value));
    return true;
  },
  deleteProperty: (_target, key) => {
    known.delete(key);
    if (visible(key)) Deno.env.delete(key);
    return true;
  },
  ownKeys: () => granted() ? Object.keys(Deno.env.toObject()).filter((key) => !HIDDEN.has(key)) : [],
  getOwnPropertyDescriptor: (_target, key) =>
    visible(key) && Deno.env.has(key)
      ? { value: Deno.env.get(key), enumerable: true, configurable: true, writable: true }
      : undefined,
});
