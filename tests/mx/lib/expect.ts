/** Fails the test unless the condition holds. */
export function ok(condition: unknown, text = "expected to hold"): asserts condition {
  if (!condition) throw new Error(text);
}

export function equal<T>(actual: T, expected: T, text = ""): void {
  const a = JSON.stringify(actual);
  const b = JSON.stringify(expected);
  if (a !== b) throw new Error(`${text} expected ${b}, got ${a}`);
}
