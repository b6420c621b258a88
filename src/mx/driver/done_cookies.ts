import type { DriverEndpoint } from "./endpoint.ts";

/** Frames of one message whose sender is told once, when the last of them has left. */
export interface SendGroup {
  /** Frames that have not left. */
  left: number;
  /** Pages of the program that stay pinned until then. */
  readonly pages: number;
}

/** Whose frame it was, and what to say of it. */
export interface DoneRecord {
  endpoint: DriverEndpoint;
  value: number;
  group: SendGroup | null;
}

/** Cookies for frames whose end somebody waits for. Records are kept for reuse. */
export class DoneCookies {
  readonly #records: DoneRecord[] = [];
  readonly #free: number[] = [];

  put(endpoint: DriverEndpoint, value: number, group: SendGroup | null): number {
    if (this.#free.length === 0) return this.#records.push({ endpoint, value, group }) - 1;
    const cookie = this.#free.pop()!;
    const record = this.#records[cookie];
    record.endpoint = endpoint;
    record.value = value;
    record.group = group;
    return cookie;
  }

  /** The record of a cookie, which is free again: read it before the next {@link put}. */
  take(cookie: number): DoneRecord {
    this.#free.push(cookie);
    return this.#records[cookie];
  }
}
