import * as types from "../../src/guest/mx_types.ts";
import { COUNTER_LABELS } from "../../src/mx/driver/counters.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";
import { equal, KEY, NONE, ok, pair, run, segment } from "./mx_support.ts";

/** Boards, NIC ids, host names, addresses and facts (reference 3). */

Deno.test("any board and any number: the lowest number that is free, on the lowest board that has it", () => {
  const cluster = new ToyCluster(1, { boards: 3 });
  run([function* ({ mx, low }) {
    yield* mx.mx_init();
    const open = function* (board: number, id: number): types.Call<string> {
      const { endpoint } = yield* mx.mx_open_endpoint(board, id, KEY, [], 0);
      const { address } = mx.mx_get_endpoint_addr(endpoint!);
      const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(address!);
      return `${(yield* mx.mx_nic_id_to_board_number(nic_id)).board_number}/${endpoint_id}`;
    };
    const { MX_ANY_NIC, MX_ANY_ENDPOINT } = types;
    const opened = [yield* open(1, 0)];
    for (let i = 0; i < 4; i++) opened.push(yield* open(MX_ANY_NIC, MX_ANY_ENDPOINT));
    opened.push(yield* open(2, MX_ANY_ENDPOINT), yield* open(MX_ANY_NIC, 7), yield* open(MX_ANY_NIC, 7));
    equal(opened, ["1/0", "0/0", "2/0", "0/1", "1/1", "2/1", "0/7", "1/7"]);
    const sessions = new Set(low.endpoints.map((ep) => ep.session));
    equal(sessions.size, opened.length, "every endpoint has a session of its own");
    mx.mx_set_error_handler(types.MX_ERRORS_RETURN);
    equal((yield* mx.mx_open_endpoint(2, 7, KEY, [], 0)).code, 0);
    equal((yield* mx.mx_open_endpoint(MX_ANY_NIC, 7, KEY, [], 0)).code, 20, "all boards are busy");
    yield* mx.mx_finalize();
  }], cluster);
});

Deno.test("endpoints with one number on two boards of a host are two; each of a host's boards is reached by its NIC id", () => {
  const cluster = new ToyCluster(2, { boards: 2 });
  run([
    function* ({ mx, alloc }) {
      yield* mx.mx_init();
      const ep = (yield* mx.mx_open_endpoint(1, 3, KEY, [], 0)).endpoint!;
      const local = (yield* mx.mx_open_endpoint(0, 3, KEY, [], 0)).endpoint!;
      const list = [segment(alloc(8, 1), 8)];
      // To the other board of the own host: over the wire, since it is somebody else.
      const own = mx.mx_decompose_endpoint_addr(mx.mx_get_endpoint_addr(local).address!);
      const { request } = yield* mx.mx_iconnect(ep, own.nic_id, 3, KEY, 0n, null);
      yield* mx.mx_probe(local, 1, 1n, NONE);
      const { status } = yield* mx.mx_wait(ep, request!, 0);
      const beside = status!.source!;
      ok(beside !== mx.mx_get_endpoint_addr(ep).address);
      yield* mx.mx_isend(ep, list, 1, beside, 5n, null);
      equal((yield* mx.mx_probe(local, 0, 5n, NONE)).status!.msg_length, 8);
      // To both boards of the other host.
      for (const name of ["b", "b:1"]) {
        const { nic_id } = yield* mx.mx_hostname_to_nic_id(name);
        equal((yield* mx.mx_nic_id_to_hostname(nic_id)).hostname, name);
        const { address } = yield* mx.mx_connect(ep, nic_id, 3, KEY, 5000);
        yield* mx.mx_isend(ep, list, 1, address!, 6n, null);
      }
      yield* mx.mx_probe(ep, 100, 1n, NONE);
    },
    function* ({ mx }) {
      yield* mx.mx_init();
      const endpoints = [];
      for (const board of [0, 1]) endpoints.push((yield* mx.mx_open_endpoint(board, 3, KEY, [], 0)).endpoint!);
      for (const ep of endpoints) yield* mx.mx_probe(ep, 1, 1n, NONE); // answers the connects
      for (const ep of endpoints) {
        const { status } = yield* mx.mx_probe(ep, 0, 6n, NONE);
        const sender = mx.mx_decompose_endpoint_addr(status!.source!);
        equal((yield* mx.mx_nic_id_to_hostname(sender.nic_id)).hostname, "a:1");
      }
    },
  ], cluster);
});

Deno.test("names, NIC ids and board numbers lead to each other", () => {
  run([
    function* ({ mx, cluster }) {
      yield* mx.mx_init();
      const { nic_id } = yield* mx.mx_board_number_to_nic_id(0);
      equal([typeof nic_id, Number(nic_id)], ["bigint", cluster.hosts[0].mac]);
      equal((yield* mx.mx_nic_id_to_board_number(nic_id)).board_number, 0);
      equal((yield* mx.mx_nic_id_to_hostname(nic_id)).hostname, "a");
      ok((yield* mx.mx_hostname_to_nic_id("a")).nic_id === nic_id);
    },
    function* () {},
  ]);
});

