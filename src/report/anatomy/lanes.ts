import type { Cluster } from "../../cluster/cluster.ts";
import type { StageName } from "../../metrics/stage.ts";

/** Layers of a host on a message's way, from the program down to the wire. */
const LAYERS = ["program", "kernel", "hypervisor", "backend", "nic"] as const;
export type Layer = typeof LAYERS[number];

/** Where something happens: a layer of the sender's host or of the receiver's, or the wire between them. */
export type LaneId = `${"from" | "to"} ${Layer}` | "wire";

/** A lane as a reader knows it. */
export interface Lane {
  readonly id: LaneId;
  /** "vm02 program", "Xen on b", "a-b". */
  readonly title: string;
}

/** Every lane in the order of the way: down at the sender, over the wire, up at the receiver. */
export const LANE_ORDER: readonly LaneId[] = [
  ...LAYERS.map((layer): LaneId => `from ${layer}`),
  "wire",
  ...LAYERS.map((layer): LaneId => `to ${layer}`).reverse(),
];

/** Who a processor works for: a guest, the host (dom0, KVM's kernel), or a kernel with processes. */
type Role = "guest" | "host" | "native";

/**
 * Says in which lane something belongs, by who does it and in which class of CPU time it is charged: what a guest's
 * kernel does is in another lane than what Xen does on its VCPU.
 */
export class LaneMap {
  readonly #roles = new Map<string, { readonly role: Role; readonly host: number }>();
  readonly #nics = new Map<string, number>();
  readonly #cluster: Cluster;
  readonly #sender: number;

  /** `sender` is the index of the host from which the message goes. */
  constructor(cluster: Cluster, sender: number) {
    this.#cluster = cluster;
    this.#sender = sender;
    for (const host of cluster.hosts) {
      const role = host.kind === "native" ? "native" : "host";
      for (const { name } of host.kernel) this.#roles.set(name, { role, host: host.index });
      this.#nics.set(host.nic.name, host.index);
    }
    for (const { site, host } of cluster.guests) {
      for (const { name } of site.vcpus) this.#roles.set(name, { role: "guest", host: host.index });
    }
  }

  on(host: number, layer: Layer): LaneId {
    const side = host === this.#sender ? "from" : "to";
    // A kernel of its own has nobody under it.
    return `${side} ${this.#isNative(host) && layer !== "program" && layer !== "nic" ? "kernel" : layer}`;
  }

  /** The lane of work or waiting at a place; `cls` is the class that it was charged in, null for waiting. */
  of(place: string, stage: StageName, cls: string | null): LaneId {
    const known = this.#roles.get(place);
    if (known !== undefined) return this.on(known.host, layerOf(known.role, stage, cls));
    // "b nic", and "b nic vf1" for a function of it.
    for (const [name, host] of this.#nics) if (place.startsWith(name)) return this.on(host, "nic");
    return "wire";
  }

  /** The processor or NIC by which something is signalled. */
  ofPlace(place: string): LaneId {
    return this.of(place, "driver", "kernel");
  }

  lane(id: LaneId): Lane {
    if (id === "wire") return { id, title: this.#cluster.links[0].name };
    const [side, layer] = id.split(" ") as ["from" | "to", Layer];
    const host = this.#cluster.hosts.find(({ index }) => (index === this.#sender) === (side === "from"))!;
    const guest = this.#cluster.guests.find((other) => other.host === host)!.spec.name;
    const titles: Readonly<Record<Layer, string>> = {
      program: `${guest} program`,
      kernel: this.#isNative(host.index) ? `${host.name} kernel` : `${guest} kernel`,
      hypervisor: `${host.kind === "xen" ? "Xen" : "KVM"} on ${host.name}`,
      backend: host.kind === "xen" ? `dom0 on ${host.name}` : `host ${host.name}`,
      nic: `${host.name} NIC`,
    };
    return { id, title: titles[layer] };
  }

  #isNative(host: number): boolean {
    return this.#cluster.hosts[host].kind === "native";
  }
}

function layerOf(role: Role, stage: StageName, cls: string | null): Layer {
  if (stage === "library" || stage === "application") return "program";
  if (role === "guest") {
    // QEMU's work for a register access is done on the VCPU's own thread, outside the guest.
    if (stage === "backend" || stage === "bridge" || (cls === "hypervisor" && stage === "copy")) return "backend";
    if (cls === "hypervisor" || (cls === null && (stage === "hypervisor" || stage === "notification"))) {
      return "hypervisor";
    }
    return cls === "user" ? "program" : "kernel";
  }
  if (role === "native") return cls === "user" ? "program" : "kernel";
  return cls === "hypervisor" || (cls === null && stage === "hypervisor") ? "hypervisor" : "backend";
}
