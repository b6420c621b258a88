import assert from "node:assert/strict";
import { SECOND } from "../../../src/base/units.ts";
import { scenario, totals, untilTestEnds } from "../../support/scenario.ts";
import { Session } from "../../../src/cluster/session.ts";

Deno.test("a sleeping worker is told when slots come back for events that wait in dom0", () => {
  // Without BOOST a guest waits 30 ms for its CPU while frames come in: more events than the ring has slots.
  const plain = scenario({
    guests: 4,
    path: "xen2mx",
    workload: { kind: "noisy", size: "16 KiB", outstanding: 4, wait: "block" },
    mechanisms: { boost: false },
    durationPs: 2 * SECOND,
  });
  const session = untilTestEnds(
    new Session({ ...plain, guests: plain.guests.map((guest) => ({ ...guest, pin: [0] })) }),
  );
  let most = 0;
  while (session.now < SECOND) {
    session.advance(session.now + SECOND / 1000);
    for (const { ports: [port] } of session.cluster.guests) {
      const { used, size } = port.figures().ring!;
      assert.ok(used <= size, `${used} of ${size} slots: what waits in dom0 has none`);
      most = Math.max(most, used);
    }
  }
  assert.ok(most >= 16, "a ring was full");
  const { messages } = totals(session);
  assert.ok(messages > 200, `${messages} messages in a second`);
  session.advance(2 * SECOND);
  assert.ok(totals(session).messages > 1.5 * messages, "and it goes on");
});
