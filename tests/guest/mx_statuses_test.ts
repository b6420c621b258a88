import { MS, SECOND } from "../../src/base/units.ts";
import type { Call, mx_status_t } from "../../src/guest/mx_types.ts";
import { CMD_CREATE_REGION, CMD_PULL, CMD_SEND_RNDV } from "../../src/mx/driver/contract.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";
import { type Connected, equal, KEY, NONE, ok, pair, segment, status } from "./mx_support.ts";

/*
 * Each status that a request can end with, by what brings it about (reference 2.3 to 2.8). PENDING, BUFFERED, REJECTED,
 * TIMEOUT, CANCELLED, ENDPOINT_UNKNOWN and EVENTQ_FULL are MX's and reported by no call of Open-MX.
 */

type Send = "mx_isend" | "mx_issend";

function* send(side: Connected, call: Send, length: number): Call<mx_status_t> {
  const { mx, ep, to, alloc } = side;
  const { request } = yield* mx[call](ep, [segment(alloc(Math.max(1, length)), length)], 1, to, 1n, null);
  return (yield* mx.mx_wait(ep, request!, 0)).status!;
}

function* receive({ mx, ep, alloc }: Connected, room: number): Call<mx_status_t> {
  const { request } = yield* mx.mx_irecv(ep, [segment(alloc(Math.max(1, room)), room)], 1, 1n, NONE, null);
  return (yield* mx.mx_wait(ep, request!, 0)).status!;
}

const SIZES: readonly (readonly [call: Send, length: number, room: number, sender: string, transferred: number])[] = [
  // A buffered send is done before anybody knows; a large one learns of it by the notify.
  ["mx_isend", 20, 10, "success", 20],
  ["mx_isend", 100, 50, "success", 100],
  ["mx_isend", 20_000, 9000, "success", 20_000],
  ["mx_isend", 100_000, 70_000, "truncated", 70_000],
  ["mx_isend", 100_000, 0, "truncated", 0],
  ["mx_issend", 20, 10, "truncated", 10],
  ["mx_issend", 0, 0, "success", 0],
];

Deno.test("TRUNCATED: the receive was too small; who sent learns it only by rendezvous", () => {
  pair({
    *a(side) {
      for (const [call, length, , expected, transferred] of SIZES) {
        const outcome = yield* send(side, call, length);
        status(expected, outcome.code);
        equal([outcome.msg_length, outcome.xfer_length], [length, transferred], `${call} of ${length} bytes`);
      }
    },
    *b(side) {
      for (const [, length, room] of SIZES) {
        const outcome = yield* receive(side, room);
        status(room < length ? "truncated" : "success", outcome.code);
        equal([outcome.msg_length, outcome.xfer_length], [length, Math.min(room, length)]);
      }
    },
  });
});

Deno.test("TRUNCATED: a message to oneself, on both sides", () => {
  pair({
    *a({ mx, ep, alloc }) {
      const self = mx.mx_get_endpoint_addr(ep).address!;
      const posted = yield* mx.mx_irecv(ep, [segment(alloc(8), 8)], 1, 1n, NONE, null);
      const sent = yield* mx.mx_isend(ep, [segment(alloc(50_000), 50_000)], 1, self, 1n, null);
      for (const { request } of [sent, posted]) {
        const outcome = (yield* mx.mx_test(ep, request!)).status!;
        status("truncated", outcome.code);
        equal([outcome.msg_length, outcome.xfer_length, outcome.source === self], [50_000, 8, true]);
      }
    },
    *b() {},
  });
});

Deno.test("ENDPOINT_CLOSED, then BAD_SESSION once another endpoint has the number", () => {
  let phase = 0;
  pair({
    *a(side) {
      while (phase < 1) yield* side.mx.mx_probe(side.ep, 10, 0xffffn, NONE);
      status("endpoint closed", (yield* send(side, "mx_issend", 100)).code);
      status("success", (yield* send(side, "mx_isend", 100)).code); // buffered
      phase = 2;
      while (phase < 3) yield* side.mx.mx_probe(side.ep, 10, 0xffffn, NONE);
      status("bad session", (yield* send(side, "mx_issend", 100)).code);
    },
    *b({ mx, ep }) {
      yield* mx.mx_close_endpoint(ep);
      phase = 1;
      const other = (yield* mx.mx_open_endpoint(0, 50, KEY, [], 0)).endpoint!;
      while (phase < 2) yield* mx.mx_probe(other, 10, 0xffffn, NONE);
      ok((yield* mx.mx_open_endpoint(0, 2, KEY, [], 0)).code === 0);
      phase = 3;
      yield* mx.mx_probe(other, 100, 0xffffn, NONE);
    },
  });
});

