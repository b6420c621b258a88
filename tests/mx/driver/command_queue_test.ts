import assert from "node:assert/strict";
import { CommandQueue } from "../../../src/mx/driver/command_queue.ts";
import { MxCommand } from "../../../src/mx/driver/contract.ts";

/** A command whose fields are all different from their defaults and from each other. */
function numbered(first: number): MxCommand {
  const command = new MxCommand();
  const fields = command as unknown as Record<string, unknown>;
  Object.keys(command).forEach((name, i) => fields[name] = first + i);
  return command;
}

Deno.test("a copy of a command has all of its fields", () => {
  const copy = new MxCommand();
  copy.assign(numbered(1000));
  assert.deepEqual({ ...copy }, { ...numbered(1000) });
});

Deno.test("commands go in the order in which they came, as they were then", () => {
  const queue = new CommandQueue();
  const command = new MxCommand();
  const expected: number[] = [];
  let next = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = round % 4; i >= 0; i--) {
      command.cookie = next;
      expected.push(next++);
      queue.push(command);
    }
    for (let i = (round * 7) % 5; i > 0 && expected.length > 0; i--) {
      assert.equal(queue.first.cookie, expected.shift());
      queue.shift();
    }
    assert.equal(queue.isEmpty, expected.length === 0);
  }
});
