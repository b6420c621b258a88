import assert from "node:assert/strict";
import { ProgramFault } from "../../src/base/assert.ts";
import type { AnatomyClass } from "../../src/report/anatomy.ts";
import { AnatomyDrive } from "../../src/tui/drive/anatomy.ts";
import type { AnatomyMessage } from "../../src/tui/modes/anatomy.ts";

/** Not looked at by the drive. */
const classOf = (name: string) => ({ name }) as AnatomyClass;
const effect = (asked: number, path: string) => ({ type: "anatomy", asked, scenario: "s", path }) as const;

/** Messages of a drive, up to the end of the recording with this number. */
function collect(open: (path: string) => Iterator<AnatomyClass | null>) {
  const messages: AnatomyMessage[] = [];
  const errors: unknown[] = [];
  let ended = () => {};
  const drive = new AnatomyDrive(async (_, path) => await open(path), (message) => {
    messages.push(message);
    if (message.type !== "anatomy-class") ended();
  }, (error) => {
    errors.push(error);
    ended();
  });
  const end = () => new Promise<void>((resolve) => ended = resolve);
  return { drive, messages, errors, end };
}

Deno.test("a recording arrives class by class, then it is complete", async () => {
  const { drive, messages, end } = collect(function* () {
    for (const name of ["tiny", "small"]) {
      for (let slice = 0; slice < 5; slice++) yield null;
      yield classOf(name);
    }
  });
  drive.record(effect(1, "native"));
  await end();
  assert.deepEqual(messages, [
    { type: "anatomy-class", asked: 1, made: classOf("tiny") },
    { type: "anatomy-class", asked: 1, made: classOf("small") },
    { type: "anatomy-complete", asked: 1 },
  ]);
});

Deno.test("one that is not wanted any more is given up, and keys get their turn meanwhile", async () => {
  let slices = 0;
  const { drive, messages, end } = collect(function* (path): Generator<AnatomyClass | null> {
    while (path === "endless") {
      slices++;
      const until = performance.now() + 5;
      while (performance.now() < until);
      yield null;
    }
    yield classOf(path);
  });
  drive.record(effect(1, "endless"));
  await new Promise((resolve) => setTimeout(resolve, 40)); // the endless one lets this timer run
  assert.ok(slices > 0);
  drive.record(effect(2, "native"));
  await end();
  const given = slices;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(slices, given);
  assert.deepEqual(messages.map(({ asked }) => asked), [2, 2]);
});

Deno.test("what cannot be recorded is said", async () => {
  const { drive, messages, end } = collect(() => {
    throw new Error("s: unknown path");
  });
  drive.record(effect(3, "nothing"));
  await end();
  assert.deepEqual(messages, [{ type: "anatomy-failed", asked: 3, text: "s: unknown path" }]);
});

Deno.test("a fault of ours is not the scenario's", async () => {
  const fault = new ProgramFault("it cannot be");
  const { drive, messages, errors, end } = collect(() => {
    throw fault;
  });
  drive.record(effect(1, "native"));
  await end();
  assert.deepEqual([messages, errors], [[], [fault]]);
});
