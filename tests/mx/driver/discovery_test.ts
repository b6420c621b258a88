import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../../src/base/units.ts";
import { APPLICATION, USER } from "../../../src/metrics/stage.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { Omxoed } from "../../../src/mx/driver/omxoed.ts";
import { PeerTable } from "../../../src/mx/driver/peer_table.ts";
import { counted, DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";

/* How boards find each other: host queries and replies (omx_peer.c), the raw endpoint (omx_raw.c), the daemon (omxoed.c). */

const MAGIC = 0x13052008;
const FIVE = 5 * SECOND;

Deno.test("a query is answered with the name and the magic that it had; both sides learn the other's index", () => {
  const t = new DriverBench();
  t.b.driver.peers.at(1)!.reverse = 0xffff;
  t.send(t.a, make.hostQuery(t.a, t.b, { srcDstPeerIndex: 77, magic: 0xcafe }));
  const reply = t.expect(t.b, "HOST_REPLY", { magic: 0xcafe, srcDstPeerIndex: 1 });
  assert.equal(String(reply.fields.hostname), "b");
  assert.equal(reply.length, 62, "60 and the name with its NUL");
  assert.equal(reply.peerIndex, 0, "the head's index is not used");
  assert.equal(t.b.driver.peers.at(1)!.reverse, 77);
  t.silence(t.engine.now + MS);
  const { RECV_HOST_QUERY, SEND_HOST_REPLY } = count;
  assert.deepEqual(counted(t.b), { [RECV_HOST_QUERY]: 1, [SEND_HOST_REPLY]: 1 });
  t.clean();
});

Deno.test("queries for another board are ignored, those of a stranger are not answered", () => {
  const t = new DriverBench();
  const elsewhere = make.hostQuery(t.a, t.b, { srcDstPeerIndex: 5 });
  elsewhere[5] ^= 1; // another destination
  const broadcast = make.hostQuery(t.a, t.b, { srcDstPeerIndex: 5 });
  broadcast.fill(0xff, 0, 6);
  t.send(t.a, elsewhere);
  t.send(t.a, broadcast);
  t.send(t.a, make.hostQuery(t.a, t.b, { srcDstPeerIndex: 5, srcMac: 0x999 }));
  t.silence(t.engine.now + 10 * MS);
  assert.equal(t.b.driver.ignored, 2);
  assert.equal(t.b.driver.peers.at(1)!.reverse, 1, "nothing is learnt");
  assert.deepEqual(counted(t.b), { [count.RECV_HOST_QUERY]: 1, [count.DROP_BAD_PEER_ADDR]: 1 });
  t.clean();
});

Deno.test("a peer without a name is asked every 5 s until it answers under the right magic", () => {
  const t = new DriverBench();
  const { driver } = t.a;
  const peer = driver.peers.tryAdd(null, 0x0200, 0xc0)!;
  t.a.burst((cpu) => driver.hosts.ask(cpu, peer));
  const first = t.expect(t.a, "HOST_QUERY", { magic: MAGIC, srcDstPeerIndex: 2 });
  assert.equal(first.dst, 0xc0);
  t.silence(t.engine.now + FIVE - 10 * US);
  t.expect(t.a, "HOST_QUERY", { magic: MAGIC }, 20 * US);
  const name = (magic: number) =>
    make.hostReply(t.b, t.a, { srcMac: 0xc0, srcDstPeerIndex: 9, magic, hostname: "carol" });
  t.send(t.b, name(MAGIC + 1));
  t.silence(t.engine.now + MS);
  assert.equal(driver.peers.byName("carol"), undefined);
  t.send(t.b, name(MAGIC));
  t.silence(t.engine.now + 2 * FIVE);
  assert.deepEqual([driver.peers.byName("carol"), peer.reverse, driver.hosts.unnamed], [peer, 9, 0]);
  assert.deepEqual(counted(t.a), {
    [count.SEND_HOST_QUERY]: 2,
    [count.RECV_HOST_REPLY]: 1,
    [count.DROP_HOST_REPLY_BAD_MAGIC]: 1,
  });
  t.clean();
});

Deno.test("once it is stopped nobody is asked, not even by a timer that has rung already", () => {
  const t = new DriverBench();
  const { driver } = t.a;
  const peer = driver.peers.tryAdd(null, 0x0200, 0xc0)!;
  const asked = t.engine.now;
  t.a.burst((cpu) => driver.hosts.ask(cpu, peer));
  t.expect(t.a, "HOST_QUERY", { magic: MAGIC });
  // The processor is busy when the timer rings, so that its interrupt has to wait.
  t.run(asked + FIVE - 20 * US);
  t.a.burst((cpu) => cpu.charge(APPLICATION, USER, 100 * US));
  t.run(asked + FIVE + 50 * US);
  driver.hosts.stop();
  t.silence(t.engine.now + 2 * FIVE);
});

Deno.test("names cleared: the first queries have the old magic, their answers are dropped, and 5 s later all is well", () => {
  const t = new DriverBench();
  const { driver } = t.a;
  t.a.burst((cpu) => driver.hosts.clearNames(cpu));
  t.expect(t.a, "HOST_QUERY", { magic: MAGIC });
  t.expect(t.b, "HOST_REPLY", { magic: MAGIC });
  t.silence(t.engine.now + FIVE - 20 * US);
  assert.equal(driver.peers.byName("b"), undefined);
  assert.equal(driver.counters[count.DROP_HOST_REPLY_BAD_MAGIC], 1);
  t.expect(t.a, "HOST_QUERY", { magic: MAGIC + 1 }, 40 * US);
  t.expect(t.b, "HOST_REPLY", { magic: MAGIC + 1 });
  t.silence(t.engine.now + 2 * FIVE);
  assert.equal(driver.peers.byName("b")?.index, 1);
  assert.equal(driver.peers.byName("a")?.index, 0, "the own name stays");
  t.clean();
});

Deno.test("the raw endpoint: whole frames both ways, 32 wait, 1024 bytes at most, one process", () => {
  const t = new DriverBench();
  const { raw, counters } = t.b.driver;
  let woken = 0;
  assert.ok(raw.open(() => woken++));
  assert.ok(!raw.open(() => {}), "it is taken");
  const long = Uint8Array.from({ length: 1024 }, (_, i) => i & 0xff);
  const head = make.raw(t.a, t.b, { serial: 0x1234 });
  long.set(head.subarray(0, 17));
  t.a.burst((cpu) => {
    assert.ok(t.a.driver.raw.send(cpu, long));
    assert.ok(!t.a.driver.raw.send(cpu, new Uint8Array(1025)), "too long");
  });
  t.expect(t.a, "RAW", {});
  t.run(t.engine.now + MS);
  assert.deepEqual(raw.take(), long);
  assert.equal(raw.take(), null);
  assert.equal(woken, 1);
  for (let i = 0; i < 33; i++) t.send(t.a, head);
  t.run(t.engine.now + MS);
  assert.deepEqual([raw.waiting, counters[count.RECV_RAW], counters[count.DROP_RAW_QUEUE_FULL]], [32, 33, 1]);
  t.send(t.a, head.subarray(0, 64), make.pattern(961));
  t.run(t.engine.now + MS);
  assert.equal(counters[count.DROP_RAW_QUEUE_FULL], 2, "a full queue is found first");
  raw.take();
  t.send(t.a, head.subarray(0, 64), make.pattern(961));
  t.run(t.engine.now + MS);
  assert.equal(counters[count.DROP_RAW_TOO_LARGE], 1);
  assert.equal(t.a.driver.counters[count.SEND_RAW], 1);
  t.clean();
});

/** When a board said who it is, whole seconds, between two instants. */
function broadcasts(t: DriverBench, from: number, to: number): number[] {
  t.run(to);
  const own = t.takeWire().filter(({ name, side, at }) => name === "RAW" && side === 0 && at >= from);
  assert.ok(own.every(({ bytes }) => bytes.length === 64 && bytes.subarray(0, 6).every((byte) => byte === 0xff)));
  return own.map(({ at }) => Math.round(at / SECOND));
}

Deno.test("the daemon says who it is eight times a second apart, then every 180 s; somebody new begins the burst again", () => {
  const t = new DriverBench();
  const daemon = new Omxoed(t.a.driver, 0xabcd);
  daemon.thread.notify();
  assert.deepEqual(broadcasts(t, 0, 400 * SECOND), [0, 1, 2, 3, 4, 5, 6, 7, 187, 367]);
  const hear = (serial: number) => t.send(t.b, make.raw(t.b, t.a, { nicIdHigh: 0x0200, nicIdLow: 0xd0, serial }));
  hear(1);
  assert.deepEqual(broadcasts(t, 400 * SECOND, 500 * SECOND), [401, 402, 403, 404, 405, 406, 407, 408]);
  const peer = t.a.driver.peers.byAddress(0x0200, 0xd0)!;
  assert.equal(peer.name, null);
  hear(1);
  assert.deepEqual(broadcasts(t, 500 * SECOND, 580 * SECOND), [], "it is known already");
  hear(2);
  assert.equal(broadcasts(t, 580 * SECOND, 590 * SECOND).length, 8, "another serial: he was started anew");
  assert.equal(t.a.driver.peers.peers.length, 3);
  daemon.stop();
  assert.deepEqual(broadcasts(t, 590 * SECOND, 2000 * SECOND), []);
  t.clean();
});

Deno.test("a peer table has room for 1024 unless told otherwise; who comes later is refused and counted", () => {
  const table = new PeerTable();
  for (let i = 0; i < 1024; i++) assert.ok(table.tryAdd(null, 1, i) !== null);
  assert.equal(table.tryAdd("late", 1, 2000), null);
  assert.deepEqual([table.refused, table.byName("late"), table.peers.length], [1, undefined, 1024]);
  const t = new DriverBench({ parts: { peerMax: 2 } });
  const daemon = new Omxoed(t.a.driver, 1);
  daemon.thread.notify();
  t.send(t.b, make.raw(t.b, t.a, { nicIdLow: 0xd0, serial: 1 }));
  t.run(SECOND / 2);
  assert.equal(t.a.driver.peers.refused, 1);
  assert.equal(t.a.driver.counters[count.SEND_HOST_QUERY], 0);
  daemon.stop();
  assert.throws(() => new PeerTable(65537));
});

Deno.test("of several peers with one name that with the lowest index is found, whoever is renamed", () => {
  const table = new PeerTable();
  const [x, y] = [table.add("x", 0, 1, false), table.add("y", 0, 2, false)];
  table.rename(y, "x");
  assert.equal(table.byName("x"), x);
  table.rename(x, null);
  assert.equal(table.byName("x"), y);
  assert.equal(table.byName("y"), undefined);
});
