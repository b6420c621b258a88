import assert from "node:assert/strict";
import { Prng } from "../../src/base/prng.ts";
import { MS, SECOND, US } from "../../src/base/units.ts";
import type { Process, Wait } from "../../src/hw/thread.ts";
import type { Mx, MxAddress, MxEndpoint } from "../../src/mx/api.ts";
import type { FrontEndpoint } from "../../src/path/xen2mx/front_endpoint.ts";
import {
  REGION_COUNT,
  REGION_HEADER,
  REGION_ID,
  REGION_KEEP,
  REGION_MAPPING,
  REGION_SEGMENTS,
  SEG_GREFS,
  SEG_LENGTH,
  SEG_NUMBER,
  SEG_OFFSET,
  SEG_PAGES,
  SEG_PARTS,
  SEGMENT_BYTES,
  SLOT_BYTES,
  SLOT_FUNC,
  SLOT_RET,
  SLOT_UNION,
} from "../../src/path/xen2mx/layout.ts";
import { programs, type ProgramSite } from "../support/programs.ts";

/*
 * A guest that writes what it likes into its Xen2MX rings: dom0 answers every slot with a status, harms nobody, and
 * when the guest has closed its endpoint nothing of it stays mapped.
 */

const KEY = 7;
const ALL = 0xffffffff;
const FUNCS = [
  0x80084f91,
  0x80204f93,
  0x80084f94,
  0x80384f81,
  0x80204f82,
  0x80284f83,
  0x80284f84,
  0x80204f85,
  0x80284f86,
  0x80184f87,
  0x80184f88,
  0x80184f89,
  0x80184f8a,
  0xc0604f24,
  0x40044fa2,
  0xe2,
  0,
];
/** Seldom and late, since a closed endpoint refuses everything. */
const CLOSE = 0x80084f92;
const CREATE = 0x80204f93;
const EDGES = [0, 1, 2, 8, 16, 17, 255, 256, 4095, 4096, 65535, 65536, 262144, 0x7fffffff, 0x80000000, 0xffffffff];
const WAR = 40 * MS;
const LENGTH = 50_000;

function* connect(site: ProgramSite, ep: MxEndpoint): Generator<Wait, MxAddress> {
  const { port } = site.cluster.guests[1 - site.rank];
  for (;;) {
    const { address } = yield* ep.connect(port.hostname, port.endpoint, KEY, SECOND);
    if (address !== null) return address;
    yield 100 * US;
  }
}

function* sleep(mx: Mx, ep: MxEndpoint, until: number): Generator<Wait, void> {
  while (mx.now < until) yield* ep.probe(ALL, ALL, ALL, ALL, { mode: "block", timeoutPs: until - mx.now });
}

/** One large and one small message each way, whole. */
function* exchange(site: ProgramSite, ep: MxEndpoint, to: MxAddress, out: number, into: number): Generator<Wait, void> {
  const { u8 } = site.mx.memory;
  for (const length of [30, LENGTH]) {
    for (let i = 0; i < length; i++) u8[out + i] = (i * 7 + site.rank + length) & 0xff;
    const receive = yield* ep.irecv(into, LENGTH, 1, length, ALL, ALL);
    const send = yield* ep.isend(out, length, to, 1, length);
    for (const request of [send, receive]) {
      assert.ok(yield* ep.wait(request, { timeoutPs: 20 * SECOND }), `${site.guest.spec.name}: ${length} bytes`);
      assert.equal(request.code, 0);
    }
    for (let i = 0; i < length; i++) {
      if (u8[into + i] !== ((i * 7 + 1 - site.rank + length) & 0xff)) assert.fail(`byte ${i} of ${length}`);
    }
  }
}

function* program(site: ProgramSite): Process {
  const { mx } = site;
  const out = site.alloc(LENGTH);
  const into = site.alloc(LENGTH);
  // The guest that misbehaves opens, is disturbed, closes, and opens again.
  const first = (yield* mx.openEndpoint(site.guest.port.endpoint, KEY))!;
  const to = yield* connect(site, first);
  yield* exchange(site, first, to, out, into);
  yield* first.flush({ mode: "block" });
  yield* sleep(mx, first, 20 * MS);
  if (site.rank === 0) yield WAR;
  else yield* sleep(mx, first, 20 * MS + WAR);
  yield* first.close();
  yield 100 * MS;
  const again = (yield* mx.openEndpoint(site.guest.port.endpoint, KEY))!;
  yield* exchange(site, again, yield* connect(site, again), out, into);
  yield* again.flush({ mode: "block" });
  yield* sleep(mx, again, mx.now + SECOND);
  yield* again.close();
}

