import { assert } from "../base/assert.ts";
import { PAGE_SIZE } from "../base/units.ts";
import type { Costs } from "./machine_profile.ts";

/*
 * The translation cache (IOTLB) is set-associative, as such caches are: a look-up compares one set and no more.
 *
 *   #pages[set * WAYS + way]     page of a cached translation, or EMPTY } of each set the one used last comes first: the
 *   #owners[set * WAYS + way]    number of its device domain            } last is replaced, and the empty ones are last
 */
const WAYS = 4;
const EMPTY = -1;
/** Pages that an I/O address can name: 43 bits of address, and a page number is a word. */
const PAGES = 2 ** 31;

/** Entries of the translation cache: what measurements find on server parts (Neugebauer, SIGCOMM 2018: 64). */
export const IOTLB_ENTRIES = 64;

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
  readonly #iommu: Iommu;
  readonly #owns: (page: number) => boolean;
  // Mapped ranges besides what the guest owns: half-open, in pages.
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** `owns` says which pages are the guest's: the hypervisor keeps all of them mapped while a device is attached. */
  constructor(iommu: Iommu, id: number, owns: (page: number) => boolean) {
    this.#iommu = iommu;
    this.id = id;
    this.#owns = owns;
  }

  /** Maps the pages that [address, address + bytes) touches. */
  map(address: number, bytes: number): void {
    const end = Math.ceil((address + bytes) / PAGE_SIZE);
    assert(end < PAGES, "iommu: I/O addresses have 43 bits");
    this.#starts.push(Math.floor(address / PAGE_SIZE));
    this.#ends.push(end);
  }

  /** Takes back what {@link map} mapped at `address`; what is cached of this domain goes too. */
  unmap(address: number): void {
    const at = this.#starts.indexOf(Math.floor(address / PAGE_SIZE));
    if (at < 0) return;
    this.#starts.splice(at, 1);
    this.#ends.splice(at, 1);
    this.#iommu.invalidate(this);
  }

  /** Walks the page table. Set-up maps two or three ranges, so this is short. */
  isMapped(page: number): boolean {
    for (let i = 0; i < this.#starts.length; i++) {
      if (page >= this.#starts[i] && page < this.#ends[i]) return true;
    }
    return this.#owns(page);
  }
}

/** The IOMMU of a host: translates every DMA of devices that belong to guests, page by page. */
export class Iommu {
  readonly counters: IommuCounters = { hits: 0, misses: 0, faults: 0 };
  readonly entries: number;
  readonly #costs: Pick<Costs, "iommuHit" | "iommuMiss">;
  readonly #sets: number;
  readonly #pages: Int32Array;
  readonly #owners: Int32Array;
  #domains = 0;

  /** `entries` is the capacity of the translation cache, a multiple of four. */
  constructor(costs: Pick<Costs, "iommuHit" | "iommuMiss">, entries = IOTLB_ENTRIES) {
    this.entries = entries;
    this.#costs = costs;
    this.#sets = Math.max(1, Math.floor(entries / WAYS));
    this.#pages = new Int32Array(this.#sets * WAYS).fill(EMPTY);
    this.#owners = new Int32Array(this.#sets * WAYS);
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
    const first = (address / PAGE_SIZE) | 0;
    const last = length > 1 ? ((address + length - 1) / PAGE_SIZE) | 0 : first;
    let latency = 0;
    for (let page = first; page <= last; page++) {
      const spent = this.#lookUp(domain, page);
      if (spent === DMA_FAULT) return DMA_FAULT;
      latency += spent;
    }
    return latency;
  }

  /** Forgets what is cached of a domain: its page table has lost pages. */
  invalidate(domain: IommuDomain): void {
    for (let from = 0; from < this.#pages.length; from += WAYS) {
      let kept = from;
      for (let i = from; i < from + WAYS; i++) {
        if (this.#pages[i] === EMPTY || this.#owners[i] === domain.id) continue;
        this.#pages[kept] = this.#pages[i];
        this.#owners[kept++] = this.#owners[i];
      }
      this.#pages.fill(EMPTY, kept, from + WAYS);
    }
  }

  #lookUp(domain: IommuDomain, page: number): number {
    const pages = this.#pages;
    const owners = this.#owners;
    const { id } = domain;
    // Neighbouring pages go to neighbouring sets, and each domain begins at another one.
    const from = ((page + id * 5) % this.#sets) * WAYS;
    for (let i = from; i < from + WAYS; i++) {
      if (pages[i] !== page || owners[i] !== id) continue;
      this.#toFront(from, i, page, id);
      this.counters.hits++;
      return this.#costs.iommuHit;
    }
    if (!domain.isMapped(page)) {
      this.counters.faults++;
      return DMA_FAULT;
    }
    this.counters.misses++;
    this.#toFront(from, from + WAYS - 1, page, id);
    return this.#costs.iommuMiss;
  }

  /** A translation becomes the first of the set that begins at `from`; those before place `i` move on by one. */
  #toFront(from: number, i: number, page: number, id: number): void {
    const pages = this.#pages;
    const owners = this.#owners;
    for (; i > from; i--) {
      pages[i] = pages[i - 1];
      owners[i] = owners[i - 1];
    }
    pages[from] = page;
    owners[from] = id;
  }
}
