import * as faults from "../../base/assert.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const assert: typeof faults.assert = faults.assert;

/** A place on one {@link List} at a time, owned by the thing that is listed: nothing is allocated per insertion. */
export class Link<T> {
  readonly of: T;
  next: Link<T> | null = null;
  prev: Link<T> | null = null;
  list: List<T> | null = null;

  constructor(of: T) {
    this.of = of;
  }

  /** Leaves the list it is on, if any. */
  unlink(): void {
    const { list, next, prev } = this;
    if (list === null) return;
    if (prev === null) list.first = next;
    else prev.next = next;
    if (next === null) list.last = prev;
    else next.prev = prev;
    this.prev = null;
    this.next = null;
    this.list = null;
    list.size--;
  }
}

/** A doubly linked queue of {@link Link}s. */
export class List<T> {
  first: Link<T> | null = null;
  last: Link<T> | null = null;
  size = 0;

  /** Spelled out, as it is what nearly all are put on a list by. */
  append(link: Link<T>): void {
    assert(link.list === null, "list: it is on a list already");
    const { last } = this;
    link.prev = last;
    link.list = this;
    if (last === null) this.first = link;
    else last.next = link;
    this.last = link;
    this.size++;
  }

  prepend(link: Link<T>): void {
    this.insertAfter(link, null);
  }

  /** Inserts behind `place`; at the head when it is null. */
  insertAfter(link: Link<T>, place: Link<T> | null): void {
    assert(link.list === null, "list: it is on a list already");
    const next = place === null ? this.first : place.next;
    link.prev = place;
    link.next = next;
    link.list = this;
    if (place === null) this.first = link;
    else place.next = link;
    if (next === null) this.last = link;
    else next.prev = link;
    this.size++;
  }

  remove(link: Link<T>): void {
    assert(link.list === this, "list: it is on another list");
    link.unlink();
  }

  /** Takes the head; null when empty. */
  shift(): T | null {
    const link = this.first;
    if (link === null) return null;
    link.unlink();
    return link.of;
  }
}
