import fc from "fast-check";
import { MS, SECOND } from "../../src/base/units.ts";
import { createMxLibrary } from "../../src/guest/mx.ts";
import { MX_ANY_ENDPOINT, MX_ANY_NIC, MX_ERRORS_RETURN, type MxLibrary } from "../../src/guest/mx_types.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";
import { equal, KEY, NONE, ok, segment } from "./mx_support.ts";

/*
 * "Misuse returns a code, never a crash": every function, with any arguments whatever, in any order, between calls that
 * are right. Afterwards the library still carries messages.
 */

const CALLS = [
  "mx_close_endpoint",
  "mx_connect",
  "mx_iconnect",
  "mx_disconnect",
  "mx_isend",
  "mx_issend",
  "mx_irecv",
  "mx_test",
  "mx_wait",
  "mx_test_any",
  "mx_wait_any",
  "mx_ipeek",
  "mx_peek",
  "mx_iprobe",
  "mx_probe",
  "mx_ibuffered",
  "mx_cancel",
  "mx_forget",
  "mx_context",
  "mx_progress",
  "mx_disable_progression",
  "mx_reenable_progression",
  "mx_wakeup",
  "mx_register_unexp_handler",
  "mx_set_request_timeout",
  "mx_get_endpoint_addr",
  "mx_decompose_endpoint_addr",
  "mx_decompose_endpoint_addr2",
  "mx_set_endpoint_addr_context",
  "mx_get_endpoint_addr_context",
  "mx_hostname_to_nic_id",
  "mx_nic_id_to_hostname",
  "mx_board_number_to_nic_id",
  "mx_nic_id_to_board_number",
  "mx_get_info",
  "mx_open_endpoint",
  "mx_set_error_handler",
  "mx_init",
  "mx_finalize",
  "mx_strerror",
  "mx_strstatus",
] as const satisfies readonly (keyof MxLibrary)[];

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const hostile = new Proxy([], {
  get() {
    throw new Error("a getter of the program's");
  },
  getPrototypeOf() {
    throw new Error("a trap of the program's");
  },
});

/** What a program without types, or with wrong ones, may pass; texts stand for what only the run has. */
const ODD: readonly unknown[] = [
  undefined,
  null,
  NaN,
  -1,
  0.5,
  Infinity,
  2 ** 53,
  MX_ANY_NIC,
  MX_ANY_ENDPOINT,
  -1n,
  2n ** 64n,
  NONE,
  0n,
  "",
  Symbol("odd"),
  revoked.proxy,
  hostile,
  () => 1,
  [undefined],
  [{ key: 2, val: { bits: 70, shift: -1 } }],
  [{ key: 0, val: 3 }],
  Object.create(null),
  {
    valueOf() {
      throw new Error("a conversion");
    },
    toString: 3,
  },
];
/** Stands for one of them: the test tool looks into values. */
class Odd {
  constructor(readonly index: number) {}
}

const GOOD = [
  "endpoint",
  "closed endpoint",
  "other endpoint",
  "address",
  "other address",
  "freed address",
  "request",
  "done request",
  "segments",
  "nic",
  "key",
  "one",
  "two",
] as const;

