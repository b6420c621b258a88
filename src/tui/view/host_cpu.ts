import type { CpuFractions, HostFigures } from "../../report/snapshot.ts";
import { percent } from "../format.ts";
import { type Model, showsRecent } from "../model.ts";
import { left, paint, right, type Role, sanitize, spread } from "../text.ts";
import { bar, cell } from "./bar.ts";
import { frame } from "./frame.ts";

/** Who uses the CPUs of a host, fractions of all of them. */
interface Owners {
  host: number;
  dom0: number;
  guest: number;
  hypervisor: number;
}

/** Order of the bars: what virtualisation costs first, the native kernel last. */
const OWNERS: readonly { key: keyof Owners; label: string; role: Role }[] = [
  { key: "dom0", label: "dom0", role: "dom0" },
  { key: "guest", label: "guests", role: "guest" },
  { key: "hypervisor", label: "hypervisor", role: "hypervisor" },
  { key: "host", label: "host kernel", role: "host" },
];
const LABEL = 12;

/** Per host: driver domain, guests, hypervisor and host kernel apart; every physical CPU where there is room. */
export function hostCpu(model: Model, width: number, height: number): string[] {
  const inner = width - 3;
  const hosts = model.live?.snapshot.hosts ?? [];
  const detailed = hosts.map((host, i) => detail(model, host, owners(model, host, i), inner));
  const room = height - 2;
  const lines = fit(detailed, room) ?? fit(detailed.map((lines) => lines.slice(0, -1)), room) ??
    hosts.map((host, i) => oneLine(model, host, owners(model, host, i), inner));
  return frame(lines.map((line) => ` ${line}`), {
    title: "Host CPU %",
    note: hosts.length > 0 ? paint("dim", "of all CPUs of a host") : undefined,
    width,
    height,
    focused: model.pane === "host",
  });
}

/** Blocks one below the other, with an empty line between them if it fits; null when they do not fit at all. */
function fit(blocks: readonly string[][], room: number): string[] | null {
  const lines = blocks.reduce((sum, block) => sum + block.length, 0);
  if (lines > room) return null;
  const gaps = lines + blocks.length - 1 <= room;
  return blocks.flatMap((block, i) => gaps && i > 0 ? ["", ...block] : block);
}

/** A heading, a bar for each owner that this kind of host has, and the strip of its CPUs. */
function detail(model: Model, host: HostFigures, use: Owners, inner: number): string[] {
  const total = use.host + use.dom0 + use.guest + use.hypervisor;
  const kind = host.native ? "native" : "virtual";
  const lines = [spread(
    `${paint("title", sanitize(host.name))} ${paint("dim", `${host.cpus} CPUs ${kind}`)}`,
    paint("title", percent(total)),
    inner,
  )];
  for (const { key, label, role } of OWNERS) {
    const belongs = host.native ? key === "host" : key !== "host";
    if (!belongs && use[key] < 0.0005) continue;
    const barWidth = Math.max(2, inner - LABEL - 5);
    lines.push(
      left(label, LABEL) + bar([{ role, fraction: use[key] }], barWidth, model.monochrome) +
        right(percent(use[key]), 5),
    );
  }
  const perCell = Math.max(1, Math.ceil(host.per_cpu.length / Math.max(1, inner - LABEL)));
  lines.push(
    left(paint("dim", perCell === 1 ? "each CPU" : `each ${perCell} CPUs`), LABEL) + cpuStrip(host.per_cpu, perCell),
  );
  return lines;
}

/** One cell per CPU, or per few neighbouring CPUs where the pane is too narrow for all. */
function cpuStrip(cpus: HostFigures["per_cpu"], perCell: number): string {
  let out = "";
  for (let from = 0; from < cpus.length; from += perCell) {
    const group = cpus.slice(from, from + perCell);
    out += cell(group.reduce((sum, cpu) => sum + 1 - cpu.idle, 0) / group.length);
  }
  return out;
}

/** For many hosts in a small pane: all owners in one bar. */
function oneLine(model: Model, host: HostFigures, use: Owners, inner: number): string {
  const parts = OWNERS.map(({ key, role }) => ({ role, fraction: use[key] }));
  const total = parts.reduce((sum, part) => sum + part.fraction, 0);
  return left(sanitize(host.name), 8) + bar(parts, Math.max(2, inner - 13), model.monochrome) +
    right(percent(total), 5);
}

/** The latest interval while the run goes on, the whole run otherwise. */
function owners(model: Model, host: HostFigures, index: number): Owners {
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
