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
  session.advance(SECOND);
  const { messages } = totals(session);
  assert.ok(messages > 200, `${messages} messages in a second`);
  session.advance(2 * SECOND);
  assert.ok(totals(session).messages > 1.5 * messages, "and it goes on");
});
