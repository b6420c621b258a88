import { PAGE_SIZE } from "../../base/units.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Domain } from "../../xen/domain.ts";
import { GNTMAP_host_map } from "../../xen/grant_mapping.ts";
import { MappedSegment } from "./mappings.ts";

/** What an open message says of an endpoint's memory: pages of its queues, and the references of their lists. */
export interface QueueGrants {
  sendPages: number;
  recvPages: number;
  sendList: number;
  recvList: number;
  endpoint: number;
}

/** The queues and the endpoint page of a guest's endpoint: mapped at open, unmapped at close. */
export class MappedQueues {
  readonly sendQueue: number;
  readonly recvQueue: number;
  /** Bytes of the send queue. */
  readonly sendBytes: number;
  /** Address of the endpoint page. */
  readonly page: number;
  readonly #dom0: Domain;
  readonly #queues: readonly MappedSegment[];
  readonly #pageHandle: Int32Array;

  /** Null when something cannot be mapped; nothing is then. */
  static map(cpu: Processor, dom0: Domain, guest: number, grants: QueueGrants): MappedQueues | null {
    const handle = new Int32Array(1);
    const address = new Float64Array(1);
    const { mappings } = dom0;
    const list = Int32Array.of(grants.endpoint);
    if (mappings.map(cpu, guest, list, 1, GNTMAP_host_map, handle, address, false) > 0) return null;
    const queues: MappedSegment[] = [];
    for (const [ref, pages] of [[grants.sendList, grants.sendPages], [grants.recvList, grants.recvPages]]) {
      const queue = pages === 0 ? null : MappedSegment.beginQueue(cpu, dom0, guest, ref, pages);
      if (queue !== null) queues.push(queue);
      queue?.mapSome(cpu, pages, true);
      if (queue !== null && !queue.failed) continue;
      for (const mapped of queues) mapped.abandon(cpu);
      mappings.unmap(cpu, handle, 1, false);
      return null;
    }
    return new MappedQueues(dom0, queues, handle, address[0]);
  }

  private constructor(dom0: Domain, queues: readonly MappedSegment[], pageHandle: Int32Array, page: number) {
    this.#dom0 = dom0;
    this.#queues = queues;
    this.#pageHandle = pageHandle;
    this.page = page;
    this.sendBytes = queues[0].pages * PAGE_SIZE;
    this.sendQueue = queues[0].address;
    this.recvQueue = queues[1].address;
  }

  /** Whether each queue is `bytes` long, in one stretch, as those who read and write in it take for granted. */
  holds(bytes: number): boolean {
    return this.#queues.every((queue) => queue.isOneStretch(bytes));
  }

  unmap(cpu: Processor): void {
    for (const queue of this.#queues) queue.unmapSome(cpu, queue.pages, true);
    this.#dom0.mappings.unmap(cpu, this.#pageHandle, 1, false);
  }
}
