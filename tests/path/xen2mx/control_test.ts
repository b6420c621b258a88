import assert from "node:assert/strict";
import { run } from "../../support/scenario.ts";
import { MX_NIC_NOT_FOUND } from "../../../src/mx/status.ts";
import { CMD_SEND_LIBACK } from "../../../src/mx/driver/contract.ts";
import { readAddress, readName, writeAddress, writeName } from "../../../src/path/xen2mx/peer_messages.ts";
import { Raw } from "./raw.ts";
import { open, reach, Stage } from "./support.ts";

/* Questions about boards and peers: ring requests that dom0 answers from its own table (reference, 4.3 and 4.9). */

Deno.test("opening asks for the board and the own host's index, each connect for a peer that is new", () => {
  const stage = new Stage({ hosts: 3, guests: 3 });
  const [a, b, c] = stage.actors;
  const requests: number[] = [];
  let last = 0;
  const count = () => {
    const { reqProdPvt } = a.device.ring;
    requests.push(reqProdPvt - last);
    last = reqProdPvt;
  };
  for (const [i, actor] of [b, c].entries()) {
    actor.play(function* (mx) {
      const endpoint = yield* open(mx, i);
      yield* endpoint.wait(yield* endpoint.irecv(0, 0, 1, 1, 1, 1), { mode: "block", timeoutPs: 4e9 });
      yield* endpoint.close();
    });
  }
  a.play(function* (mx) {
    yield 1_000_000_000; // 1 ms: the others are open
    const endpoint = yield* open(mx, 9);
    count();
    for (const [host, index] of [[b.hostname, 0], [b.hostname, 0], [c.hostname, 1]] as const) {
      yield* reach(endpoint, host, index);
      count();
    }
    for (let i = 0; i < 2; i++) {
      assert.equal((yield* endpoint.connect("nowhere", 0, 0)).code, MX_NIC_NOT_FOUND);
      yield* endpoint.progress();
      count();
    }
    yield* endpoint.close();
  });
  stage.run();
  // A connect is its request, and replies to nobody here; a name that dom0 does not know is asked for each time.
  assert.deepEqual(requests, [3, 2, 1, 2, 1, 1]);
  stage.nothingLeft();
});

Deno.test("a question takes its turn on the ring: what follows waits for dom0's answer", () => {
  for (const path of ["xen2mx", "xen2mx-plain"]) {
    const stage = new Stage({ path });
    const raw = new Raw(stage, stage.actors[0]);
    const other = stage.actors[1].hostname;
    const { engine } = stage.cluster.world;
    const took: number[] = [];
    raw.play(function* () {
      yield* raw.open(0, 1);
      for (let i = 0; i < 3; i++) {
        const before = engine.now;
        const peer = raw.driver.peerByName(other);
        yield* raw.give({ kind: CMD_SEND_LIBACK, peer });
        took.push(engine.now - before);
      }
      yield* raw.close();
    });
    stage.run();
    // The first has a round trip more; the ring, dom0 and its driver are the same otherwise.
    assert.ok(took[0] > took[1] * 1.3, `${path}: ${took}`);
    assert.ok(Math.abs(took[1] - took[2]) < took[1] / 2, `${path}: ${took}`);
  }
});

Deno.test("dom0 answers by name, address and index, and refuses what it does not know", () => {
  const stage = new Stage();
  const [a, b] = stage.actors;
  const raw = new Raw(stage, a);
  raw.play(function* () {
    yield* raw.open(0, 1);
    const { driver } = raw;
    assert.deepEqual([...driver.device.knownPeers], [0], "the own host");
    const peer = driver.peerByMac(driver.peerMac(1));
    assert.equal(peer, 1);
    assert.equal(driver.peerName(peer), b.hostname);
    yield* raw.settle();
    assert.deepEqual([...driver.device.knownPeers], [0, 1]);
    assert.deepEqual([driver.peerName(7), driver.peerMac(7), driver.peerByMac(1)], [null, -1, -1]);
    yield* raw.settle();
    assert.deepEqual([...driver.device.knownPeers], [0, 1]);
    assert.deepEqual([driver.info.hostname, driver.info.mac], ["a", "024d58000001"]);
    yield* raw.close();
  });
  stage.run();
  assert.ok(raw.finished);
  stage.nothingLeft();
});

Deno.test("names and addresses survive the message, cut where they do not fit", () => {
  const view = new DataView(new ArrayBuffer(96));
  for (const name of ["", "a", "node-17:1", "é".repeat(39), "x".repeat(79)]) {
    writeName(view, 8, name);
    assert.equal(readName(view, 8), name);
  }
  writeName(view, 8, "y".repeat(200));
  assert.equal(readName(view, 8), "y".repeat(79));
  writeAddress(view, 0, 0x024d, 0xfedcba98);
  assert.deepEqual(readAddress(view, 0), [0x024d, 0xfedcba98]);
});

Deno.test("a message takes as long as if peers were known from the start", () => {
  // Connecting comes before what is measured: its look-ups move the start, and nothing else.
  const workload = { kind: "pingpong", sizes: ["16 B"], iterations: 20 };
  const [{ rttUs }] = run({ path: ["xen2mx", "native"], workload }).rows.rows;
  assert.ok(Math.abs(rttUs! - 14) < 0.6, `${rttUs}`);
});
