import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import type { Process, Wait } from "../../src/hw/thread.ts";
import { Memory } from "../../src/hw/memory.ts";
import { KERNEL } from "../../src/metrics/stage.ts";
import type { MxAddress, MxEndpoint } from "../../src/mx/api.ts";
import * as c from "../../src/mx/driver/contract.ts";
import { decodeCommand, encodeCommand } from "../../src/path/xen2mx/command_messages.ts";
import type { FrontEndpoint } from "../../src/path/xen2mx/front_endpoint.ts";
import { SLOT_BYTES, SLOT_FUNC, SLOT_UNION, toFunc } from "../../src/path/xen2mx/layout.ts";
import { programs, type ProgramSite } from "../support/programs.ts";

/* What crosses the two rings of the split driver, message by message, and what is granted for it. */

const ALL = 0xffffffff;
const KEY = 7;
const PAYLOAD = 0xa5;
const NAMES: Record<number, string> = {
  0x80084f91: "OPEN",
  0x80084f92: "CLOSE",
  0x80204f93: "CREATE",
  0x80084f94: "DESTROY",
  0x80384f81: "TINY",
  0x80204f82: "SMALL",
  0x80284f83: "MEDIUM",
  0x80204f85: "RNDV",
  0x80284f86: "PULL",
  0x80184f87: "NOTIFY",
  0x80184f88: "CONNECT",
  0x80184f89: "REPLY",
  0x80184f8a: "LIBACK",
  0xf7: "recv connect",
  0xf8: "recv reply",
  0xf9: "recv rndv",
  0xfb: "pull done",
  0xfc: "recv notify",
  0xfd: "recv liback",
  0xfe: "recv tiny",
  0xff: "recv small",
  0xe0: "recv medium",
  0xe1: "medium done",
};

/** A slot as it crossed a ring: its name, bytes of payload in it, and grants of the guest that were active then. */
interface Crossing {
  readonly name: string;
  readonly payload: number;
  readonly grants: number;
}

/** Records everything that crosses the rings of a guest from now on. */
function watch(site: ProgramSite): Crossing[] {
  const { ring, recvRing, domain } = (site.guest.port.attach() as FrontEndpoint).device;
  const { memory } = site.mx;
  const seen: Crossing[] = [];
  const note = (slot: number) => {
    const bytes = memory.u8.subarray(slot + SLOT_UNION, slot + SLOT_BYTES);
    const payload = bytes.filter((byte) => byte === PAYLOAD).length;
    const name = NAMES[memory.view.getUint32(slot + SLOT_FUNC, true)];
    seen.push({ name, payload, grants: domain.grantTable.activeGrants });
  };
  let from = ring.reqProdPvt;
  const publish = ring.publishRequests.bind(ring);
  ring.publishRequests = (to) => {
    for (; from !== to >>> 0; from++) note(ring.slot(from));
    return publish(to);
  };
  const take = recvRing.takeResponse.bind(recvRing);
  recvRing.takeResponse = () => {
    const slot = take();
    note(slot);
    return slot;
  };
  return seen;
}

interface Exchange {
  readonly sender: Crossing[];
  readonly receiver: Crossing[];
}

