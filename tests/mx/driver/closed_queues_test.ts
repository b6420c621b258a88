import assert from "node:assert/strict";
import { MS, US } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import { NativeDriver } from "../../../src/mx/driver/native.ts";
import { DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";

/* The queues of a closed endpoint: others get their memory, but not while a frame refers to it. */

const A = 0xaaaa0001;
const B = 0xbbbb0002;
const OWNER: c.EndpointOwner = { commandDone() {}, wake() {} };

/** A driver `a` whose frames wait in the NIC until the script lets them go. */
function heldBack() {
  const t = new DriverBench();
  const held: number[] = [];
  const { frames } = t;
  t.a.driver.port.transmit = (_cpu, frame) => held.push(frame) > 0;
  /** The next frame leaves, as a NIC has it: its payload has been read, and the driver hears of it. */
  const leave = () => {
    const frame = held.shift()!;
    const cookie = frames.doneOf(frame);
    frames.own(frame);
    t.link.carry(0, frame, 0);
    t.a.burst((cpu) => t.a.driver.frameSent(cpu, cookie));
    t.run(t.engine.now + 10 * US);
  };
  const open = (index: number): { driver: NativeDriver; queues: c.EndpointQueues } => {
    const driver = new NativeDriver(t.a.driver, `a${index}`, "a", 0, 8);
    let queues: c.EndpointQueues | null = null;
    t.a.burst((cpu) => queues = driver.open(cpu, index, A, OWNER));
    return { driver, queues: queues! };
  };
  return { t, leave, open };
}

Deno.test("an endpoint gets the memory of a closed one when the last frame has left that refers to it, and 100 us are over", () => {
  const { t, leave, open } = heldBack();
  const theirs = t.b.open(3, B);
  const first = open(2);
  const place = first.queues.sendQueue.at(0);
  const fragments = [0, 1, 2];
  t.a.burst((cpu) => {
    for (const fragment of fragments) {
      t.memory.u8.set(make.pattern(8192, fragment), first.queues.sendQueue.at(fragment));
      const command = { kind: c.CMD_SEND_MEDIUM_FRAG, peer: 1, endpoint: 3, session: B, length: 3 * 8192, fragment };
      const part = { queueOffset: fragment * t.limits.slotBytes, fragmentLength: 8192 };
      first.driver.submit(cpu, Object.assign(new c.MxCommand(), { ...command, ...part }));
    }
    first.driver.close(cpu);
  });
  // Whoever opens meanwhile writes into its own queue.
  for (let index = 10; index < 13; index++) {
    t.run(t.engine.now + MS);
    const { queues } = open(index);
    assert.notEqual(queues.sendQueue.at(0), place, `after ${index - 10} frames`);
    t.memory.u8.fill(0x55, queues.sendQueue.at(0), queues.sendQueue.at(8));
    leave();
  }
  assert.deepEqual(theirs.sink.events.map(({ data }) => data), fragments.map((i) => make.pattern(8192, i)));
  assert.equal(open(13).queues.sendQueue.at(0), place, "it has rested since the close");
  t.clean();
});

Deno.test("without frames on their way the memory is another's after 100 us, not before", () => {
  const { t, open } = heldBack();
  const first = open(2);
  const place = first.queues.sendQueue.at(0);
  t.a.burst((cpu) => first.driver.close(cpu));
  t.run(t.engine.now + 99 * US);
  assert.notEqual(open(2).queues.sendQueue.at(0), place);
  t.run(t.engine.now + 1 * US);
  assert.equal(open(3).queues.sendQueue.at(0), place);
  t.clean();
});