/** Fills a slot: some noise over a head that is often right. */
function writeSlot(random: Prng, view: DataView, slot: number, refs: readonly number[], mayClose: boolean): void {
  for (let i = 0; i < SLOT_BYTES; i++) view.setUint8(slot + i, random.below(8) === 0 ? random.below(256) : 0);
  const any = random.below(200);
  const func = any === 0 && mayClose ? CLOSE : any < 10 ? random.u32() : FUNCS[random.below(FUNCS.length)];
  view.setUint32(slot + SLOT_FUNC, func, true);
  view.setUint32(slot + 8, random.below(4), true);
  const at = slot + SLOT_UNION;
  const pick = () => random.below(3) === 0 ? refs[random.below(refs.length)] : EDGES[random.below(EDGES.length)];
  view.setUint16(at, random.below(3), true); // a peer that is known, mostly
  for (let field = 12; field < 40; field += 4) if (random.below(2) === 0) view.setUint32(at + field, pick(), true);
  // CREATE: region, segments in this message and in all, mapping; pages, offset, length and list pages of each.
  if (func !== CREATE) return;
  view.setUint8(at + REGION_ID, random.below(8));
  view.setUint8(at + REGION_COUNT, random.below(3));
  view.setUint8(at + REGION_KEEP, random.below(3));
  view.setUint32(at + REGION_SEGMENTS, random.below(3), true);
  view.setUint32(at + REGION_MAPPING, random.below(6), true);
  view.setUint32(at + REGION_HEADER + SEG_NUMBER, random.below(2), true);
  for (const segment of [at + REGION_HEADER, at + REGION_HEADER + SEGMENT_BYTES]) {
    view.setUint16(segment + SEG_OFFSET, random.below(2) === 0 ? 0 : pick(), true);
    view.setUint32(segment + SEG_LENGTH, pick(), true);
    view.setUint32(segment + SEG_PAGES, random.below(3), true);
    view.setUint8(segment + SEG_PARTS, random.below(2) === 0 ? 1 : pick());
    for (let part = 0; part < 8; part++) view.setUint32(segment + SEG_GREFS + 4 * part, pick(), true);
  }
}

/** Lets guest 0 put `count` slots of its own making on its command ring, as room allows. Returns how dom0 answered. */
function disturb(site: ReturnType<typeof programs>["cluster"], random: Prng): { answers: Map<number, number> } {
  const { engine, memory } = site.world;
  const guest = site.guests[0];
  const frontend = (guest.port.attach() as FrontEndpoint).device;
  const { domain, ring } = frontend;
  // List pages and data pages that dom0 may map, one that it may only read, and references to nothing.
  const refs = new Int32Array(12);
  domain.grantTable.reserve(null, refs.length, refs);
  const pages = domain.allocPages(refs.length);
  for (const [i, ref] of refs.entries()) {
    domain.grantTable.grantAccess(null, ref, 0, pages / 4096 + i, i % 3 === 2);
    for (let word = 0; word < 1024; word++) {
      memory.view.setUint32(pages + i * 4096 + word * 4, refs[random.below(refs.length)], true);
    }
  }
  const answers = new Map<number, number>();
  const written: number[] = [];
  const tick = engine.handler("hostile guest", () => {
    // The frontend's interrupt consumes answers; what they were is still in the slots.
    if (ring.freeRequests === ring.size) {
      for (const slot of written) {
        const ret = memory.view.getInt32(slot + SLOT_RET, true);
        answers.set(ret, (answers.get(ret) ?? 0) + 1);
      }
      written.length = 0;
    }
    for (let n = random.below(4); n > 0 && !ring.isFull && written.length < ring.size; n--) {
      const slot = ring.claimRequest();
      writeSlot(random, memory.view, slot, [...refs], engine.now > 10 * MS + WAR);
      memory.view.setInt32(slot + SLOT_RET, 12345, true);
      written.push(slot);
    }
    if (ring.pushRequests()) domain.processors[0].raise(domain.eventChannels.sender(frontend.port));
    if (engine.now < 20 * MS + WAR - 5 * MS) engine.after(20 * US, tick);
  });
  engine.at(21 * MS, tick);
  const after = engine.handler("hostile guest has closed", () => {
    for (const ref of refs) domain.grantTable.endAccess(null, ref);
    domain.grantTable.release(refs, refs.length);
  });
  engine.at(20 * MS + WAR + 80 * MS, after);
  return { answers };
}

for (const overlap of [false, true]) {
  Deno.test(`xen2mx: a guest writes nonsense into its ring, ${overlap ? "regions mapped later" : "each in turn"}`, () => {
    for (const seed of [1, 2]) {
      const war = programs({ path: "xen2mx-plain", seed, mechanisms: { overlap } }, program);
      const { answers } = disturb(war.cluster, new Prng(seed, "hostile"));
      war.cluster.world.engine.run(60 * SECOND);
      assert.equal(war.ended, 2, "both programs have ended by themselves");
      assert.deepEqual(war.cluster.leaks(), []);
      const statuses = [...answers.keys()].sort((x, y) => x - y);
      assert.deepEqual(statuses, [-22, -16, -12, 0], "every slot has an answer: wrong, busy, impossible or done");
      assert.ok([...answers.values()].every((times) => times > 20));
    }
  });
}

