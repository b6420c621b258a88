import { Link, List } from "./list.ts";

/** A region that nobody uses now and that stays registered. */
class IdleRegion {
  readonly id: number;
  readonly address: number;
  readonly length: number;
  readonly link: Link<IdleRegion> = new Link<IdleRegion>(this);

  constructor(id: number, address: number, length: number) {
    this.id = id;
    this.address = address;
    this.length = length;
  }
}

/**
 * Regions that stay registered after use, for the next message from or into the same buffer (omx_large.c:288-302):
 * contiguous ones only, found by address when they are long enough. Whoever runs out of region ids evicts the one that
 * was not used for longest. It is unsafe where a program gives memory back; here none does.
 */
export class RegistrationCache {
  readonly #byAddress = new Map<number, IdleRegion>();
  /** The oldest first. */
  readonly #idle = new List<IdleRegion>();
  hits = 0;
  evictions = 0;

  get size(): number {
    return this.#idle.size;
  }

  /** Takes a region that covers [address, address + length); its id, or -1. */
  take(address: number, length: number): number {
    const region = this.#byAddress.get(address);
    if (region === undefined || region.length < length) return -1;
    this.hits++;
    this.#drop(region);
    return region.id;
  }

  /** Keeps a region. Of two from one address the longer stays: the id of the other, which has to go, or -1. */
  keep(id: number, address: number, length: number): number {
    const other = this.#byAddress.get(address);
    if (other !== undefined && other.length >= length) return id;
    if (other !== undefined) this.#drop(other);
    const region = new IdleRegion(id, address, length);
    this.#byAddress.set(address, region);
    this.#idle.append(region.link);
    return other === undefined ? -1 : other.id;
  }

  /** Gives up the region that was idle for longest: its id, or -1 when there is none. */
  evict(): number {
    const oldest = this.#idle.first;
    if (oldest === null) return -1;
    this.evictions++;
    this.#drop(oldest.of);
    return oldest.of.id;
  }

  #drop(region: IdleRegion): void {
    this.#byAddress.delete(region.address);
    this.#idle.remove(region.link);
  }
}
