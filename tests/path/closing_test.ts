import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { PATHS } from "../../src/path/registry.ts";
import { STATUS_SUCCESS } from "../../src/mx/status.ts";
import type { MxRequest } from "../../src/mx/lib/types.ts";
import { ALL, between, KEY, open, reach, send, Stage } from "./xen2mx/support.ts";

/* Messages that are "sent" when their endpoint is closed: buffered, and still before the NIC. */

const MESSAGES = 60;
const BYTES = 32768;

/** Before these the queue of the NIC does not fill: a message takes longer than its frames. */
const SLOW = ["xen2mx-plain", "emulated"];

for (const { name } of PATHS.filter(({ name }) => !SLOW.includes(name))) {
  Deno.test(`${name}: what was sent before a close arrives as it was, whatever is sent after the next open`, () => {
    const stage = new Stage({ path: name, guests: 2 });
    const [a, b] = stage.actors;
    const at = a.filled(BYTES, 1);
    const other = a.filled(4096, 2);
    const into = b.alloc(BYTES);
    const wrong: number[] = [];
    let received = 0;
    a.play(function* (mx) {
      const first = yield* open(mx, 0);
      const to = yield* reach(first, b.hostname, 1);
      for (let i = 0; i < MESSAGES; i++) assert.equal(yield* send(first, at, BYTES, to, i), STATUS_SUCCESS);
      yield* first.close();
      yield 120 * US;
      // To the own host, as nothing else would come through before those are gone.
      const [next, near] = [yield* open(mx, 0), yield* open(mx, 2)];
      const local = yield* between(next, near, a.hostname);
      for (let i = 0; i < 4 * MESSAGES; i++) yield* send(next, other, 4096, local);
      yield* next.close();
      yield* near.close();
    });
    b.play(function* (mx) {
      const ep = yield* mx.openEndpoint(1, KEY);
      assert.ok(ep !== null);
      for (;;) {
        const request: MxRequest = yield* ep.irecv(into, BYTES, 0, received, ALL, ALL);
        if (!(yield* ep.wait(request, { timeoutPs: 40_000 * US }))) break; // some may have been lost
        assert.equal(request.code, STATUS_SUCCESS);
        if (!stage.holds(into, BYTES, 1)) wrong.push(received);
        received++;
      }
      yield* ep.close();
    });
    stage.run();
    assert.ok(received > MESSAGES / 2, `${received} messages`);
    assert.deepEqual(wrong, []);
    stage.nothingLeft();
  });
}
