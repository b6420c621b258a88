/** Bytes of one stretch, from `from` up to `to`. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * Which stretches of memory have been compared and found the same, of bytes that stay as they are on both sides: to
 * compare them again is to read them again, and nothing else can come of it. A stretch is known by where it lies and how
 * far on the other lies.
 */
export class KnownEqual {
  /** By distance: in ascending order, none touching the next. */
  readonly #stretches = new Map<number, Stretch[]>();

  /** Whether the `length` bytes at `a` and those at `b` have been found the same. */
  has(a: number, b: number, length: number): boolean {
    const stretches = this.#stretches.get(b - a);
    if (stretches === undefined) return false;
    for (const { from, to } of stretches) if (from <= a && a + length <= to) return true;
    return false;
  }

  /** They have been found the same. */
  add(a: number, b: number, length: number): void {
    const stretches = this.#stretches.get(b - a) ?? [];
    this.#stretches.set(b - a, stretches);
    let from = a;
    let to = a + length;
    const begin = stretches.filter((stretch) => stretch.to < from).length;
    let end = begin;
    while (end < stretches.length && stretches[end].from <= to) {
      from = Math.min(from, stretches[end].from);
      to = Math.max(to, stretches[end].to);
      end++;
    }
    stretches.splice(begin, end - begin, { from, to });
  }

  /** The bytes [address, address + length) may change from now on: what they were compared with is not known any more. */
  forget(address: number, length: number): void {
    const meets = (from: number, to: number) => from < address + length && address < to;
    for (const [distance, stretches] of this.#stretches) {
      const left = stretches.filter(({ from, to }) => !meets(from, to) && !meets(from + distance, to + distance));
      if (left.length > 0) this.#stretches.set(distance, left);
      else this.#stretches.delete(distance);
    }
  }

  /** Whether all that is known still holds, as `same` finds it when it reads all of it again. */
  holds(same: (a: number, b: number, length: number) => boolean): boolean {
    for (const [distance, stretches] of this.#stretches) {
      for (const { from, to } of stretches) if (!same(from, from + distance, to - from)) return false;
    }
    return true;
  }
}
