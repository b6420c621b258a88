import { PAGE_SIZE } from "../../base/units.ts";
import type { Processor } from "../../hw/processor.ts";
import { QueueMemory } from "../../mx/driver/event_queues.ts";
import type { MxLimits } from "../../mx/limits.ts";
import type { Domain } from "../../xen/domain.ts";
import { GrantedSegment, type PagePool } from "./grants.ts";
import { GREFS_PER_PAGE } from "./layout.ts";

/** Slots of each queue: more than 512 pages would not fit in one list page of references (README.xen:11). */
const ENTRIES = 256;

/** Pages of an endpoint that dom0 is granted and maps: both queues with the lists of their references, and one more. */
export function grantsOfEndpoint({ slotBytes }: MxLimits): number {
  const pages = Math.ceil((slotBytes * ENTRIES) / PAGE_SIZE);
  return 2 * (pages + Math.ceil(pages / GREFS_PER_PAGE)) + 1;
}

/** An endpoint's queues in the guest's memory, and what dom0 is granted of them: not the event queues. */
export class FrontQueues {
  readonly memory: QueueMemory;
  /** The page with the indexes that dom0 advances. */
  readonly page: number;
  send: GrantedSegment | null = null;
  recv: GrantedSegment | null = null;
  readonly endpointRef = new Int32Array(1);
  readonly #domain: Domain;
  readonly #pages: PagePool;
  readonly #slotBytes: number;
  readonly #taken: [address: number, pages: number][] = [];

  constructor(domain: Domain, pages: PagePool, limits: MxLimits, index: number, session: number) {
    this.#domain = domain;
    this.#pages = pages;
    this.#slotBytes = limits.slotBytes * ENTRIES;
    this.memory = new QueueMemory((bytes) => this.#take(Math.ceil(bytes / PAGE_SIZE)), limits, index, session, ENTRIES);
    this.page = this.#take(1);
  }

  /** Grants them to dom0: the reference's order (fe/omx_xenfront_endpoint.c:148-272). False without references. */
  grant(cpu: Processor): boolean {
    const { grantTable } = this.#domain;
    this.send ??= this.#grantQueue(cpu, this.memory.sendQueue.at(0));
    this.recv ??= this.#grantQueue(cpu, this.memory.recvQueue.at(0));
    if (this.send === null || this.recv === null || !grantTable.reserve(cpu, 1, this.endpointRef)) return false;
    this.send.grantSome(cpu, this.send.pages);
    this.recv.grantSome(cpu, this.recv.pages);
    grantTable.grantAccess(cpu, this.endpointRef[0], 0, this.page / PAGE_SIZE, false);
    return true;
  }

  /** Takes back up to `count` pages of the queues; true when nothing is granted any more. Dom0 has unmapped them. */
  revokeSome(cpu: Processor, count: number): boolean {
    const { grantTable } = this.#domain;
    for (const queue of ["recv", "send"] as const) {
      const segment = this[queue];
      if (segment === null) continue;
      segment.revokeSome(cpu, count);
      if (segment.granted > 0) return false;
      this[queue] = null;
      if (queue === "recv") return false;
    }
    if (this.endpointRef[0] > 0) {
      grantTable.endAccess(cpu, this.endpointRef[0]);
      grantTable.release(this.endpointRef, 1);
      this.endpointRef[0] = 0;
    }
    return true;
  }

  /** Gives the memory back to the guest's kernel. */
  free(): void {
    for (const [address, pages] of this.#taken) this.#pages.give(address, pages);
    this.#taken.length = 0;
  }

  #take(pages: number): number {
    const address = this.#pages.takeZeroed(pages);
    this.#taken.push([address, pages]);
    return address;
  }

  #grantQueue(cpu: Processor, address: number): GrantedSegment | null {
    return GrantedSegment.create(cpu, this.#domain, this.#pages, address, this.#slotBytes);
  }
}
