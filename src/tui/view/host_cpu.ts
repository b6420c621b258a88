import { counted } from "../../base/counted.ts";
import type { CpuFigures, CpuFractions, HostFigures } from "../../report/snapshot.ts";
import { percent } from "../format.ts";
import { type Model, showsRecent } from "../model.ts";
import { left, paint, right, type Role, sanitize } from "../text.ts";
import { bar } from "./bar.ts";
import { frame } from "./frame.ts";
import { rangeNote, scrolledLines } from "./scrolled.ts";
import { levelCell, strip } from "./spark.ts";

/** Who uses the CPUs of a host, fractions of all of them. */
interface Owners {
  host: number;
  dom0: number;
  guest: number;
  hypervisor: number;
}

/** Order of the bars: what virtualisation costs first, a host's own kernel and its processes last. */
const OWNERS: readonly { key: keyof Owners; label: string; role: Role }[] = [
  { key: "dom0", label: "dom0", role: "dom0" },
  { key: "guest", label: "guests", role: "guest" },
  { key: "hypervisor", label: "hypervisor", role: "hypervisor" },
  { key: "host", label: "host", role: "host" },
];
/** The same time by what the CPUs did, and what part of all of it was busy polling. */
const CLASSES: readonly { key: keyof CpuFigures; label: string; role: Role }[] = [
  { key: "user", label: "user", role: "user" },
  { key: "kernel", label: "kernel", role: "kernel" },
  { key: "irq", label: "interrupt", role: "irq" },
  { key: "polling", label: "polling", role: "dim" },
];
const LABEL = 12;
const NUMBER = 5;
/** Narrowest bar that says something beside the strip of CPUs. */
const LEAST_BAR = 6;

/** One line of a host: a name, a fraction of all CPUs, and the same for each CPU. */
interface Row {
  label: string;
  role: Role;
  fraction: number;
  cells: readonly number[];
}

/** Per host: driver domain, guests, hypervisor and host apart, by class, and every physical CPU. */
export function hostCpu(model: Model, width: number, height: number): string[] {
  const room = height - 2;
  const lines = hostLines(model, width - 3, room);
  return frame(scrolledLines(model, "host", lines, room).map((line) => ` ${line}`), {
    title: "Host CPU %",
    note: [rangeNote(model, "host", lines.length, room), paint("dim", "of all CPUs of a host")].filter((n) => n !== ""),
    width,
    height,
    focused: model.pane === "host",
  });
}

/** All lines: in as much detail as fits in `room`, a line for each host when nothing else does. */
export function hostLines(model: Model, inner: number, room: number): string[] {
  const hosts = (model.live?.snapshot.hosts ?? []).map((host, i) => new HostView(model, host, i, inner));
  const levels = [
    (host: HostView) => [...host.owners(), ...host.classes(), ...host.vcpus()],
    (host: HostView) => [...host.owners(), ...host.vcpus()],
    (host: HostView) => host.owners(),
    (host: HostView) => host.owners().slice(0, -1),
  ];
  for (const level of levels) {
    const lines = fit(hosts.map(level), room);
    if (lines !== null) return lines;
  }
  return hosts.map((host) => host.oneLine());
}

/** Blocks one below the other, with an empty line between them if it fits; null when they do not fit at all. */
function fit(blocks: readonly string[][], room: number): string[] | null {
  const lines = blocks.reduce((sum, block) => sum + block.length, 0);
  if (lines > room) return null;
  const gaps = lines + blocks.length - 1 <= room;
  return blocks.flatMap((block, i) => gaps && i > 0 ? ["", ...block] : block);
}

/** What can be said of one host. */
class HostView {
  readonly #model: Model;
  readonly #host: HostFigures;
  readonly #use: Owners;
  readonly #cpus: readonly CpuFigures[];
  readonly #vcpus: readonly CpuFractions[];
  readonly #inner: number;

  /** The latest interval while the run goes on, the whole run otherwise. */
  constructor(model: Model, host: HostFigures, index: number, inner: number) {
    const recent = showsRecent(model) ? model.live?.recent_hosts[index] : undefined;
    this.#model = model;
    this.#host = host;
    this.#inner = inner;
    this.#use = ownersOf(model, host, index);
    this.#cpus = recent?.per_cpu ?? host.per_cpu;
    this.#vcpus = recent?.dom0_vcpus ?? host.dom0_vcpus;
  }

  /** CPUs that share a cell of a strip which takes at most `room` columns. */
  #perCell(room: number): number {
    return Math.max(1, Math.ceil(this.#cpus.length / Math.max(1, room)));
  }

  /** Whether a strip of all CPUs fits beside the bars. */
  get #isWide(): boolean {
    return this.#inner >= LABEL + LEAST_BAR + NUMBER + 1 + this.#cpus.length;
  }

