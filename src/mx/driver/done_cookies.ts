import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as contract from "./contract.ts";
import { EXP_QUEUE_FULL } from "./counters.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import * as events from "./events.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { IRQ, PIN } = stages;
const { EVENT_MEDIUM_DONE } = contract;
const { EV_COOKIE } = events;

/** Frames of one message whose sender is told once, when the last of them has left. */
export interface SendGroup {
  /** Frames that have not left. */
  left: number;
  /** Pages of the program that stay pinned until then. */
  readonly pages: number;
}

/** Whose frame it was, and what to say of it. */
interface DoneRecord {
  endpoint: DriverEndpoint;
  value: number;
  group: SendGroup | null;
}

/**
 * Cookies for frames that refer to memory of an endpoint, and what follows when they have left the NIC: the library is
 * told, and the memory of an endpoint that has been closed meanwhile is free. Records are kept for reuse.
 */
export class DoneCookies {
  readonly #driver: OmxDriver;
  readonly #records: DoneRecord[] = [];
  readonly #free: number[] = [];

  constructor(driver: OmxDriver) {
    this.#driver = driver;
  }

  /**
   * A frame cookie that stands for (endpoint, library cookie) until the frame has left. Of the frames of a group only
   * the last one is told.
   */
  put(endpoint: DriverEndpoint, value: number, group: SendGroup | null = null): number {
    if (group !== null) group.left++;
    endpoint.framesOut++;
    if (this.#free.length === 0) return this.#records.push({ endpoint, value, group }) - 1;
    const cookie = this.#free.pop()!;
    const record = this.#records[cookie];
    record.endpoint = endpoint;
    record.value = value;
    record.group = group;
    return cookie;
  }

  /** A frame with this cookie has left, or has been given up. */
  sent(cpu: Processor, cookie: number): void {
    this.#free.push(cookie);
    const { endpoint, value, group } = this.#records[cookie];
    if (group !== null) this.groupSent(cpu, endpoint, value, group);
    else this.#mediumDone(cpu, endpoint, value);
    endpoint.frameLeft(cpu);
  }

  /** One frame less of a group is on its way; after the last one the pages are released and the sender is told. */
  groupSent(cpu: Processor, endpoint: DriverEndpoint, value: number, group: SendGroup): void {
    if (--group.left > 0) return;
    cpu.charge(PIN, IRQ, group.pages * this.#driver.costs.unpinPage);
    this.#mediumDone(cpu, endpoint, value);
  }

  #mediumDone(cpu: Processor, endpoint: DriverEndpoint, value: number): void {
    if (!endpoint.isOpen) return;
    const { sink } = endpoint;
    const at = sink.reserve(cpu, true, false);
    if (at < 0) {
      this.#driver.counters[EXP_QUEUE_FULL]++;
      return;
    }
    this.#driver.memory.view.setUint32(at + EV_COOKIE, value, true);
    sink.commit(cpu, EVENT_MEDIUM_DONE, -1);
  }
}
