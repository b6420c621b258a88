import assert from "node:assert/strict";
import { MX_NO_RESOURCES } from "../../src/mx/status.ts";
import { openEndpoint } from "../../src/workload/connect.ts";

Deno.test("a driver without room for another endpoint fails the rank, with MX's reason", () => {
  const mx = {
    code: MX_NO_RESOURCES,
    // deno-lint-ignore require-yield
    *openEndpoint() {
      return null;
    },
  };
  const opening = openEndpoint({ mx, rank: 2, endpointOf: () => 0 } as never, 1);
  assert.throws(() => opening.next(), { name: "RankFailed", message: "no endpoint on board 1: no resources" });
});