Deno.test("ENDPOINT_UNREACHABLE: the request's time was over, and the partner is given up with all its requests", () => {
  const cluster = new ToyCluster(2);
  let cut = false;
  cluster.fate = () => ({ drop: cut });
  pair({
    *a({ mx, ep, to, alloc, low }) {
      cut = true;
      const buffer = [segment(alloc(100_000), 100_000)];
      const first = (yield* mx.mx_isend(ep, buffer, 1, to, 1n, null)).request!;
      const second = (yield* mx.mx_issend(ep, buffer, 1, to, 1n, null)).request!;
      equal(mx.mx_set_request_timeout(ep, first, 1100), 0);
      const before = low.now;
      const outcome = (yield* mx.mx_wait(ep, first, 0)).status!;
      status("endpoint unreachable", outcome.code);
      // (1100 * 2 + 1023) / 1024 = 3 resends half a second apart, and half a second for the last one.
      const waited = (low.now - before) / SECOND;
      ok(waited > 1.9 && waited < 2.1, `gave up after ${waited} s`);
      status("endpoint unreachable", (yield* mx.mx_test(ep, second)).status!.code);
      cut = false;
    },
    *b() {},
  }, cluster);
});

Deno.test("BAD_KEY and BAD_ENDPOINT: what an iconnect ends with", () => {
  const cluster = new ToyCluster(2);
  cluster.endpointMax = 100;
  pair({
    *a({ mx, ep, to }) {
      const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(to);
      const outcome = function* (id: number, key: number): Call<mx_status_t> {
        const { request } = yield* mx.mx_iconnect(ep, nic_id, id, key, 0x77n, "ctx");
        return (yield* mx.mx_wait(ep, request!, 0)).status!;
      };
      const good = yield* outcome(endpoint_id, KEY);
      status("success", good.code);
      ok(good.source === to && good.match_info === 0x77n && good.context === "ctx");
      status("bad key", (yield* outcome(endpoint_id, 1)).code);
      status("endpoint closed", (yield* outcome(99, KEY)).code);
      status("bad endpoint", (yield* outcome(100, KEY)).code);
      equal((yield* mx.mx_connect(ep, nic_id, 100, KEY, 0)).code, 32, "bad endpoint id");
    },
    *b() {},
  }, cluster);
});

Deno.test("ENDPOINT_UNREACHABLE: a pull whose time was over; its sender sees a message cut to nothing", () => {
  const cluster = new ToyCluster(2);
  cluster.fate = ({ command }) => ({ drop: command.kind === CMD_PULL });
  pair({
    *a(side) {
      const outcome = yield* send(side, "mx_isend", 100_000);
      status("truncated", outcome.code);
      equal(outcome.xfer_length, 0);
    },
    *b(side) {
      equal(side.mx.mx_set_request_timeout(side.ep, null, 300), 0);
      const before = side.low.now;
      const outcome = yield* receive(side, 100_000);
      status("endpoint unreachable", outcome.code);
      equal([outcome.msg_length, outcome.xfer_length], [100_000, 0]);
      ok(side.low.now - before > 300 * MS && side.low.now - before < 320 * MS);
    },
  }, cluster);
});

Deno.test("ABORTED and BAD_RDMAWIN: the sender's memory could not be registered", () => {
  const cluster = new ToyCluster(2);
  cluster.hosts[0].invalid = ({ kind }) => kind === CMD_CREATE_REGION;
  pair({
    *a(side) {
      status("aborted", (yield* send(side, "mx_isend", 100_000)).code);
    },
    *b(side) {
      status("bad RDMA window", (yield* receive(side, 100_000)).code);
    },
  }, cluster);
  ok(cluster.sent.some(({ command }) => command.kind === CMD_SEND_RNDV));
});