/** One message of `length` bytes from guest 0 to guest 1: what crossed the rings of each. */
function exchange(length: number, path = "xen2mx-plain"): Exchange {
  const result: Exchange = { sender: [], receiver: [] };
  function* program(site: ProgramSite): Process {
    const { mx, rank } = site;
    const ep = (yield* mx.openEndpoint(site.guest.port.endpoint, KEY))!;
    const buffer = site.alloc(length + 1);
    mx.memory.u8.fill(PAYLOAD, buffer, buffer + length);
    const to = yield* connect(site, ep);
    yield* rest(ep, mx.now + 100 * MS);
    const seen = watch(site);
    const request = rank === 0
      ? yield* ep.isend(buffer, length, to, 1, 1)
      : yield* ep.irecv(buffer, length, 1, 1, ALL, ALL);
    assert.ok(yield* ep.wait(request, { mode: "block", timeoutPs: SECOND }));
    yield* rest(ep, mx.now + 100 * MS);
    result[rank === 0 ? "sender" : "receiver"].push(...seen);
    yield* ep.close();
  }
  function* rest(ep: MxEndpoint, until: number): Generator<Wait, void> {
    while (ep.mx.now < until) yield* ep.probe(ALL, ALL, ALL, ALL, { mode: "block", timeoutPs: until - ep.mx.now });
  }
  function* connect(site: ProgramSite, ep: MxEndpoint): Generator<Wait, MxAddress> {
    const { port } = site.cluster.guests[1 - site.rank];
    for (;;) {
      const { address } = yield* ep.connect(port.hostname, port.endpoint, KEY, SECOND);
      if (address !== null) return address;
      yield 100 * US;
    }
  }
  const run = programs({ path }, program);
  run.cluster.world.engine.run(20 * SECOND);
  assert.equal(run.ended, 2);
  assert.deepEqual(run.cluster.leaks(), []);
  return result;
}

const names = (crossings: Crossing[]) => crossings.map(({ name }) => name);

Deno.test("an eager message is one slot each way, and only tiny and small ones carry their payload in it", () => {
  for (const [length, name] of [[20, "TINY"], [32, "TINY"], [33, "SMALL"], [128, "SMALL"]] as const) {
    const { sender, receiver } = exchange(length);
    assert.deepEqual(names(sender), [name, "recv liback"]);
    assert.deepEqual(names(receiver), [`recv ${name.toLowerCase()}`, "LIBACK"]);
    assert.equal(sender[0].payload, length);
    // A small message goes through the granted receive queue; its slot only says where.
    if (name === "TINY") assert.equal(receiver[0].payload, length);
  }
  const { sender, receiver } = exchange(20_000);
  const expected = ["MEDIUM", "MEDIUM", "MEDIUM", "medium done", "medium done", "medium done", "recv liback"];
  assert.deepEqual(names(sender).sort(), expected.sort());
  assert.deepEqual(names(receiver), ["recv medium", "recv medium", "recv medium", "LIBACK"]);
  assert.ok([...sender, ...receiver].every(({ payload }) => payload < 8), "no payload in the rings");
});

Deno.test("a large message: create, rndv, destroy at the sender; create, pull, destroy, notify at the receiver", () => {
  for (const path of ["xen2mx-plain", "xen2mx"]) {
    const { sender, receiver } = exchange(50_000, path);
    assert.deepEqual(names(sender), ["CREATE", "RNDV", "recv notify", "DESTROY", "LIBACK"], path);
    const wanted = ["recv rndv", "CREATE", "PULL", "pull done", "DESTROY", "NOTIFY", "recv liback"];
    assert.deepEqual(names(receiver), wanted, path);
    assert.ok([...sender, ...receiver].every(({ payload }) => payload < 8), "no payload in the rings");
  }
});

Deno.test("grants: a region's pages and list pages while it lives, two queues and three pages for an endpoint", () => {
  const { sender } = exchange(50_000);
  const queues = 2 + 2 * (256 * 8192) / 4096 + 3; // the rings, the queues, two lists and the endpoint's page
  assert.deepEqual(sender.map(({ name, grants }) => [name, grants - queues]), [
    ["CREATE", 13 + 1],
    ["RNDV", 13 + 1],
    ["recv notify", 13 + 1],
    ["DESTROY", 13 + 1],
    ["LIBACK", 0],
  ]);
  // 1024 references fill a list page.
  const large = exchange(5 << 20).sender.find(({ name }) => name === "CREATE")!;
  assert.equal(large.grants - queues, 1280 + 2);
});

