import { Prng } from "../../src/base/prng.ts";
import { Engine } from "../../src/sim/engine.ts";
import type { Work } from "./work.ts";

/**
 * The heart of every run: take the earliest event, call its handler, schedule one later. `pending` events are under
 * way at any time, 20 ns apart; one in sixteen lies far ahead, as timeouts do, and one in eight of those is cancelled.
 */
export function eventQueue(operations: number, pending: number): Work {
  const engine = new Engine(1);
  const random = new Prng(1, "event queue bench");
  const span = pending * 20_000;
  let left = operations - pending;
  const handler = engine.handler("event", (a, b) => {
    if (left-- <= 0) return;
    if ((a & 15) !== 0) {
      engine.after(random.below(span), handler, a + 1, b);
      return;
    }
    const id = engine.timer(engine.now + 2_000_000_000 + random.below(1_000_000), handler, a + 1, b);
    if ((a & 127) === 0 && engine.cancel(id)) engine.after(1000, handler, a + 1, b);
  });
  for (let i = 0; i < pending; i++) engine.at(random.below(span), handler, i, i);
  engine.run(Number.MAX_SAFE_INTEGER - 1);
  return { operations: engine.events, hash: engine.fingerprint };
}
