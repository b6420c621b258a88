import assert from "node:assert/strict";
import { readEnvironment, VARIABLE_NAMES, variableOf } from "../../src/mx/environment.ts";

/** What the library makes of its environment (lib/omx_init.c:250-560). */

Deno.test("an empty environment leaves every choice to its default", () => {
  assert.deepEqual(readEnvironment({}), { library: {}, waitMode: null, fatalErrors: true });
});

Deno.test("each variable sets its own option", () => {
  const cases: [string, string, unknown][] = [
    ["OMX_RNDV_THRESHOLD", "1024", { library: { rndvThreshold: 1024 } }],
    ["OMX_SHARED_RNDV_THRESHOLD", "0", { library: { sharedRndvThreshold: 0 } }],
    ["OMX_DISABLE_SELF", "1", { library: { selfComms: false } }],
    ["MX_DISABLE_SELF", "0", { library: { selfComms: true } }],
    ["OMX_MEDIUM_SENDQ", "0", { library: { mediumSendQueue: false } }],
    ["OMX_RCACHE", "1", { library: { registrationCache: true } }],
    ["OMX_RESENDS_MAX", "7", { library: { resendsMax: 7 } }],
    ["MX_MAX_RETRIES", "7", { library: { resendsMax: 7 } }],
    ["OMX_NOTACKED_MAX", "1", { library: { notAckedMax: 1 } }],
    ["MX_IMM_ACK", "9", { library: { notAckedMax: 9 } }],
    ["OMX_ZOMBIE_SEND", "0", { library: { zombieSends: 0 } }],
    ["OMX_WAITSPIN", "0", { waitMode: "block" }],
    ["OMX_WAITSPIN", "1", { waitMode: "poll" }],
    ["OMX_FATAL_ERRORS", "0", { fatalErrors: false }],
  ];
  const defaults = readEnvironment({});
  for (const [name, value, wanted] of cases) {
    assert.deepEqual(readEnvironment({ [name]: value }), { ...defaults, ...wanted as object }, `${name}=${value}`);
  }
  assert.deepEqual([...new Set(cases.map(([name]) => name))].sort(), [...VARIABLE_NAMES].sort());
});

Deno.test("several stand together; unknown names and values out of range are passed over", () => {
  const environment = {
    HOME: "/",
    OMX_RESENDS_MAX: "0",
    OMX_RCACHE: "yes",
    OMX_ZOMBIE_SEND: "4",
    OMX_DISABLE_SELF: "1",
  };
  assert.deepEqual(readEnvironment(environment).library, { zombieSends: 4, selfComms: false });
  assert.equal(variableOf("HOME"), undefined);
  assert.equal(variableOf("MX_IMM_ACK"), variableOf("OMX_NOTACKED_MAX"));
});
