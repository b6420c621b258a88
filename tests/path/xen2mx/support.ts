import assert from "node:assert/strict";
import { SECOND } from "../../../src/base/units.ts";
import { Cluster, type Guest } from "../../../src/cluster/cluster.ts";
import type { Process } from "../../../src/hw/thread.ts";
import { Mx, type MxEndpoint } from "../../../src/mx/api.ts";
import type { MxAddress, MxRequest } from "../../../src/mx/lib/types.ts";
import type { Wait } from "../../../src/hw/thread.ts";
import type { Frontend } from "../../../src/path/xen2mx/frontend.ts";
import type { FrontEndpoint } from "../../../src/path/xen2mx/front_endpoint.ts";
import { WORKLOADS } from "../../../src/workload/registry.ts";
import { scenario, type ScenarioOptions } from "../../support/scenario.ts";

export const KEY = 7;
export const ALL = 0xffffffff;

/** A guest that runs a test's script. */
export class Actor {
  readonly mx: Mx;
  readonly guest: Guest;
  finished = false;
  readonly #world: Cluster["world"];
  #drivers: FrontEndpoint[] = [];

  constructor(cluster: Cluster, guest: Guest) {
    this.guest = guest;
    this.#world = cluster.world;
    const { engine, memory, costs } = cluster.world;
    this.mx = new Mx({
      engine,
      memory,
      costs,
      name: guest.spec.name,
      boards: 1,
      attach: () => {
        const driver = guest.port.attach();
        this.#drivers.push(driver as FrontEndpoint);
        return driver;
      },
    });
  }

  get hostname(): string {
    return this.guest.port.hostname;
  }

  /** The guest's device; after its first open. */
  get device(): Frontend {
    return this.#drivers[0].device;
  }

  alloc(bytes: number): number {
    const pages = Math.ceil(bytes / 4096);
    return this.guest.site.domain?.allocPages(pages) ?? this.#world.memory.alloc(pages * 4096);
  }

  /** Memory whose bytes tell where they are. */
  filled(bytes: number, salt = 0): number {
    const address = this.alloc(bytes);
    const { u8 } = this.#world.memory;
    for (let i = 0; i < bytes; i++) u8[address + i] = patternAt(i, salt);
    return address;
  }

  play(script: (mx: Mx) => Process): void {
    this.mx.start(this.guest.site.processor, script, () => this.finished = true);
  }
}

export function patternAt(i: number, salt: number): number {
  return (i * 7 + (i >> 8) * 13 + salt * 31 + 1) & 0xff;
}

/** Guests with scripts instead of a workload. Path `xen2mx` unless said otherwise. */
export class Stage {
  readonly cluster: Cluster;
  readonly actors: readonly Actor[];

  constructor(options: Partial<ScenarioOptions> = {}) {
    const workload = WORKLOADS.find(({ kind }) => kind === "pingpong")!;
    const full = scenario({ path: "xen2mx", workload: { kind: "pingpong" }, ...options });
    this.cluster = new Cluster(full, workload);
    this.actors = this.cluster.guests.map((guest) => new Actor(this.cluster, guest));
  }

  get memory() {
    return this.cluster.world.memory;
  }

  /** Runs until every script has ended, within `seconds`. */
  run(seconds = 5): void {
    const { engine } = this.cluster.world;
    engine.run(engine.now + seconds * SECOND);
    for (const { finished, guest, mx } of this.actors) {
      assert.ok(finished || mx.endpoints.length === 0, `${guest.spec.name} has ended`);
    }
  }

  /** Every byte that a script gave out has been taken back. */
  nothingLeft(): void {
    assert.deepEqual(this.cluster.leaks(), []);
  }

  holds(address: number, bytes: number, salt: number, from = 0): boolean {
    const { u8 } = this.memory;
    for (let i = 0; i < bytes; i++) if (u8[address + i] !== patternAt(from + i, salt)) return false;
    return true;
  }
}

/** Opens, and must succeed. */
export function* open(mx: Mx, index: number): Generator<Wait, MxEndpoint> {
  const endpoint = yield* mx.openEndpoint(index, KEY);
  assert.ok(endpoint !== null, `endpoint ${index}: code ${mx.code}`);
  return endpoint;
}

/** Connects until the other side has opened. */
export function* reach(endpoint: MxEndpoint, host: string, index: number): Generator<Wait, MxAddress> {
  for (;;) {
    const { address } = yield* endpoint.connect(host, index, KEY);
    if (address !== null) return address;
    yield 10_000_000; // 10 us
  }
}

/** Makes progress in two endpoints until a request of the first is done. Looking takes no time, so it takes some. */
export function* until(endpoint: MxEndpoint, request: MxRequest, other: MxEndpoint): Generator<Wait, void> {
  while (!(yield* endpoint.test(request))) {
    yield* other.progress();
    yield 100_000; // 0.1 us
  }
}

/** Connects two endpoints of one process, whose thread makes progress for both. */
export function* between(from: MxEndpoint, to: MxEndpoint, host: string): Generator<Wait, MxAddress> {
  const request = yield* from.iconnect(host, to.index, KEY);
  yield* until(from, request, to);
  assert.equal(request.code, 0);
  return request.source!;
}

/** Sends and waits until it is done. */
export function* send(ep: MxEndpoint, at: number, bytes: number, to: MxAddress, match = 0): Generator<Wait, number> {
  const request = yield* ep.isend(at, bytes, to, 0, match);
  yield* ep.wait(request);
  const { code } = request;
  ep.release(request);
  return code;
}

/** Receives one message and waits for it. */
export function* receive(ep: MxEndpoint, at: number, bytes: number, match = 0): Generator<Wait, number> {
  const request = yield* ep.irecv(at, bytes, 0, match, ALL, ALL);
  yield* ep.wait(request);
  const { code } = request;
  ep.release(request);
  return code;
}

/** Closes after everything sent has arrived. */
export function* finish(ep: MxEndpoint): Generator<Wait, void> {
  yield* ep.flush();
  yield* ep.close();
}
