import { assert } from "../base/assert.ts";
import { PAGE_SIZE, pageOf } from "../base/units.ts";
import type { Costs } from "./machine_profile.ts";

/*
 * The translation cache (IOTLB) is set-associative, as such caches are: a look-up compares one set and no more.
 *
 *   #tags[set * WAYS + way]    domain * PAGES + page of a cached translation, or EMPTY; of each set the one used last
 *                              comes first: the last is replaced, and the empty ones are last
 */
const WAY_BITS = 2;
const WAYS = 1 << WAY_BITS;
const EMPTY = -1;
/** Pages that an I/O address can name: 43 bits of address, and a page number is a word. */
const PAGES = 2 ** 31;

/** Entries of the translation cache: what measurements find on server parts (Neugebauer, SIGCOMM 2018: 64). */
const IOTLB_ENTRIES = 64;

/** Answer of a translation that the page table refuses. */
export const DMA_FAULT = -1;

/** What an IOMMU has done since it was made. */
export interface IommuCounters {
  hits: number;
  misses: number;
  /** DMA to a page that is not mapped: blocked. */
  faults: number;
}

/**
 * What the devices of one guest may reach: an I/O page table. I/O addresses of guest pages are machine addresses;
 * driver buffers may have addresses of their own. The hypervisor writes it, the IOMMU reads it.
 */
export class IommuDomain {
  readonly id: number;
  // In the translation cache, of its page 0: tag and set.
  readonly firstTag: number;
  readonly firstSet: number;
  readonly #iommu: Iommu;
  readonly #owns: (page: number) => boolean;
  // Mapped ranges besides what the guest owns: half-open, in pages, by where they begin.
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  // The one that was found last.
  #start = 0;
  #end = 0;

  /** `owns` says which pages are the guest's: the hypervisor keeps all of them mapped while a device is attached. */
  constructor(iommu: Iommu, id: number, owns: (page: number) => boolean) {
    this.#iommu = iommu;
    this.id = id;
    this.firstTag = id * PAGES;
    this.firstSet = id * 5; // each domain begins at another one
    this.#owns = owns;
  }

  /** Maps the pages that [address, address + bytes) touches. */
  map(address: number, bytes: number): void {
    const end = Math.ceil((address + bytes) / PAGE_SIZE);
    assert(end < PAGES, "iommu: I/O addresses have 43 bits");
    const start = Math.floor(address / PAGE_SIZE);
    let at = 0;
    while (at < this.#starts.length && this.#starts[at] <= start) at++;
    this.#starts.splice(at, 0, start);
    this.#ends.splice(at, 0, end);
  }

  /** Takes back what {@link map} mapped at `address`; what is cached of this domain goes too. */
  unmap(address: number): void {
    const at = this.#starts.indexOf(Math.floor(address / PAGE_SIZE));
    if (at < 0) return;
    this.#starts.splice(at, 1);
    this.#ends.splice(at, 1);
    this.#start = this.#end = 0;
    this.#iommu.invalidate(this);
  }

  /** Walks the page table. Set-up maps three or four ranges, so this is short. */
  isMapped(page: number): boolean {
    return (page >= this.#start && page < this.#end) || this.#find(page) || this.#owns(page);
  }

  #find(page: number): boolean {
    const starts = this.#starts;
    for (let i = 0; i < starts.length && page >= starts[i]; i++) {
      if (page >= this.#ends[i]) continue;
      this.#start = starts[i];
      this.#end = this.#ends[i];
      return true;
    }
    return false;
  }
}

/** The IOMMU of a host: translates every DMA of devices that belong to guests, page by page. */
export class Iommu {
  readonly counters: IommuCounters = { hits: 0, misses: 0, faults: 0 };
  readonly #costs: Pick<Costs, "iommuHit" | "iommuMiss">;
  readonly #sets: number;
  readonly #tags: Float64Array;
  #domains = 0;

  /** `entries` is the capacity of the translation cache, a multiple of four. */
  constructor(costs: Pick<Costs, "iommuHit" | "iommuMiss">, entries = IOTLB_ENTRIES) {
    this.#costs = costs;
    this.#sets = Math.max(1, Math.floor(entries / WAYS));
    this.#tags = new Float64Array(this.#sets * WAYS).fill(EMPTY);
  }

  /** A domain for the devices of a guest. */
  domain(owns: (page: number) => boolean = () => false): IommuDomain {
    return new IommuDomain(this, this.#domains++, owns);
  }

  /**
   * Translates a DMA of `length` bytes at an I/O address, one page after another; returns what that adds to the DMA's
   * latency in picoseconds, or {@link DMA_FAULT} when one of the pages is not mapped.
   */
  translate(domain: IommuDomain, address: number, length: number): number {
    const first = pageOf(address);
    const last = length > 1 ? pageOf(address + length - 1) : first;
    let set = (domain.firstSet + first) % this.#sets; // neighbouring pages go to neighbouring sets
    let latency = 0;
    for (let page = first; page <= last; page++) {
      const spent = this.#lookUp(domain, page, set << WAY_BITS);
      if (spent === DMA_FAULT) return DMA_FAULT;
      latency += spent;
      if (++set === this.#sets) set = 0;
    }
    return latency;
  }

  /** Forgets what is cached of a domain: its page table has lost pages. */
  invalidate(domain: IommuDomain): void {
    const tags = this.#tags;
    for (let from = 0; from < tags.length; from += WAYS) {
      let kept = from;
      for (let i = from; i < from + WAYS; i++) {
        if (tags[i] === EMPTY || Math.floor(tags[i] / PAGES) === domain.id) continue;
        tags[kept++] = tags[i];
      }
      tags.fill(EMPTY, kept, from + WAYS);
    }
  }

  /** Looks for a page in the set whose first way is `way`; it becomes that one, and those before it move on by one. */
  #lookUp(domain: IommuDomain, page: number, way: number): number {
    const tags = this.#tags;
    const tag = domain.firstTag + page;
    const newest = tags[way];
    if (newest !== tag) {
      const second = tags[way | 1];
      if (second !== tag) {
        const third = tags[way | 2];
        if (third !== tag) {
          if (tags[way | 3] !== tag) return this.#miss(domain, page, way);
          tags[way | 3] = third;
        }
        tags[way | 2] = second;
      }
      tags[way | 1] = newest;
      tags[way] = tag;
    }
    this.counters.hits++;
    return this.#costs.iommuHit;
  }

  #miss(domain: IommuDomain, page: number, way: number): number {
    if (!domain.isMapped(page)) {
      this.counters.faults++;
      return DMA_FAULT;
    }
    const tags = this.#tags;
    tags[way | 3] = tags[way | 2];
    tags[way | 2] = tags[way | 1];
    tags[way | 1] = tags[way];
    tags[way] = domain.firstTag + page;
    this.counters.misses++;
    return this.#costs.iommuMiss;
  }
}
