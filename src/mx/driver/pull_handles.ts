import * as wire from "../wire/mod.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import { PullHandle } from "./pull_handle.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { magicEndpoint } = wire;

/** Pull handles of one endpoint (omx_pull.c:269-271). */
const HANDLES = 1024;
const FIRST_GENERATION = 0x23;

/**
 * The pull handles of a driver's endpoints. A slot is used again with another generation, so that late replies miss it.
 * So do those for an endpoint that was closed: the next one of its number goes on with the generations. In Open-MX it
 * begins anew (omx_pull.c:365-428), and a message of one sender is filled with what another one still sends.
 */
export class PullHandles {
  /** Those in use, oldest first. */
  readonly active = new Set<PullHandle>();
  readonly #driver: OmxDriver;
  readonly #free = new Map<DriverEndpoint, PullHandle[]>();
  /** The first generation that no handle has had, by the number of endpoints that were closed. */
  readonly #unused = new Map<number, number>();

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
      handle = new PullHandle(endpoint.pulls.length, this.#unused.get(endpoint.index) ?? FIRST_GENERATION);
      endpoint.pulls.push(null);
    }
    endpoint.pulls[handle.slot] = handle;
    this.active.add(handle);
    return handle;
  }

  release(handle: PullHandle): void {
    handle.endpoint.pulls[handle.slot] = null;
    handle.region.pulls--;
    handle.generation++;
    this.active.delete(handle);
    this.#free.get(handle.endpoint)?.push(handle);
  }

  endpointClosed(endpoint: DriverEndpoint): void {
    for (const handle of endpoint.pulls) if (handle !== null) this.release(handle);
    const free = this.#free.get(endpoint);
    if (free === undefined) return; // it has pulled nothing
    this.#unused.set(endpoint.index, Math.max(...free.map(({ generation }) => generation)));
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
