import * as types from "../../src/guest/mx_types.ts";
import type { Call } from "../../src/guest/mx_types.ts";
import { mxStrError } from "../../src/mx/status.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";
import { DEAF, of, ROWS, type Side } from "./mx_code_rows.ts";
import { equal, KEY, NONE, ok, pair, run, segment } from "./mx_support.ts";

Deno.test("each function's return codes", () => {
  const wrong: string[] = [];
  const cluster = new ToyCluster(2);
  cluster.fate = ({ command }) => ({ drop: command.endpoint === DEAF });
  pair({
    *a(connected) {
      const { mx, ep, to } = connected;
      const { nic_id: nic, endpoint_id: other } = mx.mx_decompose_endpoint_addr(to);
      const closed = (yield* mx.mx_open_endpoint(0, 200, KEY, [], 0)).endpoint!;
      yield* mx.mx_close_endpoint(closed);
      const segments = [segment(connected.alloc(64), 64)];
      const side: Side = {
        ...connected,
        closed,
        segments,
        nic,
        other,
        *receive() {
          return (yield* mx.mx_irecv(ep, segments, 1, 0xabcdn, NONE, null)).request!;
        },
        *send() {
          return (yield* mx.mx_isend(ep, segments, 1, to, 1n, "context")).request!;
        },
      };
      for (const [name, situation, expected, call] of ROWS) {
        const code = mxStrError(yield* call(side));
        if (code !== expected) wrong.push(`${name}, ${situation}: expected "${expected}", got "${code}"`);
      }
    },
    *b() {},
  }, cluster);
  equal(wrong, []);
  ok(cluster.sent.length > 0);
});

function libraryOf(): { mx: types.MxLibrary } {
  let mx: types.MxLibrary | null = null;
  // deno-lint-ignore require-yield
  run([function* (rank) {
    mx = rank.mx;
  }]);
  return { mx: mx! };
}

Deno.test("every function has a row", () => {
  const { mx } = libraryOf();
  const named = new Set(ROWS.map(([name]) => name));
  const without = ["mx_finalize", "mx_strerror", "mx_strstatus"]; // rows of their own below
  const functions = Object.getOwnPropertyNames(mx).filter((name) => name.startsWith("mx_")).sort();
  const unlisted = functions.filter((name) => !named.has(name) && !without.includes(name));
  equal(unlisted, ["mx_buffered", "mx_iget", "mx_iput", "mx_register_unexp_callback"]);
});

Deno.test("before mx_init and after mx_finalize nothing works, and mx_finalize closes what is open", () => {
  const cluster = run([function* ({ mx }) {
    const calls = () => [
      of(mx.mx_open_endpoint(0, 1, KEY, [], 0)),
      of(mx.mx_hostname_to_nic_id("a")),
      of(mx.mx_nic_id_to_hostname(1n)),
      of(mx.mx_board_number_to_nic_id(0)),
      of(mx.mx_nic_id_to_board_number(1n)),
      of(mx.mx_get_info(null, 1, 0)),
      mx.mx_finalize(),
    ];
    const refused = function* (): Call<void> {
      for (const call of calls()) equal(mxStrError(yield* call), "not initialized");
    };
    mx.mx_set_error_handler(types.MX_ERRORS_RETURN);
    yield* refused();
    equal(yield* mx.mx_init(), 0);
    const { endpoint } = yield* mx.mx_open_endpoint(0, 1, KEY, [], 0);
    equal(yield* mx.mx_finalize(), 0);
    equal(mxStrError(yield* mx.mx_progress(endpoint!)), "bad endpoint");
    yield* refused();
    equal([yield* mx.mx_init(), (yield* mx.mx_open_endpoint(0, 1, KEY, [], 0)).code], [0, 0]);
    yield* mx.mx_finalize();
  }]);
  equal(cluster.processes[0].endpoints.map((ep) => ep.isOpen), [false]); // both have had the same number
});

Deno.test("texts of codes and statuses", () => {
  const { mx } = libraryOf();
  equal([mx.mx_strerror(0), mx.mx_strerror(43)], ["success", "not supported with context id"]);
  equal([mx.mx_strstatus(5), mx.mx_strstatus(16)], ["truncated", "no resources"]);
  equal([mx.mx_strerror(44), mx.mx_strstatus(17)], ["unknown return code", "unknown status"]);
});
