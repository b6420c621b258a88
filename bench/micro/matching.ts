import { Prng } from "../../src/base/prng.ts";
import { Matcher } from "../../src/mx/lib/matching.ts";
import { Request } from "../../src/mx/lib/request.ts";
import { type Work, WorkHash } from "./work.ts";

/** A message finds its receive among `depth` posted ones, any of them; then that one is posted again, last. */
export function matching(operations: number, depth: number): Work {
  const matcher = new Matcher();
  const random = new Prng(1, "matching bench");
  const hash = new WorkHash();
  for (let i = 0; i < depth; i++) {
    const receive = new Request();
    receive.maskA = -1;
    receive.maskB = -1;
    receive.wantA = 7;
    receive.wantB = i;
    matcher.post(receive);
  }
  for (let n = 0; n < operations; n++) {
    const receive = matcher.takePosted(7, random.below(depth))!;
    hash.add(receive.wantB);
    matcher.post(receive);
  }
  return { operations, hash: hash.text };
}
