import assert from "node:assert/strict";
import { MECHANISM_NAMES } from "../../src/path/mechanisms.ts";
import { readWhatIf, sizeOption } from "../../src/cli/what_if.ts";

const read = (...set: string[]) => readWhatIf("xen2mx", "vhpc12", set);

Deno.test("what if: costs, mechanisms, machine, link and environment of a message are read as a scenario's", () => {
  assert.deepEqual(read().costs, {});
  const { machine, costs, mechanisms, link, environment } = read(
    ...["costs.hypercall=400", "mechanisms.polling=false", "machine=modern", "link.mtu=1500", "coalescing=5 us"],
    "environment.OMX_RCACHE=1",
  );
  assert.deepEqual({ machine, costs, mechanisms, environment }, {
    ...{ machine: "modern", costs: { hypercall: 400, coalesceUs: 5 }, mechanisms: { polling: false } },
    environment: { OMX_RCACHE: "1" },
  });
  assert.deepEqual(link, { rateBps: 1e11, mtu: 1500, latencyPs: null, loss: 0 });
  assert.equal(read("costs.nicRateGbps=40").link?.rateBps, 4e10);
});

Deno.test("what if: a key is refused with the one that was meant, or with those that there are", () => {
  const refused = (set: string, message: string) =>
    assert.throws(() => read(set), { name: "ScenarioError", message: `--set ${message}` });
  refused("hypercall=4", 'hypercall: one message has no "hypercall"; did you mean costs.hypercall?');
  refused("cost.hypercal=4", 'cost.hypercal: one message has no "cost"; did you mean costs.hypercall?');
  refused("mtu=1500", 'mtu: one message has no "mtu"; did you mean link.mtu?');
  refused("costs.hypercal=4", 'costs.hypercal: unknown key "hypercal"; did you mean hypercall?');
  refused("workload.size=4", 'workload.size: one message has no "workload"; wanted --size');
  refused(
    "guests=4",
    'guests: one message has no "guests"; wanted costs, mechanisms, machine, link, coalescing or environment',
  );
  refused("link.loss=1 %", "link.loss: found 1 %, wanted none: explain follows messages that arrive");
  refused("costs.hypercall=-1", "costs.hypercall: found -1, wanted at least 0");
  for (const name of MECHANISM_NAMES) {
    refused(`${name}=1`, `${name}: one message has no "${name}"; did you mean mechanisms.${name}?`);
  }
});

Deno.test("what if: sizes", () => {
  assert.deepEqual(["0", "100 KiB", "16 MiB"].map(sizeOption), [0, 102400, 16 * 2 ** 20]);
  const refused = (text: string, message: string) =>
    assert.throws(() => sizeOption(text), { name: "UsageError", message: `--size: ${message}` });
  refused("many", 'found "many", wanted a size such as 512 KiB');
  refused("16777217", 'found "16777217", wanted at most 16 MiB');
});
