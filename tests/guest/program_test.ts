// deno-lint-ignore-file require-yield
import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { scenarioHash } from "../../src/cluster/scenario_hash.ts";
import { Communicator } from "../../src/guest/collective.ts";
import type { Guest } from "../../src/guest/guest.ts";
import { OUTPUT_LINES, RunOutput } from "../../src/guest/output.ts";
import { judge } from "../../src/report/thresholds.ts";
import { toMarkdown } from "../../src/report/markdown.ts";
import { toTable } from "../../src/report/table.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { programOf, programScenario, runProgram } from "../support/program.ts";
import { untilTestEnds } from "../support/scenario.ts";

const META = { command: "test", version: "0", wallMs: 0, partial: false };

/** What the ranks have printed, by guest. */
function printed(session: Session): string[] {
  return session.output!.lines.map(({ guest, text }) => `${guest}: ${text}`);
}

Deno.test("time: sleep and compute take as long as they say, and only compute takes the CPU", () => {
  const times: number[] = [];
  const session = runProgram(function* (guest) {
    const start = guest.now();
    if (guest.rank === 0) yield* guest.sleep(500);
    else yield* guest.compute(500);
    times[guest.rank] = guest.now() - start;
  });
  assert.ok(times[0] >= 500 && times[0] < 510, `${times[0]}`);
  assert.ok(times[1] >= 500 && times[1] < 501, `${times[1]}`);
  const { guests } = takeSnapshot(session, META);
  assert.ok(guests[0].cpu.user < 0.05 && guests[1].cpu.user > 0.9, JSON.stringify(guests.map(({ cpu }) => cpu)));
});

Deno.test("a sleep of no time gives the CPU away all the same: others come to their turn", () => {
  let isReady = false;
  const seen: boolean[] = [];
  runProgram(function* (guest) {
    if (guest.rank === 1) {
      yield* guest.sleep(50);
      isReady = true;
      return;
    }
    while (!isReady) yield* guest.sleep(0);
    seen.push(guest.now() >= 50);
  });
  assert.deepEqual(seen, [true]);
});

Deno.test("an alarm ends a wait by mx_wakeup, at its time", () => {
  const session = runProgram(function* (guest) {
    const { mx } = guest;
    yield* mx.mx_init();
    const { endpoint } = yield* mx.mx_open_endpoint(0, guest.endpoint(guest.rank), 1, [], 0);
    const { request } = yield* mx.mx_irecv(
      endpoint!,
      [guest.alloc(8).segment()],
      1,
      1n,
      ~0n & 0xffff_ffff_ffff_ffffn,
      0,
    );
    const start = guest.now();
    guest.alarm(250, () => void mx.mx_wakeup(endpoint!));
    const { result } = yield* mx.mx_wait(endpoint!, request!, 0);
    const took = guest.now() - start;
    guest.check(!result && took > 249.999 && took < 260, `${result} after ${took}`);
    yield* mx.mx_cancel(endpoint!, request!);
    yield* mx.mx_finalize();
  });
  assert.deepEqual([session.failure, session.output!.checks, session.output!.failures()], [null, 2, []]);
});

Deno.test("an alarm sets itself again while its process sleeps, and tells its own instants", () => {
  const rung: number[] = [];
  let start = 0;
  const session = runProgram(function* (guest) {
    if (guest.rank !== 0) return;
    start = guest.now();
    const ring = () => {
      rung.push(guest.now() - start);
      guest.print("rings");
      if (rung.length < 4) guest.alarm(100, ring);
    };
    guest.alarm(100, ring);
    guest.alarm(150, () => guest.check(false, "late"));
    yield* guest.sleep(350);
    guest.check(guest.now() - start < 400, "woke up in time");
    yield* guest.sleep(350);
  });
  assert.deepEqual(rung.map((at) => Math.round(at)), [100, 200, 300, 400]);
  assert.deepEqual(session.output!.lines.map((line) => Math.round(line.at_us - start)), [100, 200, 300, 400]);
  const [late] = session.output!.failures();
  assert.equal(Math.round(Number(/at ([\d.]+) us: check failed: late/.exec(late)![1]) - start), 150);
});

Deno.test("memory: zeroed, page-aligned, bounded, and a segment outside of it is refused", () => {
  const session = runProgram(function* (guest) {
    const buffer = guest.alloc(100);
    guest.check(buffer.address % 4096 === 0 && buffer.bytes().every((byte) => byte === 0), "fresh");
    buffer.write("grüße", 10);
    guest.check(new TextDecoder().decode(buffer.bytes().subarray(10, 17)) === "grüße", "written");
    const { mx } = guest;
    mx.mx_set_error_handler((_text, code) => code);
    yield* mx.mx_init();
    const { endpoint } = yield* mx.mx_open_endpoint(0, guest.endpoint(guest.rank), 1, [], 0);
    const foreign = { segment_ptr: buffer.address + 4096, segment_length: 8 };
    const { code } = yield* mx.mx_irecv(endpoint!, [foreign], 1, 0n, 0n, null);
    guest.check(mx.mx_strerror(code) === "bad segment memory", mx.mx_strerror(code));
    yield* mx.mx_finalize();
    guest.alloc(2 << 20);
    guest.alloc(2 << 20);
  });
  assert.deepEqual(session.output!.failures(), []);
  assert.match(session.failure!, /alloc: found 2097152 bytes, and 2044 KiB of 4 MiB are left/);
});