Deno.test("dom0's worker polls for 1,000,000 turns after it was woken, then sleeps", () => {
  for (const [path, polls] of [["xen2mx", true], ["xen2mx-plain", false]] as const) {
    const run = programs({ path, hosts: 1, guests: 1 }, function* ({ mx, guest }) {
      yield* mx.openEndpoint(guest.port.endpoint, KEY);
      yield 10 * SECOND;
    });
    const { engine, costs } = run.cluster.world;
    const busy = () => {
      const { kernel } = run.cluster.hosts[0];
      for (const processor of kernel) processor.settle();
      return kernel.reduce((sum, { time }) => sum + time[KERNEL], 0);
    };
    engine.run(SECOND);
    const budget = polls ? 1_000_000 * costs.backendPoll : 0;
    assert.ok(busy() >= budget && busy() < budget + MS, `${path}: ${busy()} ps`);
    const before = busy();
    engine.run(5 * SECOND);
    assert.equal(busy(), before, `${path} sleeps`);
  }
});

Deno.test("a command in a slot is read back as it was written, under its ioctl's number", () => {
  const memory = new Memory(1 << 20);
  const slot = memory.alloc(4096);
  const address = memory.alloc(256);
  memory.u8.fill(PAYLOAD, address, address + 128);
  const fields = { peer: 0x1234, endpoint: 0x56, seq: 0x4abc, piggyack: 0x4def, session: 0x89abcdef };
  const match = { matchA: 0xdeadbeef, matchB: 0xcafebabe };
  const kinds: [number, string, Partial<c.MxCommand>][] = [
    [c.CMD_SEND_TINY, "TINY", { ...fields, ...match, length: 32 }],
    [c.CMD_SEND_SMALL, "SMALL", { ...fields, ...match, length: 128 }],
    [c.CMD_SEND_MEDIUM_FRAG, "MEDIUM", {
      ...fields,
      ...match,
      length: 262144,
      fragmentLength: 8192,
      fragment: 31,
      queueOffset: 1048576,
      cookie: 0xfeed,
    }],
    [c.CMD_SEND_RNDV, "RNDV", { ...fields, ...match, length: 0xffffffff, region: 255, regionSeq: 254 }],
    [c.CMD_PULL, "PULL", {
      peer: 1,
      endpoint: 2,
      session: 3,
      length: 0xfffffffe,
      region: 9,
      remoteRegion: 8,
      remoteRegionSeq: 7,
      remoteOffset: 0xfedc,
      cookie: 6,
    }],
    [c.CMD_SEND_NOTIFY, "NOTIFY", { ...fields, length: 0x80000000, remoteRegion: 200, remoteRegionSeq: 201 }],
    [c.CMD_SEND_LIBACK, "LIBACK", { peer: 5, endpoint: 6, seq: 0x8001, session: 9, ackNumber: 0xffffffff }],
    [c.CMD_CONNECT_REQUEST, "CONNECT", {
      peer: 5,
      recvSeqStart: 0x4001,
      connectSeq: 3,
      ownSession: 7,
      key: 0x12345678,
    }],
    [c.CMD_CONNECT_REPLY, "REPLY", { peer: 5, session: 4, recvSeqStart: 1, connectSeq: 3, connectStatus: 11 }],
  ];
  for (const [kind, name, given] of kinds) {
    memory.u8.fill(0xff, slot, slot + SLOT_BYTES + 8);
    memory.view.setUint32(slot + SLOT_FUNC, toFunc(kind), true);
    encodeCommand(memory, slot, Object.assign(new c.MxCommand(), { ...given, kind, address }));
    assert.equal(NAMES[memory.view.getUint32(slot + SLOT_FUNC, true)], name);
    const read = new c.MxCommand();
    assert.ok(decodeCommand(memory, slot, read), name);
    for (const [field, value] of Object.entries(given)) {
      assert.equal(read[field as keyof c.MxCommand], value, `${name}.${field}`);
    }
    assert.deepEqual([...memory.u8.subarray(slot + SLOT_BYTES, slot + SLOT_BYTES + 8)], new Array(8).fill(0xff));
    if (name === "TINY" || name === "SMALL") assert.ok(memory.equal(read.address, address, given.length!), name);
  }
  memory.view.setUint32(slot + SLOT_FUNC, 0x80284f84, true); // MEDIUMVA: the real backend stops there
  assert.equal(decodeCommand(memory, slot, new c.MxCommand()), false);
});
