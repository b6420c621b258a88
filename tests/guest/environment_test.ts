import assert from "node:assert/strict";
import type { Guest } from "../../src/guest/guest.ts";
import {
  type Call,
  MX_COPY_SEND_MAX,
  type mx_endpoint_addr_t,
  type mx_endpoint_t,
  MX_INFINITE,
} from "../../src/guest/mx_types.ts";
import { record } from "../support/wire.ts";
import { programOf, type ProgramOptions, programScenario, runProgram } from "../support/program.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { Session } from "../../src/cluster/session.ts";

/** The environment of a guest program: the scenario's, and what the program sets before mx_init. */

const KEY = 7;
const META = { command: "test", version: "0", wallMs: 0, partial: false };

/** Opens, connects to the next rank (or to itself), runs a body, closes. */
function connected(
  body: (guest: Guest, ep: mx_endpoint_t, to: mx_endpoint_addr_t) => Call<void>,
  before = (_: Guest) => {},
) {
  return function* (guest: Guest) {
    const { mx } = guest;
    before(guest);
    yield* mx.mx_init();
    const ep = (yield* mx.mx_open_endpoint(0, guest.endpoint(guest.rank), KEY, [], 0)).endpoint!;
    yield* guest.sleep(200); // until all are open
    const next = (guest.rank + 1) % guest.ranks;
    const { nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(next));
    const { address } = yield* mx.mx_connect(ep, nic_id, guest.endpoint(next), KEY, MX_INFINITE);
    yield* body(guest, ep, address!);
    yield* guest.sleep(2000);
    yield* mx.mx_progress(ep);
    yield* mx.mx_finalize();
  };
}

/** A message of `bytes` from rank 0 to the next, which receives it. */
function transfer(bytes: number) {
  return function* (guest: Guest, ep: mx_endpoint_t, to: mx_endpoint_addr_t): Call<void> {
    const { mx } = guest;
    const buffer = guest.alloc(bytes);
    const exact = 0xffff_ffff_ffff_ffffn;
    const requests = [];
    if (guest.rank === 0) requests.push((yield* mx.mx_isend(ep, [buffer.segment()], 1, to, 1n, null)).request!);
    if (guest.rank === guest.ranks - 1) {
      requests.push((yield* mx.mx_irecv(ep, [guest.alloc(bytes).segment()], 1, 1n, exact, null)).request!);
    }
    for (const request of requests) yield* mx.mx_wait(ep, request, MX_INFINITE);
  };
}

function framesOf(main: (guest: Guest) => Generator<number, void, void>, options: ProgramOptions): string[] {
  const session = new Session(programScenario(options), { program: programOf(() => main) });
  const seen = record(session.cluster);
  session.advance(session.end);
  assert.deepEqual([session.failure, session.output!.failures()], [null, []]);
  return seen.map(({ name }) => name);
}

for (const path of ["native", "xen2mx"]) {
  Deno.test(`a threshold of the environment makes the same message eager or large, on ${path}`, () => {
    const send = connected(transfer(2000));
    const lowered = connected(transfer(2000), (guest) => guest.setenv("OMX_RNDV_THRESHOLD", "1024"));
    assert.equal(framesOf(send, { path }).filter((name) => name === "RNDV").length, 0);
    assert.equal(framesOf(lowered, { path }).filter((name) => name === "RNDV").length, 1);
    const environment = { OMX_RNDV_THRESHOLD: "1024" };
    assert.equal(framesOf(send, { path, environment }).filter((name) => name === "RNDV").length, 1);
  });

  Deno.test(`OMX_DISABLE_SELF: a message to oneself goes through the driver, on ${path}`, () => {
    const counted = (off: boolean): number => {
      const session = runProgram(
        connected(transfer(100), (guest) => off && guest.setenv("OMX_DISABLE_SELF", "1")),
        { path, guests: 1, hosts: 1 },
      );
      assert.deepEqual([session.failure, session.output!.failures()], [null, []]);
      const { counters } = takeSnapshot(session, META).hosts[0].boards[0];
      return Object.values(counters).reduce((sum, value) => sum + value, 0);
    };
    assert.ok(counted(true) > counted(false), "shared counters move");
  });
}

Deno.test("the program's own copy: mx_get_info tells what is in force, other ranks keep theirs", () => {
  const maxima: number[] = [];
  const main = connected(
    function* (guest, ep) {
      const { value } = yield* guest.mx.mx_get_info(ep, MX_COPY_SEND_MAX, 0);
      maxima[guest.rank] = Number(value);
    },
    (guest) => guest.rank === 1 && guest.setenv("OMX_RNDV_THRESHOLD", "512"),
  );
  assert.equal(runProgram(main, { environment: { OMX_RNDV_THRESHOLD: "4096" } }).failure, null);
  assert.deepEqual(maxima, [4096, 512]);
});

Deno.test("OMX_FATAL_ERRORS=0: an error is returned where it would end the program", () => {
  const closeTwice = (off: boolean) => {
    let code = -1;
    const session = runProgram(function* (guest) {
      if (off) guest.setenv("OMX_FATAL_ERRORS", "0");
      yield* guest.mx.mx_init();
      code = yield* guest.mx.mx_init();
    });
    return [code, session.failure === null];
  };
  assert.deepEqual(closeTwice(true), [3, true]);
  assert.deepEqual(closeTwice(false), [-1, false]);
});

Deno.test("a threshold beyond what can be is told as it is in force, with an endpoint and without", () => {
  for (const [asked, told] of [["1", 128], ["4096", 4096], ["1000000", 262_144]] as const) {
    const found: number[] = [];
    const main = connected(function* (guest, ep) {
      for (const endpoint of [null, ep]) {
        found.push(Number((yield* guest.mx.mx_get_info(endpoint, MX_COPY_SEND_MAX, 0)).value));
      }
    });
    assert.equal(runProgram(main, { environment: { OMX_RNDV_THRESHOLD: asked } }).failure, null);
    assert.deepEqual(found, [told, told, told, told]);
  }
});
