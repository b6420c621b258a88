import { assert } from "../base/assert.ts";
import * as units from "../base/units.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import { EventChannels } from "./event_channel.ts";
import { GrantMappings } from "./grant_mapping.ts";
import { GrantTable } from "./grant_table.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { SharedInfo } from "./shared_info.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { PAGE_SIZE } = units;

/**
 * A paravirtual domain. Its pseudo-physical addresses are machine addresses (an identity P2M), so a frame number means
 * the same everywhere; what it owns is what {@link allocPages} gave it.
 */
export class Domain {
  readonly hypervisor: Hypervisor;
  readonly id: number;
  readonly name: string;
  readonly processors: readonly Processor[];
  readonly memory: Memory;
  readonly sharedInfo: SharedInfo;
  readonly eventChannels: EventChannels;
  /** What this domain grants to others. */
  readonly grantTable: GrantTable;
  /** What this domain has mapped or copies of others' grants. */
  readonly mappings: GrantMappings;

  // Owned frames as half-open ranges in ascending order; memory grows upwards and never comes back.
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** The range that was hit last, and the other one that was before it: headers lie in one, payload in another. */
  #hitStart = 0;
  #hitEnd = 0;
  #otherStart = 0;
  #otherEnd = 0;
  #pages = 0;

  /** Use `Hypervisor.createDomain`. */
  constructor(hypervisor: Hypervisor, id: number, name: string, processors: readonly Processor[]) {
    this.hypervisor = hypervisor;
    this.id = id;
    this.name = name;
    this.processors = processors;
    this.memory = hypervisor.memory;
    this.sharedInfo = new SharedInfo(this.memory, processors.length, (count) => this.allocPages(count));
    this.eventChannels = new EventChannels(this, this.sharedInfo);
    this.grantTable = new GrantTable(this, hypervisor.limits.grantFrames);
    this.mappings = new GrantMappings(this, hypervisor.limits.maptrackEntries);
  }

  /** Hypercalls so far by which it has used grants, sent and unmasked events; halting is the scheduler's to count. */
  get hypercalls(): number {
    const { sent, unmaskCalls } = this.eventChannels.counters;
    return this.mappings.counters.hypercalls + this.grantTable.counters.grown + sent + unmaskCalls;
  }

  /** Pages that this domain owns. */
  get pages(): number {
    return this.#pages;
  }

  /** Gives this domain `count` zeroed pages that follow one another; returns the first one's machine address. */
  allocPages(count: number): number {
    assert(count > 0, "domain: at least one page must be asked for");
    const address = this.memory.alloc(count * PAGE_SIZE);
    const start = address / PAGE_SIZE;
    const last = this.#ends.length - 1;
    if (last >= 0 && this.#ends[last] === start) {
      this.#ends[last] = start + count;
    } else {
      this.#starts.push(start);
      this.#ends.push(start + count);
    }
    this.#pages += count;
    return address;
  }

  /** The same for packets, which are copied there and on: copies to these pages may be deferred ({@link Memory.defer}). */
  allocPacketPages(count: number): number {
    const address = this.allocPages(count);
    this.memory.defer(address, count * PAGE_SIZE);
    return address;
  }

  /** The same for a ring of buffers, whose headers are to touch no pages ({@link Memory.deferPackets}). */
  allocRingPages(count: number): number {
    const address = this.allocPages(count);
    this.memory.deferPackets(address, count * PAGE_SIZE);
    return address;
  }

  /** Whether all of `count` machine frames from `frame` on are this domain's. */
  owns(frame: number, count = 1): boolean {
    // Runs of checks stay in one range; another one is found by halving.
    if (frame >= this.#hitStart && frame + count <= this.#hitEnd) return true;
    return frame >= this.#otherStart && frame + count <= this.#otherEnd || this.#ownsInAnother(frame, count);
  }

  #ownsInAnother(frame: number, count: number): boolean {
    const at = this.#rangeOf(frame);
    if (at < 0) return false;
    this.#otherStart = this.#hitStart;
    this.#otherEnd = this.#hitEnd;
    this.#hitStart = this.#starts[at];
    this.#hitEnd = this.#ends[at];
    return frame + count <= this.#hitEnd;
  }

  /** The range that holds a frame, -1 when none does. */
  #rangeOf(frame: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (frame < this.#starts[middle]) high = middle - 1;
      else if (frame >= this.#ends[middle]) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}