Deno.test("random numbers depend on seed and guest; a run is the same in slices and when it is looked at", () => {
  const main = function* (guest: Guest) {
    const comm = yield* Communicator.open(guest);
    for (let i = 0; i < 5; i++) {
      yield* guest.sleep(guest.random() * 100);
      guest.print(`${guest.random()}`);
      yield* comm.barrier();
    }
    yield* comm.close();
  };
  const one = runProgram(main, { guests: 3 });
  const other = runProgram(main, { guests: 3, seed: 2 });
  assert.equal(one.output!.lines.length, 15);
  assert.equal(new Set([...printed(one), ...printed(other)].map((line) => line.split(" ")[1])).size, 30);
  const sliced = new Session(programScenario({ guests: 3 }), { program: programOf(() => main) });
  while (!sliced.finished) {
    sliced.advance(Math.min(sliced.end, sliced.now + MS), 7);
    takeSnapshot(sliced, META);
  }
  assert.deepEqual([sliced.fingerprint, sliced.output!.lines], [one.fingerprint, one.output!.lines]);
});

Deno.test("a program that would go on for ever is told to stop when the run is over", () => {
  const session = runProgram(function* (guest) {
    while (!guest.stopping()) yield* guest.sleep(300);
    guest.print("stopped");
  }, { durationPs: 2 * MS });
  assert.equal(session.now, 2 * MS);
  assert.deepEqual(printed(session), []);
  assert.deepEqual(session.drain(), []);
  assert.deepEqual(printed(session).sort(), ["vm01: stopped", "vm02: stopped"]);
});

Deno.test("output: bounded, one line each, and nothing in it moves a cursor", () => {
  const output = new RunOutput();
  output.print(1, "vm01", "a\x1b[2Jb\nc\td\u202e");
  assert.deepEqual(output.lines.map(({ text }) => text), ["a\\x1b[2Jb", "c  d\\u{202e}"]);
  output.print(2, "vm01", "x".repeat(2000));
  assert.equal(output.lines[2].text.length, 1000);
  output.print(2, "vm01", "\ud800|\u{1f600}"); // a JSON text may not have the first one
  assert.equal(output.lines[3].text, "\ufffd|\u{1f600}");
  for (let i = 0; i < OUTPUT_LINES; i++) output.print(3, "vm02", "y");
  assert.deepEqual([output.lines.length, output.dropped], [OUTPUT_LINES, 4]);
});

Deno.test("results show what programs print and check; checks that fail are failures by their text", () => {
  const session = runProgram(function* (guest) {
    yield* guest.sleep(10);
    guest.print(`here | ${guest.args.word}`);
    guest.check(guest.rank === 0, "only the first is right");
  }, { args: { word: "x" } });
  const snapshot = judge(takeSnapshot(session, META), []);
  assert.deepEqual(snapshot.checks, { made: 2, failed: 1 });
  assert.equal(snapshot.totals.integrity_errors, 1);
  assert.equal(snapshot.ok, false);
  assert.match(snapshot.failures.join("\n"), /^vm02 at [\d.]+ us: check failed: only the first is right$/);
  assert.match(toTable(snapshot), /^vm01 +\d+\.\d{3} us {2}here \| x$/m);
  assert.match(toMarkdown(snapshot), /^\| vm01 \| \d+\.\d{3} \| here \\\| x \|$/m);
});

Deno.test("a run without a message is good when its program has said something, and not otherwise", () => {
  const verdict = (main: (guest: Guest) => Generator<number, void, void>) =>
    judge(takeSnapshot(runProgram(main), META), []).failures;
  assert.deepEqual(
    verdict(function* (guest) {
      guest.print("nothing sent");
    }),
    [],
  );
  assert.deepEqual(verdict(function* () {}), ["no samples: no message was completed after warm-up"]);
});

/** What ends the run when every rank does this. */
function failureOf(main: (guest: Guest) => unknown): string {
  const session = new Session(programScenario(), { program: programOf(() => main as never) });
  session.advance(session.end);
  assert.ok(session.finished);
  assert.deepEqual(session.drain(), []);
  return session.failure!.replace(/^vm0\d \(rank \d\) at [\d.]+ us: /, "");
}