const argument = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...GOOD) },
  { weight: 2, arbitrary: fc.nat(ODD.length - 1).map((odd) => new Odd(odd)) },
  { weight: 1, arbitrary: fc.anything({ withBigInt: true, withNullPrototype: true, withTypedArray: true }) },
);
const step = fc.record({
  call: fc.constantFrom(...CALLS),
  args: fc.array(argument, { maxLength: 6 }),
  /** The first argument is mostly right, so that checks behind the first one are reached. */
  honest: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const MISUSED = { mx_strerror: "string", mx_strstatus: "string" } as Record<string, string>;

function isCode(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 44;
}

function checkResult(call: string, result: unknown): void {
  if (call in MISUSED) equal(typeof result, MISUSED[call]);
  else ok(isCode(result) || isCode((result as { code: unknown }).code), `${call} gives a code`);
}

/** One program misuses the library as the steps say; the other one only answers. */
function misuse(steps: readonly Step[]): void {
  const cluster = new ToyCluster(2);
  let ended = false;
  const memory = cluster.alloc(1 << 16);
  const owns = (address: number, length: number) => address >= memory && address + length <= memory + (1 << 16);
  cluster.hosts[1].start(function* (low) {
    const mx = createMxLibrary({ mx: low });
    mx.mx_set_error_handler(MX_ERRORS_RETURN);
    yield* mx.mx_init();
    const { endpoint } = yield* mx.mx_open_endpoint(0, 1, KEY, [], 0);
    while (!ended) yield* mx.mx_probe(endpoint!, 100, 0xffffn, NONE);
  });
  cluster.hosts[0].start(function* (low) {
    const mx = createMxLibrary({ mx: low, owns });
    mx.mx_set_error_handler(MX_ERRORS_RETURN);
    yield* mx.mx_init();
    const nic = BigInt(cluster.hosts[1].mac);
    const open = function* (id: number) {
      return (yield* mx.mx_open_endpoint(0, id, KEY, [], 0)).endpoint!;
    };
    const closed = yield* open(9);
    yield* mx.mx_close_endpoint(closed);
    const [endpoint, other] = [yield* open(1), yield* open(2)];
    const connect = function* (from: typeof endpoint) {
      for (;;) {
        const { address } = yield* mx.mx_connect(from, nic, 1, KEY, 1000);
        if (address !== null) return address; // else a signal has ended it
      }
    };
    const freed = yield* connect(endpoint);
    yield* mx.mx_disconnect(endpoint, freed);
    const [address, otherAddress] = [yield* connect(endpoint), yield* connect(other)];
    const list = [segment(memory, 100), segment(memory + 200, 5000)];
    const receive = function* () {
      return (yield* mx.mx_irecv(endpoint, list, 2, 7n, NONE, null)).request;
    };
    const done = yield* mx.mx_irecv(endpoint, list, 2, 7n, NONE, null);
    yield* mx.mx_cancel(endpoint, done.request!);
    const values: Record<(typeof GOOD)[number], unknown> = {
      "endpoint": endpoint,
      "closed endpoint": closed,
      "other endpoint": other,
      "address": address,
      "other address": otherAddress,
      "freed address": freed,
      "request": yield* receive(),
      "done request": done.request,
      "segments": list,
      "nic": nic,
      "key": KEY,
      "one": 1,
      "two": 2,
    };
    for (const { call, args, honest } of steps) {
      const given = args.map((arg) =>
        arg instanceof Odd ? ODD[arg.index] : typeof arg === "string" && arg in values ? values[arg as "nic"] : arg
      );
      if (honest && given.length > 0) given[0] = call === "mx_context" ? values.request : endpoint;
      const result = (mx[call] as (...args: unknown[]) => unknown)(...given);
      const isCall = typeof result === "object" && result !== null && Symbol.iterator in result;
      checkResult(call, isCall ? yield* result as Generator<number, unknown, void> : result);
      mx.mx_set_error_handler(MX_ERRORS_RETURN);
    }
    // Whatever it has done, a new endpoint works.
    yield* mx.mx_init();
    const last = yield* open(20);
    const to = yield* connect(last);
    const sent = yield* mx.mx_isend(last, list, 2, to, 9n, null);
    equal((yield* mx.mx_wait(last, sent.request!, 1000)).status?.code, 0);
    equal(yield* mx.mx_finalize(), 0);
    ended = true;
  });
  // Calls without a timeout are ended by a signal.
  for (let at = 10 * MS; at < 60 * SECOND; at += 100 * MS) {
    if (ended) break;
    cluster.run(at);
    for (const process of cluster.processes) for (const ep of process.endpoints) ep.wakeup();
  }
  ok(ended, "the program has come to its end");
}

Deno.test("any arguments, to any function, give a code", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), misuse), { numRuns: 60 });
});
