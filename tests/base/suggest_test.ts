import assert from "node:assert/strict";
import { hash64 } from "../../src/base/hash.ts";
import { canonicalJson } from "../../src/base/hash.ts";
import { didYouMean, nearest } from "../../src/base/suggest.ts";

Deno.test("a typo finds what was meant, another word finds nothing", () => {
  const names = ["pingpong-tiny", "throughput-4m", "scale-40-vms"];
  assert.equal(nearest("pingpong_tiny", names), "pingpong-tiny");
  assert.equal(nearest("pinpong-tiny", names), "pingpong-tiny");
  assert.equal(nearest("scale-40-vm", names), "scale-40-vms");
  assert.equal(nearest("jacobi", names), null);
  assert.equal(didYouMean("warmpu", ["warmup", "duration"]), "; did you mean warmup?");
  assert.equal(didYouMean("x", []), "");
});

Deno.test("hash64 is FNV-1a, and does not depend on the order of keys", () => {
  assert.equal(hash64(""), "cbf29ce484222325");
  assert.equal(hash64("a"), "af63dc4c8601ec8c");
  assert.equal(canonicalJson({ b: [1, { d: 1, c: 2 }], a: null }), '{"a":null,"b":[1,{"c":2,"d":1}]}');
});
