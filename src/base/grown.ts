/** `to`, which begins with what is in `from`: an array takes the place of one that has become too small. */
export function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