Deno.test("an address is NIC id, endpoint number and session, and carries the program's context", () => {
  const sessions: number[][] = [];
  pair({
    *a({ mx, ep, to, cluster }) {
      const there = mx.mx_decompose_endpoint_addr2(to);
      const here = mx.mx_decompose_endpoint_addr2(mx.mx_get_endpoint_addr(ep).address!);
      equal([Number(there.nic_id), there.endpoint_id], [cluster.hosts[1].mac, 2]);
      equal([Number(here.nic_id), here.endpoint_id], [cluster.hosts[0].mac, 1]);
      sessions.push([here.session_id, there.session_id]);
      equal(mx.mx_get_endpoint_addr_context(to), { code: 0, context: null });
      equal(mx.mx_set_endpoint_addr_context(to, "peer"), 0);
      equal(mx.mx_get_endpoint_addr_context(to).context, "peer");
      yield* mx.mx_progress(ep);
    },
    *b({ mx, ep, to }) {
      const there = mx.mx_decompose_endpoint_addr2(to);
      const here = mx.mx_decompose_endpoint_addr2(mx.mx_get_endpoint_addr(ep).address!);
      sessions.push([there.session_id, here.session_id]);
      yield* mx.mx_progress(ep);
    },
  });
  equal(sessions[0], sessions[1], "both sides know both sessions");
});

Deno.test("mx_get_info: all 16 keys", () => {
  run(
    [function* ({ mx, cluster }) {
      yield* mx.mx_init();
      const { endpoint } = yield* mx.mx_open_endpoint(1, 1, KEY, [], 0);
      const info = function* (key: number, ep: types.mx_endpoint_t | null = null): types.Call<unknown> {
        const { code, value } = yield* mx.mx_get_info(ep, key, 0);
        equal(code, 0);
        return value;
      };
      equal(yield* info(types.MX_NIC_COUNT), 2);
      equal((yield* info(types.MX_NIC_IDS) as types.Call<bigint[]>).map(Number), cluster.hosts.map((host) => host.mac));
      equal(yield* info(types.MX_MAX_NATIVE_ENDPOINTS), 256);
      equal(yield* info(types.MX_NATIVE_REQUESTS), 0xffffffff);
      equal(yield* info(types.MX_COUNTERS_COUNT), 85);
      equal(yield* info(types.MX_COUNTERS_LABELS), [...COUNTER_LABELS]);
      for (const ep of [null, endpoint]) {
        const values = yield* info(types.MX_COUNTERS_VALUES, ep) as types.Call<number[]>;
        equal(values.length, 85);
      }
      for (const key of [types.MX_PRODUCT_CODE, types.MX_PART_NUMBER, types.MX_SERIAL_NUMBER]) {
        equal(yield* info(key), "N/A (Open-MX)");
      }
      equal(yield* info(types.MX_PORT_COUNT), 1);
      equal(yield* info(types.MX_PIO_SEND_MAX), 128);
      equal([yield* info(types.MX_COPY_SEND_MAX), yield* info(types.MX_COPY_SEND_MAX, endpoint)], [16384, 16384]);
      equal(yield* info(types.MX_NUMA_NODE, endpoint), 0xffffffff);
      equal(yield* info(types.MX_NET_TYPE), 1);
      equal(yield* info(types.MX_LINE_SPEED), 2);
    }],
    new ToyCluster(1, { boards: 2 }),
    { library: { rndvThreshold: 16384 } },
  );
});

Deno.test("a listener hears of what the program is told, and memory that is not the program's is refused", () => {
  const heard: unknown[] = [];
  const listener = {
    onReceived: (status: types.mx_status_t, latencyPs: number) =>
      heard.push(["received", status.xfer_length, latencyPs]),
    onSent: (status: types.mx_status_t) => heard.push(["sent", status.xfer_length]),
  };
  const first: { at: number } = { at: -1 };
  run(
    [function* ({ mx, low, alloc }) {
      mx.mx_set_error_handler(types.MX_ERRORS_RETURN);
      yield* mx.mx_init();
      const ep = (yield* mx.mx_open_endpoint(0, 1, KEY, [], 0)).endpoint!;
      const to = mx.mx_get_endpoint_addr(ep).address!;
      first.at = alloc(100);
      const list = [segment(first.at, 60), segment(first.at + 60, 40)];
      equal((yield* mx.mx_isend(ep, [segment(first.at + 90, 11)], 1, to, 1n, null)).code, 11);
      const sentAt = low.now;
      const send = yield* mx.mx_isend(ep, list, 2, to, 1n, null);
      const receive = yield* mx.mx_irecv(ep, list, 2, 1n, NONE, null);
      const took = low.now - sentAt;
      equal(heard, []);
      yield* mx.mx_test(ep, receive.request!);
      yield* mx.mx_wait(ep, send.request!, 0);
      const [[, bytes, latencyPs]] = heard as [string, number, number][];
      equal([bytes, latencyPs > 0 && latencyPs <= took, heard[1]], [100, true, ["sent", 100]]);
      equal((yield* mx.mx_irecv(ep, list, 2, 2n, NONE, null)).code, 0);
    }],
    new ToyCluster(1),
    { listener, owns: (address, length) => address >= first.at && address + length <= first.at + 100 },
  );
  equal(heard.length, 2);
});
