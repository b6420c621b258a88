import { assert } from "../../base/assert.ts";

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
    if (this.list !== null) this.list.remove(this);
  }
}

/** A doubly linked queue of {@link Link}s. */
export class List<T> {
  first: Link<T> | null = null;
  last: Link<T> | null = null;
  size = 0;

  append(link: Link<T>): void {
    this.insertAfter(link, this.last);
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
    if (link.prev === null) this.first = link.next;
    else link.prev.next = link.next;
    if (link.next === null) this.last = link.prev;
    else link.next.prev = link.prev;
    link.prev = null;
    link.next = null;
    link.list = null;
    this.size--;
  }

  /** Takes the head; null when empty. */
  shift(): T | null {
    const link = this.first;
    if (link === null) return null;
    this.remove(link);
    return link.of;
  }
}
