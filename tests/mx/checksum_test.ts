import assert from "node:assert/strict";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { WirePort } from "../../src/hw/link.ts";
import { counted } from "../../src/base/counted.ts";
import { SECOND } from "../../src/base/units.ts";
import { Memory } from "../../src/hw/memory.ts";
import type { Process } from "../../src/hw/thread.ts";
import type { Mx } from "../../src/mx/api.ts";
import { bufferChecksum, crc16 } from "../../src/mx/lib/checksum.ts";
import { STATUS_SUCCESS } from "../../src/mx/status.ts";
import { PACKET_MEDIUM, PACKET_SMALL, PACKET_TINY } from "../../src/mx/wire/mod.ts";
import { PATHS } from "../../src/path/registry.ts";
import { RunLog } from "../../src/report/run_log.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { run, totals } from "../support/scenario.ts";
import { record, type WireFrame } from "../support/wire.ts";
import { ToyCluster } from "./lib/toy_cluster.ts";

/* The debug library's checksum of eager messages: CRC-16, polynomial 0x1021, initial 0 (reference 3). */

const ascii = (text: string) => new TextEncoder().encode(text);

/** Bit by bit, as the definition says it. */
function slow(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = ((crc >> 15) ^ (byte >> bit)) & 1;
      crc = ((crc << 1) & 0xffff) ^ (top === 1 ? 0x1021 : 0);
    }
  }
  return crc;
}

Deno.test("the checksum is the one that the catalogues call XMODEM, over any stretches", () => {
  assert.equal(crc16(ascii("123456789")), 0x31c3);
  assert.equal(crc16(ascii("")), 0);
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) ^ (i >> 3));
  assert.equal(crc16(bytes), slow(bytes));
  assert.equal(crc16(bytes.subarray(400), crc16(bytes.subarray(0, 400))), slow(bytes));
  const memory = new Memory(1 << 20);
  const at = memory.alloc(bytes.length);
  memory.u8.set(bytes, at);
  const segments = [{ address: at + 500, length: 300 }, { address: at, length: 0 }, { address: at + 100, length: 300 }];
  const taken = Uint8Array.from([...bytes.subarray(500, 800), ...bytes.subarray(100, 200)]);
  assert.equal(bufferChecksum(memory, { address: 7, segments }, 400), slow(taken));
});

const EAGER = [PACKET_TINY, PACKET_SMALL, PACKET_MEDIUM];

/** Damages one byte of every `nth` eager frame that arrives. */
function damage(cluster: Cluster, nth: number): { count: number } {
  const done = { count: 0 };
  const { frames } = cluster.world;
  const { memory } = frames;
  let seen = 0;
  for (const { directions } of cluster.links) {
    for (const { to } of directions) {
      const port = to as WirePort;
      const receive = port.receive.bind(port);
      port.receive = (frame) => {
        const head = frames.at(frame);
        const isEager = EAGER.includes(memory.u8[head + 16]);
        if (isEager && ++seen % nth === 0) {
          memory.u8[frames.payloadLengthOf(frame) > 0 ? frames.payloadOf(frame) + 9 : head + 44] ^= 4;
          done.count++;
        }
        receive(frame);
      };
    }
  }
  return done;
}

Deno.test("on every path frames carry their message's checksum, and a byte that is damaged on the way is found", () => {
  for (const { name: path } of PATHS) {
    // Xen2MX carries commands and events over its ring; on the others they are the same code.
    const sizes = ["native", "xen2mx"].includes(path) ? ["20 B", "100 B", "20000 B"] : ["20000 B"];
    for (const size of sizes) {
      const workload = { kind: "stream", size, messages: 10, outstanding: 2 };
      let frames: WireFrame[] = [];
      const good = run(
        { path, workload, mechanisms: { debugChecksum: true } },
        ({ cluster }) => frames = record(cluster),
      );
      const sums = frames.filter(({ type }) => EAGER.includes(type)).map(({ fields }) => fields.checksum);
      assert.ok(sums.length >= 10 && new Set(sums).size > 1, `${path}: checksums differ from message to message`);
      const snapshot = (session: typeof good) =>
        takeSnapshot(session, { command: "", version: "", wallMs: 0, partial: false });
      assert.equal(snapshot(good).totals.integrity_errors, 0, `${path} ${size}`);

      let damaged = { count: 0 };
      let log: RunLog | null = null;
      const bad = run({ path, workload, mechanisms: { debugChecksum: true } }, (session) => {
        damaged = damage(session.cluster, 7);
        log = new RunLog(session);
      });
      assert.ok(damaged.count > 0);
      const receiver = bad.badChecksums(1);
      log!.look();
      const told = log!.lines.find(({ text }) =>
        text === `${counted(receiver, "message")} without the sender's checksum`
      );
      assert.equal(told?.level, "error");
      assert.deepEqual([bad.badChecksums(0), receiver > 0 && receiver <= damaged.count], [0, true], `${path} ${size}`);
      // The program looks at its payload too.
      const { integrityErrors } = totals(bad);
      assert.equal(snapshot(bad).guests[1].integrity_errors, integrityErrors + receiver);
    }
  }
});

Deno.test("a message to oneself is not checked, as it never left the library", () => {
  const cluster = new ToyCluster(1);
  const [at, into] = [cluster.alloc(65536, 3), cluster.alloc(65536)];
  let ended = false;
  cluster.hosts[0].start(function* (mx: Mx): Process {
    const ep = (yield* mx.openEndpoint(1, 5, { debugChecksum: true }))!;
    for (const length of [0, 12, 100, 20000, 50000]) {
      for (const isPosted of [true, false]) {
        cluster.memory.u8.fill(0, into, into + 65536);
        const receive = () => ep.irecv(into, 65536, 0, 1, 0xffffffff, 0xffffffff);
        const posted = isPosted ? yield* receive() : null;
        const send = yield* ep.isend(at, length, ep.address()!, 0, 1);
        const { code, transferLength } = posted ?? (yield* receive());
        assert.deepEqual([send.code, code, transferLength], [STATUS_SUCCESS, STATUS_SUCCESS, length]);
        assert.ok(cluster.same(at, into, length));
      }
    }
    assert.deepEqual([ep.counters.receivedSelf, ep.counters.badChecksums], [10, 0]);
    ended = true;
  });
  cluster.run(SECOND);
  assert.ok(ended);
});

Deno.test("checksums cost nothing in virtual time: the run is the same event for event", () => {
  const workload = { kind: "stream", size: "20000 B", messages: 10 };
  const plain = run({ path: "xen2mx", workload });
  const checked = run({ path: "xen2mx", workload, mechanisms: { debugChecksum: true } });
  assert.deepEqual([checked.fingerprint, checked.events], [plain.fingerprint, plain.events]);
});
