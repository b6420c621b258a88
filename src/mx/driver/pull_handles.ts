import * as wire from "../wire/mod.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import { PullHandle } from "./pull_handle.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { magicEndpoint } = wire;

/** Pull handles of one endpoint (omx_pull.c:269-271). */
const HANDLES = 1024;
const FIRST_GENERATION = 0x23;
const GENERATION_MASK = 0x3fffff;

/** The pull handles of a driver's endpoints. A slot is used again with another generation, so that late replies miss it. */
export class PullHandles {
  /** Those in use, oldest first. */
  readonly active = new Set<PullHandle>();
  readonly #driver: OmxDriver;
  readonly #free = new Map<DriverEndpoint, PullHandle[]>();

  constructor(driver: OmxDriver) {
    this.#driver = driver;
  }

  /** A handle of an endpoint, to be filled in; null when all of them are in use. */
  take(endpoint: DriverEndpoint): PullHandle | null {
    let free = this.#free.get(endpoint);
    if (free === undefined) {
      free = [];
      this.#free.set(endpoint, free);
    }
    let handle = free.length > 0 ? free.shift()! : null;
    if (handle === null) {
      if (endpoint.pulls.length === HANDLES) return null;
      handle = new PullHandle(endpoint.pulls.length, FIRST_GENERATION);
      endpoint.pulls.push(null);
    }
    endpoint.pulls[handle.slot] = handle;
    this.active.add(handle);
    return handle;
  }

  release(handle: PullHandle): void {
    handle.endpoint.pulls[handle.slot] = null;
    handle.generation = (handle.generation + 1) & GENERATION_MASK;
    this.active.delete(handle);
    this.#free.get(handle.endpoint)?.push(handle);
  }

  endpointClosed(endpoint: DriverEndpoint): void {
    for (const handle of endpoint.pulls) if (handle !== null) this.release(handle);
    this.#free.delete(endpoint);
  }

  /** The handle that a reply or NACK names; null is counted as bad magic (`counter`) or bad handle (the next one). */
  find(magic: number, id: number, counter: number): PullHandle | null {
    const { counters, endpoints } = this.#driver;
    const endpoint = endpoints[magicEndpoint(magic)];
    if (endpoint === null || endpoint === undefined) {
      counters[counter]++;
      return null;
    }
    const handle = endpoint.pulls[id >>> 22];
    if (handle !== null && handle !== undefined && (handle.id | 0) === (id | 0)) return handle; // as words
    counters[counter + 1]++;
    return null;
  }
}