Deno.test("xen2mx: a slot that says what cannot be is refused as invalid, and nothing of it stays", () => {
  const war = programs({ path: "xen2mx-plain" }, program);
  const { engine, memory } = war.cluster.world;
  const { view } = memory;
  const { device } = war.cluster.guests[0].port.attach() as FrontEndpoint;
  const { domain, ring } = device;
  const refs = new Int32Array(4);
  domain.grantTable.reserve(null, refs.length, refs);
  const pages = domain.allocPages(refs.length);
  for (const [i, ref] of refs.entries()) domain.grantTable.grantAccess(null, ref, 0, pages / 4096 + i, false);
  // The first page is a list of the others, backwards: mapped one after another they are no stretch.
  for (let word = 0; word < 1024; word++) view.setUint32(pages + 4 * word, refs[3 - word % 3], true);
  const create = (fields: { offset?: number; length?: number; pages?: number; mapping?: number; id?: number }) => {
    return (at: number) => {
      view.setUint8(at + REGION_ID, fields.id ?? 7);
      view.setUint8(at + REGION_COUNT, fields.pages === 0 ? 0 : 1);
      view.setUint32(at + REGION_SEGMENTS, 1, true);
      view.setUint32(at + REGION_MAPPING, fields.mapping ?? 99, true);
      const segment = at + REGION_HEADER;
      view.setUint16(segment + SEG_OFFSET, fields.offset ?? 0, true);
      view.setUint32(segment + SEG_LENGTH, fields.length ?? 100, true);
      view.setUint32(segment + SEG_PAGES, fields.pages ?? 3, true);
      view.setUint8(segment + SEG_PARTS, 1);
      view.setUint32(segment + SEG_GREFS, refs[0], true);
    };
  };
  const medium = (offset: number, length: number) => (at: number) => {
    view.setUint32(at + 20, length, true);
    view.setUint16(at + 24, length, true);
    view.setUint32(at + 28, offset, true);
  };
  const QUEUE = 256 * 8192;
  const slots: [string, number, (at: number) => void, number][] = [
    ["TINY of 33 bytes", 0x80384f81, (at) => view.setUint16(at + 20, 33, true), -22],
    ["TINY of 32 bytes", 0x80384f81, (at) => view.setUint16(at + 20, 32, true), 0],
    ["SMALL of 129 bytes", 0x80204f82, (at) => view.setUint16(at + 20, 129, true), -22],
    ["MEDIUM of more than a fragment", 0x80284f83, medium(0, 8193), -22],
    ["MEDIUM beyond the send queue", 0x80284f83, medium(QUEUE - 100, 101), -22],
    ["MEDIUM far beyond the send queue", 0x80284f83, medium(0xffffff00, 100), -22],
    ["MEDIUM at its end", 0x80284f83, medium(QUEUE - 100, 100), 0],
    ["a peer that nobody knows", 0x80384f81, (at) => view.setUint16(at, 0xffff, true), -22],
    ["PULL without a region", 0x80284f86, (at) => view.setUint32(at + 16, 300, true), -22],
    ["CREATE from behind the first page", CREATE, create({ offset: 4096 }), -12],
    ["CREATE of more bytes than pages", CREATE, create({ offset: 4000, length: 3 * 4096 - 3999 }), -12],
    ["CREATE of more pages than references", CREATE, create({ pages: 1025 }), -12],
    ["CREATE", CREATE, create({}), 0],
    ["CREATE under a number in use", CREATE, create({ id: 8 }), -22],
    ["another region of a bound mapping", CREATE, create({ pages: 0, id: 9 }), -22],
    ["UNMAP of a bound mapping", 0x80084f94, (at) => {
      view.setUint8(at + REGION_KEEP, 2);
      view.setUint32(at + REGION_MAPPING, 99, true);
    }, -22],
    ["DESTROY", 0x80084f94, (at) => view.setUint8(at + REGION_ID, 7), 0],
    ["DESTROY once more", 0x80084f94, (at) => view.setUint8(at + REGION_ID, 7), -22],
    ["a command that nobody knows", 0x12345678, () => {}, -22],
  ];
  const answers: [string, number][] = [];
  let pending = 0;
  const next = engine.handler("slot by slot", () => {
    if (pending !== 0) answers.push([slots[answers.length][0], view.getInt32(pending + SLOT_RET, true)]);
    if (answers.length === slots.length) {
      for (const ref of refs) domain.grantTable.endAccess(null, ref);
      domain.grantTable.release(refs, refs.length);
      return;
    }
    const [, func, write] = slots[answers.length];
    pending = ring.claimRequest();
    memory.u8.fill(0, pending, pending + SLOT_BYTES);
    view.setUint32(pending + SLOT_FUNC, func, true);
    view.setUint32(pending + 8, war.cluster.guests[0].port.endpoint, true);
    view.setUint16(pending + SLOT_UNION, 1, true); // a peer that is known
    write(pending + SLOT_UNION);
    if (ring.pushRequests()) domain.processors[0].raise(domain.eventChannels.sender(device.port));
    engine.after(500 * US, next);
  });
  engine.at(21 * MS, next);
  engine.run(60 * SECOND);
  assert.deepEqual(answers, slots.map(([name, , , ret]) => [name, ret]));
  assert.equal(war.ended, 2);
  assert.deepEqual(war.cluster.leaks(), []);
});
