import { PAGE_SIZE } from "../base/units.ts";
import type { Costs } from "./machine_profile.ts";

/*
 * The translation cache (IOTLB) is set-associative, as such caches are: a look-up compares one set and no more.
 *
 *   #keys[set * WAYS + way]   device domain and page of a cached translation, or EMPTY
 *   #used[set * WAYS + way]   value of #clock when it was last used, 0 when empty: the smallest of a set is replaced
 */
const WAYS = 4;
const EMPTY = -1;
/** Pages that an I/O address can name: 48 bits of address. */
const PAGES = 2 ** 36;

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
    this.#starts.push(Math.floor(address / PAGE_SIZE));
    this.#ends.push(Math.ceil((address + bytes) / PAGE_SIZE));
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
  readonly #keys: Float64Array;
  readonly #used: Float64Array;
  #clock = 0;
  #domains = 0;

  /** `entries` is the capacity of the translation cache, a multiple of four. */
  constructor(costs: Pick<Costs, "iommuHit" | "iommuMiss">, entries = IOTLB_ENTRIES) {
    this.entries = entries;
    this.#costs = costs;
    this.#sets = Math.max(1, Math.floor(entries / WAYS));
    this.#keys = new Float64Array(this.#sets * WAYS).fill(EMPTY);
    this.#used = new Float64Array(this.#sets * WAYS);
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
    const first = Math.floor(address / PAGE_SIZE);
    const last = Math.floor((address + Math.max(length, 1) - 1) / PAGE_SIZE);
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
    for (let i = 0; i < this.#keys.length; i++) {
      if (this.#keys[i] === EMPTY || Math.floor(this.#keys[i] / PAGES) !== domain.id) continue;
      this.#keys[i] = EMPTY;
      this.#used[i] = 0;
    }
  }

  #lookUp(domain: IommuDomain, page: number): number {
    const key = domain.id * PAGES + page;
    // Neighbouring pages go to neighbouring sets, and each domain begins at another one.
    const from = ((page + domain.id * 5) % this.#sets) * WAYS;
    let oldest = from;
    for (let i = from; i < from + WAYS; i++) {
      if (this.#keys[i] === key) {
        this.#used[i] = ++this.#clock;
        this.counters.hits++;
        return this.#costs.iommuHit;
      }
      if (this.#used[i] < this.#used[oldest]) oldest = i;
    }
    if (!domain.isMapped(page)) {
      this.counters.faults++;
      return DMA_FAULT;
    }
    this.counters.misses++;
    this.#keys[oldest] = key;
    this.#used[oldest] = ++this.#clock;
    return this.#costs.iommuMiss;
  }
}
