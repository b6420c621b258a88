import assert from "node:assert/strict";
import { processThread, type Wait, WAIT_POLL, WAIT_SPIN } from "../../../src/hw/thread.ts";
import {
  CMD_CONNECT_REQUEST,
  CMD_CREATE_REGION,
  CMD_DESTROY_REGION,
  CMD_PULL,
  type EndpointOwner,
  type EndpointQueues,
  MxCommand,
  RESULT_OK,
  type Segment,
} from "../../../src/mx/driver/contract.ts";
import { EV_COOKIE, EV_ID, EV_LENGTH, EV_SMALL_FIELD, EVENT_BYTES, eventId } from "../../../src/mx/driver/events.ts";
import type { FrontEndpoint } from "../../../src/path/xen2mx/front_endpoint.ts";
import type { Actor, Stage } from "./support.ts";

/** A library's place taken by a test: gives commands at cut 1 and reads results and events itself. */
export class Raw implements EndpointOwner {
  readonly driver: FrontEndpoint;
  readonly actor: Actor;
  finished = false;
  opened = RESULT_OK;
  queues: EndpointQueues | null = null;
  readonly #stage: Stage;
  #result = -1;
  #expected = 0;
  #wake = () => {};

  /** `leader` is the one of the same guest whose script makes the calls, if that is another. */
  constructor(stage: Stage, actor: Actor, leader: Raw | null = null) {
    if (leader !== null) this.#wake = () => leader.wake();
    this.#stage = stage;
    this.actor = actor;
    this.driver = actor.guest.port.attach() as FrontEndpoint;
  }

  commandDone(_kind: number, _cookie: number, result: number): void {
    this.#result = result;
  }

  openFailed(result: number): void {
    this.opened = result;
  }

  wake(): void {
    this.#wake();
  }

  /** Runs a script as the guest's thread. */
  play(script: () => Generator<Wait, void>): void {
    const thread = processThread(`${this.actor.guest.spec.name} raw`, this.#cpu, script(), () => this.finished = true);
    this.#wake = () => thread.notify();
    thread.notify();
  }

  get #cpu() {
    return this.actor.guest.site.processor;
  }

  *settle(): Generator<Wait, void> {
    while (!this.driver.advance(this.#cpu)) yield WAIT_SPIN;
  }

  *open(index: number, session: number): Generator<Wait, void> {
    this.queues = this.driver.open(this.#cpu, index, session, this);
    yield* this.settle();
    assert.equal(this.opened, RESULT_OK);
  }

  *close(): Generator<Wait, void> {
    this.driver.close(this.#cpu);
    yield* this.settle();
  }

  /** Result of the last command, -1 while there is none. */
  get result(): number {
    return this.#result;
  }

  /** Gives a command. */
  submit(fields: Partial<MxCommand>): void {
    const command = new MxCommand();
    Object.assign(command, fields);
    this.#result = -1;
    this.driver.submit(this.#cpu, command);
  }

  /** Gives a command and waits for its result. */
  *give(fields: Partial<MxCommand>): Generator<Wait, number> {
    this.submit(fields);
    yield* this.settle();
    return this.#result;
  }

  /** Lets the other host learn by which number this one knows it: from then on it answers frames. */
  *greet(other: Raw): Generator<Wait, void> {
    const peer = this.driver.peerByName(other.actor.hostname);
    const kind = CMD_CONNECT_REQUEST;
    assert.equal(yield* this.give({ kind, peer, endpoint: other.queues?.index ?? 0, ownSession: 1 }), RESULT_OK);
    yield 100_000_000; // 100 us
  }

  create(region: number, segments: readonly Segment[]): Generator<Wait, number> {
    const length = segments.reduce((sum, segment) => sum + segment.length, 0);
    return this.give({ kind: CMD_CREATE_REGION, region, regionSeq: 1, segments, length });
  }

  destroy(region: number): Generator<Wait, number> {
    return this.give({ kind: CMD_DESTROY_REGION, region });
  }

  /** Pulls another endpoint's region into an own one: what the end's event says. */
  *pull(from: Raw, remoteRegion: number, region: number, length: number): Generator<Wait, PullDone> {
    const peer = this.driver.peerByName(from.actor.hostname);
    const { index, session } = from.queues!;
    const fields = { peer, endpoint: index, session, length, region, remoteRegion, remoteRegionSeq: 1, cookie: 77 };
    assert.equal(yield* this.give({ kind: CMD_PULL, ...fields }), RESULT_OK);
    const { memory } = this.#stage;
    const at = this.queues!.expectedEvents + (this.#expected % this.queues!.entries) * EVENT_BYTES;
    while (memory.u8[at + EV_ID] !== eventId(this.#expected)) yield WAIT_POLL;
    this.driver.release(0, ++this.#expected);
    assert.equal(memory.view.getUint32(at + EV_COOKIE, true), 77);
    return { status: memory.u8[at + EV_SMALL_FIELD], length: memory.view.getUint32(at + EV_LENGTH, true) };
  }
}

export interface PullDone {
  readonly status: number;
  readonly length: number;
}

/** A buffer of scattered stretches of these sizes. */
export function scattered(actor: Actor, sizes: readonly number[], offset = 40): Segment[] {
  return sizes.map((length, i) => ({ address: actor.alloc(length + 8192) + (offset + i * 72) % 4096, length }));
}
