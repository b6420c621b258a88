import { z } from "zod";
import { sizeField, sizeListField } from "../../src/base/quantity.ts";
import type { Catalogue } from "../../src/cluster/scenario_schema.ts";
import { MIB } from "../../src/base/units.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { type Workload, WorkloadError } from "../../src/workload/workload.ts";

/** Names that scenario tests use, so that they do not change with every new path or workload. */
const echo: Workload = {
  kind: "echo",
  title: "echo: for tests",
  params: z.object({ size: sizeField({ max: 1 << 20 }).default(64), sizes: sizeListField().optional() }),
  memoryBytes: () => 4096,
  check(_params, crew) {
    if (crew.ranks % 2 !== 0) throw new WorkloadError(`found ${crew.ranks} guests, wanted an even number`);
  },
  *program() {},
};

// deno-lint-ignore no-explicit-any
const strict: Workload<any> = {
  ...echo,
  kind: "strict",
  params: z.strictObject({ kind: z.literal("strict"), rounds: z.int().min(1).max(9).default(3) }),
  memoryBytes: ({ rounds }) => rounds * 400 * MIB,
};

export const CATALOGUE: Catalogue = {
  paths: [
    { name: "native", title: "no hypervisor", hypervisor: "none" },
    { name: "xen2mx", title: "Xen2MX", hypervisor: "xen" },
    { name: "bridged", title: "software bridge", hypervisor: "xen" },
    { name: "virtio", title: "vhost", hypervisor: "kvm" },
  ],
  workloads: [echo, strict],
  machines: [vhpc12],
};
