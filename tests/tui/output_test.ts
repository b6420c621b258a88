import assert from "node:assert/strict";
import { Output } from "../../src/tui/output.ts";

/** A terminal that reads when the test says so, at most `most` bytes at a time. */
function slowTerminal(most = Infinity) {
  let text = "";
  let waiting: (() => void) | null = null;
  const sink = (bytes: Uint8Array) =>
    new Promise<number>((resolve) => {
      waiting = () => {
        const count = Math.min(most, bytes.length);
        text += new TextDecoder().decode(bytes.subarray(0, count));
        resolve(count);
      };
    });
  return {
    sink,
    get text() {
      return text;
    },
    /** Reads everything that is there. */
    async read() {
      while (waiting !== null) {
        const read: () => void = waiting;
        waiting = null;
        read();
        for (let i = 0; i < 5; i++) await Promise.resolve();
      }
    },
  };
}

Deno.test("text goes out in its order, in pieces as the terminal takes them", async () => {
  const terminal = slowTerminal(3);
  const output = new Output(terminal.sink, () => 0);
  output.write("one ");
  output.write("two ");
  assert.ok(output.busy);
  await terminal.read();
  output.write("three");
  await terminal.read();
  assert.equal(terminal.text, "one two three");
  assert.ok(!output.busy);
});

Deno.test("a stalled terminal costs bounded memory, and all is drawn anew after it", async () => {
  let now = 0;
  const terminal = slowTerminal();
  const output = new Output(terminal.sink, () => now);
  const drained: [number, number, boolean][] = [];
  output.onDrain = (...args) => drained.push(args);
  const picture = "x".repeat(100_000);
  for (let i = 0; i < 50; i++) output.write(picture);
  now = 5000;
  assert.ok(output.busy);
  await terminal.read();
  assert.ok(terminal.text.length <= 400_000, String(terminal.text.length));
  assert.deepEqual(drained, [[5000, 0, true]]);
});

Deno.test("one text of any length goes through", async () => {
  const terminal = slowTerminal();
  const output = new Output(terminal.sink, () => 0);
  output.write("y".repeat(1_000_000));
  await terminal.read();
  assert.equal(terminal.text.length, 1_000_000);
});

Deno.test("a terminal that is gone does not keep anybody waiting", async () => {
  const output = new Output(() => Promise.reject(new Error("EIO")), () => 0);
  output.write("text");
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.ok(!output.busy);
});

Deno.test("pictures are counted that a terminal had no place for, not the time that we took ourselves", async () => {
  let now = 0;
  const terminal = slowTerminal();
  const output = new Output(terminal.sink, () => now);
  const drained: [number, number, boolean][] = [];
  output.onDrain = (...args) => drained.push(args);
  assert.ok(output.ready);
  output.write("picture");
  now = 2000;
  await terminal.read();
  output.write("picture");
  for (let i = 0; i < 7; i++) assert.ok(!output.ready);
  now = 3000;
  await terminal.read();
  assert.deepEqual(drained, [[2000, 0, false], [1000, 7, false]]);
});