  /** A heading, a bar for each owner that this kind of host has, and the CPUs: beside the bars, or below them. */
  owners(): string[] {
    const { name, cpus, native, dom0_vcpus } = this.#host;
    const use = this.#use;
    const total = use.host + use.dom0 + use.guest + use.hypervisor;
    const width = this.#inner - (this.#isWide ? 1 + this.#cpus.length : 0);
    const all = counted(cpus, "CPU");
    const kinds = [`${all} ${native ? "native" : "virtual"}`, all];
    const kind = kinds.find((text) => name.length + 1 + text.length <= width - NUMBER) ?? "";
    const title = `${paint("title", sanitize(name))} ${paint("dim", kind)}`;
    const busy = this.#cpus.map((cpu) => 1 - cpu.idle);
    const strip = this.#isWide ? ` ${this.#busyStrip(busy, 1)}` : "";
    const lines = [left(title, width - NUMBER) + paint("title", right(percent(total), NUMBER)) + strip];
    // With KVM the host does what dom0 does with Xen.
    const kernel = dom0_vcpus.length > 0 ? "dom0" : "host";
    const owns: readonly (keyof Owners)[] = native ? ["host"] : [kernel, "guest", "hypervisor"];
    for (const { key, label, role } of OWNERS) {
      if (!owns.includes(key) && use[key] < 0.0005) continue;
      lines.push(this.#row({ label, role, fraction: use[key], cells: this.#cpus.map((cpu) => cpu[key]) }));
    }
    if (this.#isWide) return lines;
    const perCell = this.#perCell(this.#inner - LABEL);
    const what = perCell === 1 ? "each CPU" : `each ${perCell} CPUs`;
    return [...lines, left(paint("dim", what), LABEL) + this.#busyStrip(busy, perCell)];
  }

  classes(): string[] {
    return CLASSES.map(({ key, label, role }) => {
      const cells = this.#cpus.map((cpu) => cpu[key]);
      return this.#row({ label, role, fraction: cells.reduce((sum, value) => sum + value, 0) / cells.length, cells });
    });
  }

  /** The driver domain's VCPUs, as fractions of one CPU each: what they do, and what they wait for a CPU. */
  vcpus(): string[] {
    if (this.#vcpus.length === 0) return [];
    const mean = (cells: readonly number[]) => cells.reduce((sum, value) => sum + value, 0) / cells.length;
    const busy = this.#vcpus.map((vcpu) => vcpu.user + vcpu.kernel + vcpu.irq + vcpu.hypervisor);
    const steal = this.#vcpus.map((vcpu) => vcpu.steal);
    if (!this.#isWide) {
      const perCell = this.#perCell(this.#inner - LABEL);
      return [left(paint("dim", "dom0 VCPUs"), LABEL) + strip(busy, perCell, "dom0")];
    }
    return [
      this.#row({ label: "dom0 VCPUs", role: "dom0", fraction: mean(busy), cells: busy }),
      this.#row({ label: "dom0 steal", role: "steal", fraction: mean(steal), cells: steal }),
    ];
  }

  /** For many hosts in a small pane: all owners in one bar. */
  oneLine(): string {
    const parts = OWNERS.map(({ key, role }) => ({ role, fraction: this.#use[key] }));
    const total = parts.reduce((sum, part) => sum + part.fraction, 0);
    return left(sanitize(this.#host.name), 8) +
      bar(parts, Math.max(2, this.#inner - 8 - NUMBER), this.#model.monochrome) + right(percent(total), NUMBER);
  }

  #row({ label, role, fraction, cells }: Row): string {
    const beside = this.#isWide ? ` ${strip(cells, 1, role)}` : "";
    const width = Math.max(2, this.#inner - LABEL - NUMBER - (this.#isWide ? 1 + this.#cpus.length : 0));
    return left(label, LABEL) + bar([{ role, fraction }], width, this.#model.monochrome) +
      right(percent(fraction), NUMBER) + beside;
  }

  /** How busy each CPU is, in the colour of its largest owner; nearly full ones stand out. */
  #busyStrip(busy: readonly number[], perCell: number): string {
    let out = "";
    for (let from = 0; from < busy.length; from += perCell) {
      const group = busy.slice(from, from + perCell);
      const fraction = group.reduce((sum, value) => sum + value, 0) / group.length;
      const cpu = this.#cpus[from];
      const owner = OWNERS.reduce((most, next) => cpu[next.key] > cpu[most.key] ? next : most);
      out += levelCell(fraction, fraction >= 0.97 && cpu.polling < 0.5 ? "error" : owner.role);
    }
    return out;
  }
}

function ownersOf(model: Model, host: HostFigures, index: number): Owners {
  const recent = showsRecent(model) ? model.live?.samples.at(-1)?.hosts[index] : undefined;
  if (recent) return recent;
  // Time in the hypervisor is booked on the one for whom it works; here it is wanted apart.
  const own = (cpu: CpuFractions) => cpu.user + cpu.kernel + cpu.irq;
  const { cpu } = host;
  return {
    host: own(cpu.host),
    dom0: own(cpu.dom0),
    guest: own(cpu.guest),
    hypervisor: cpu.host.hypervisor + cpu.dom0.hypervisor + cpu.guest.hypervisor,
  };
}
