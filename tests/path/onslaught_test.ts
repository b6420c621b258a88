import assert from "node:assert/strict";
import { Prng } from "../../src/base/prng.ts";
import { MS, SECOND, US } from "../../src/base/units.ts";
import type { WirePort } from "../../src/hw/link.ts";
import type { Process, Wait } from "../../src/hw/thread.ts";
import type { Mx, MxAddress, MxEndpoint } from "../../src/mx/api.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { PATHS } from "../../src/path/registry.ts";
import { frameOf, mutate, seeFrame, type SeenFrame } from "../support/mutate.ts";
import { programs, type ProgramSite } from "../support/programs.ts";

/*
 * Wrong frames come out of the wire between those of live sessions, through everything that a path has between its NIC
 * and its library. Programs must expect anything while that lasts (a frame that is forged well is a message), but no
 * part breaks, nothing leaks, and two endpoints that then connect anew exchange whole messages.
 */

const KEY = 7;
const LENGTHS = [0, 32, 128, 9000, 32768, 50000];
const ROOM = 65536;
/** While frames are forged. */
const WAR = 30 * MS;
const PEACE = 4 * SECOND;
const TRUCE = 4 * SECOND;
const ALL = 0xffffffff;

function* connect(site: ProgramSite, ep: MxEndpoint): Generator<Wait, MxAddress> {
  const { port } = site.cluster.guests[1 - site.rank];
  for (;;) {
    const { address } = yield* ep.connect(port.hostname, port.endpoint, KEY, SECOND);
    if (address !== null) return address;
    yield 100 * US;
  }
}

function fill(site: ProgramSite, at: number, seed: number): void {
  const { u8 } = site.mx.memory;
  for (let i = 0; i < ROOM; i++) u8[at + i] = (i * 13 + seed) & 0xff;
}

/** Sends and receives every class without expecting anything. */
function* trade(ep: MxEndpoint, to: MxAddress, out: number, into: number): Generator<Wait, void> {
  for (const length of LENGTHS) {
    const receive = yield* ep.irecv(into, ROOM, 1, 0, ALL, 0);
    const send = yield* ep.isend(out, length, to, 1, length);
    for (const request of [send, receive]) {
      if (yield* ep.wait(request, { timeoutPs: 200 * US })) ep.release(request);
      else if (request === send || !(yield* ep.cancel(request))) yield* ep.forget(request);
    }
  }
}

/** Sends and receives every class, and checks every byte. */
function* exchange(site: ProgramSite, ep: MxEndpoint, to: MxAddress, out: number, into: number): Generator<Wait, void> {
  const { u8 } = site.mx.memory;
  fill(site, out, site.rank);
  for (const length of LENGTHS) {
    const receive = yield* ep.irecv(into, ROOM, 2, length, ALL, ALL);
    const send = yield* ep.isend(out, length, to, 2, length);
    for (const request of [send, receive]) {
      assert.ok(yield* ep.wait(request, { timeoutPs: 20 * SECOND }), `${site.guest.spec.name}: ${length} bytes`);
      assert.deepEqual([request.code, request.messageLength], [0, length]);
    }
    for (let i = 0; i < length; i++) {
      if (u8[into + i] !== ((i * 13 + 1 - site.rank) & 0xff)) assert.fail(`byte ${i} of ${length}`);
    }
  }
}

/** Makes progress until an instant. */
function* sleep(mx: Mx, ep: MxEndpoint, until: number): Generator<Wait, void> {
  while (mx.now < until) yield* ep.probe(ALL, ALL, ALL, ALL, { mode: "block", timeoutPs: until - mx.now });
}

function* program(site: ProgramSite): Process {
  const { mx } = site;
  const ep = (yield* mx.openEndpoint(site.guest.port.endpoint, KEY))!;
  const out = site.alloc(ROOM);
  const into = site.alloc(ROOM);
  let to = yield* connect(site, ep);
  while (mx.now < WAR) {
    yield* trade(ep, to, out, into);
    // A partner that was told lies may never answer again.
    if (mx.now < WAR / 2) continue;
    yield* ep.disconnect(to);
    to = yield* connect(site, ep);
  }
  // To disconnect is one-sided: only when both have done so, with nothing under way, do both begin anew.
  for (let at = PEACE; at < PEACE + 2 * TRUCE; at += TRUCE) {
    yield* sleep(mx, ep, at);
    to = yield* connect(site, ep);
    yield* sleep(mx, ep, at + TRUCE / 2);
    yield* ep.disconnect(to);
  }
  yield* sleep(mx, ep, PEACE + 2 * TRUCE);
  to = yield* connect(site, ep);
  yield* sleep(mx, ep, PEACE + 3 * TRUCE);
  yield* exchange(site, ep, to, out, into);
  yield* ep.flush({ mode: "block" });
  yield* sleep(mx, ep, mx.now + SECOND);
  yield* ep.close();
}

/** Every 10 us `each` frames come out of the wires, made of what was seen on them. Returns how many came in all. */
function forge(cluster: Cluster, random: Prng, each: number): () => number {
  const { engine, frames } = cluster.world;
  const seen: SeenFrame[] = [];
  let forged = 0;
  const ports = cluster.links.flatMap(({ directions }) => directions.map(({ to }) => to as WirePort));
  const receivers = ports.map((port) => port.receive.bind(port));
  for (const [i, port] of ports.entries()) {
    port.receive = (frame: number) => {
      seen[seen.length < 300 ? seen.length : random.below(300)] = seeFrame(frames, frame);
      receivers[i](frame);
    };
  }
  const tick = engine.handler("forger", () => {
    for (let i = 0; i < each && seen.length > 0; i++) {
      const wrong = frameOf(frames, mutate(random, seen));
      if (wrong < 0) break;
      forged++;
      receivers[random.below(ports.length)](wrong);
    }
    if (engine.now < WAR) engine.after(10 * US, tick);
  });
  engine.after(10 * US, tick);
  return () => forged;
}

for (const [i, { name: path }] of PATHS.entries()) {
  const each = path === "native" ? 6 : 2;
  Deno.test(`${path}: wrong frames break nothing, and endpoints that connect anew exchange whole messages`, () => {
    const war = programs({ path, seed: i, mtu: i % 2 === 0 ? 9000 : 1500 }, program);
    const forged = forge(war.cluster, new Prng(i, "forger"), each);
    const { engine } = war.cluster.world;
    engine.run(60 * SECOND);
    assert.ok(forged() > 2000 * each);
    assert.equal(war.ended, 2, "the programs have ended by themselves");
    engine.run(engine.now + 600 * SECOND);
    assert.deepEqual(war.cluster.leaks(), []);
  });
}