const fail = (): never => {
  throw new Error("no text");
};

Deno.test("whatever a program throws ends the run with one line", () => {
  const thrown: [unknown, string][] = [
    [new Error("no luck\nat all"), "test.ts: no luck"],
    [new TypeError("x is no function"), "test.ts: TypeError: x is no function"],
    ["a text", "test.ts: threw a text"],
    [undefined, "test.ts: threw undefined"],
    [{ code: 7 }, 'test.ts: threw {"code":7}'],
    [Object.create(null), "test.ts: threw {}"],
    [{ toString: () => "its own text" }, "test.ts: threw its own text"],
    [{ toJSON: () => fail() }, "test.ts: threw something without a text"],
    ["\x1b[2J", "test.ts: threw \\x1b[2J"],
  ];
  for (const [value, text] of thrown) {
    assert.equal(
      failureOf(function* () {
        throw value;
      }),
      text,
    );
  }
  assert.match(failureOf(() => 7), /^test\.ts:1:1: the program of rank \d is no generator/);
  assert.match(
    failureOf(function* () {
      yield "x";
    }),
    /yield without a star/,
  );
  assert.match(
    failureOf(function* () {
      for (;;) yield 0;
    }),
    /virtual time stood still/,
  );
  assert.match(
    failureOf(function* (guest) {
      guest.alarm(5, () => {
        throw new Error("in the alarm");
      });
      yield* guest.sleep(100);
    }),
    /in the alarm/,
  );
  const late = function* (guest: Guest) {
    yield* guest.sleep(1);
  };
  for (const actionOf of [(guest: Guest) => late.bind(null, guest), (guest: Guest) => () => late(guest)]) {
    assert.match(
      failureOf(function* (guest) {
        guest.alarm(5, actionOf(guest));
        yield* guest.sleep(100);
      }),
      /an alarm's action cannot wait; wanted a plain function$/,
    );
  }
  assert.match(
    failureOf(function* (guest) {
      const ring = () => guest.alarm(0, ring);
      ring();
      yield* guest.sleep(100);
    }),
    /virtual time stood still/,
  );
  assert.match(
    failureOf(function* (guest) {
      yield* guest.mx.mx_close_endpoint(null as never);
    }),
    /MxFatalError|bad endpoint/i,
  );
});

Deno.test("functions of the guest and of MX work without the object that they are taken from", () => {
  const session = runProgram(function* ({ mx, endpoint, rank, sleep, now, check, print }) {
    const { mx_init, mx_open_endpoint, mx_strerror, mx_finalize } = mx;
    yield* mx_init();
    const opened = yield* mx_open_endpoint(0, endpoint(rank), 1, [], 0);
    yield* sleep(10);
    check(now() > 10, mx_strerror(opened.code));
    print(`rank ${rank}`);
    yield* mx_finalize();
  });
  assert.deepEqual([session.failure, session.output!.checks, session.output!.failedChecks], [null, 2, 0]);
  assert.deepEqual(session.output!.lines.map(({ text }) => text).sort(), ["rank 0", "rank 1"]);
});

Deno.test("a scenario's hash changes with the text of its program and not with its place", () => {
  const base = programScenario();
  const hash = (change: object) => scenarioHash({ ...base, program: { ...base.program!, ...change } });
  assert.equal(hash({ file: "elsewhere.ts" }), scenarioHash(base));
  assert.notEqual(hash({ source: "0123456789abcdef" }), scenarioHash(base));
  assert.notEqual(hash({ args: { a: 1 } }), scenarioHash(base));
});

Deno.test("a rank without room for its endpoint hears why, and what would help: dom0's, not what it has used up itself", () => {
  const failureOf = (maxHandles: number, endpoints: number) => {
    const program = programOf(() =>
      function* ({ mx, endpoint, rank, ranks }: Guest) {
        yield* mx.mx_init();
        for (let i = 0; i < endpoints; i++) {
          yield* mx.mx_open_endpoint(0, endpoint(rank) + i * ranks, 1, [], 0);
        }
      }
    );
    const session = untilTestEnds(new Session(programScenario({ hosts: 1, path: "xen2mx" }), { program }));
    Object.assign(session.cluster.hosts[0].hypervisor!.domain(0)!.mappings, { maxHandles });
    session.advance(session.end);
    return session.failure!;
  };
  // Dom0 has room for the rings of two devices, and for one endpoint.
  assert.match(
    failureOf(2000, 1),
    /endpoint [01]: no resources \(code 15\); dom0 of host a maps at most 2000 pages, and 1027 for each endpoint, which is 1 endpoint: fewer guests on a host, or a smaller link.mtu$/,
  );
  // Fifteen endpoints take what a guest's own grant table has.
  assert.match(failureOf(131072, 16), /endpoint 3[01]: no resources \(code 15\)$/);
});
