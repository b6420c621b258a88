/**
 * What one end of a ring has published, and how often the other end wanted to be told: `notified` + `suppressed` =
 * `published`, always. Only increments; nothing emulated reads it.
 */
export class RingCounts {
  /** Times that the index was moved, and entries that became visible by it. */
  published = 0;
  entries = 0;
  /** The other end had asked for a notification. */
  notified = 0;
  /** It had not: it is at work, or polls. */
  suppressed = 0;
  /** Entries in use right after each publishing, summed up: over `published`, the mean that a publisher meets. */
  usedSum = 0;
  /** Most entries in use right after a publishing, since the last {@link takeHighest}. */
  highest = 0;

  note(entries: number, used: number, notifies: boolean): void {
    this.published++;
    this.entries += entries;
    this.usedSum += used;
    if (used > this.highest) this.highest = used;
    if (notifies) this.notified++;
    else this.suppressed++;
  }

  /** The high-water mark so far; the next one begins from nothing. */
  takeHighest(): number {
    const { highest } = this;
    this.highest = 0;
    return highest;
  }
}
