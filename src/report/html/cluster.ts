import { count, figure, percent } from "../number_text.ts";
import { guestRateText, LINK_HEAD, linkRecord, NIC_HEAD, nicRecord, onlySends } from "../records.ts";
import type { CpuFigures, CpuFractions, HostFigures, Snapshot } from "../snapshot.ts";
import { busy, hypervisor } from "../table.ts";
import { lines, type Markup, markup } from "./markup.ts";
import { folded, table, words } from "./page.ts";
import { bar, colourOf, columns, legend, type Part, stack } from "./svg.ts";

/*
 * The parts of a cluster in the report of a run: guests, hosts, links.
 */

/** Guests that are shown at once; more are folded away. */
const GUESTS_SHOWN = 100;
/** CPUs of a host that are drawn one by one. */
const CPUS_DRAWN = 80;

const CLASSES: readonly (readonly [name: string, key: keyof CpuFractions])[] = [
  ["user", "user"],
  ["kernel", "kernel"],
  ["irq", "irq"],
  ["hypervisor", "hypervisor"],
  ["steal", "steal"],
];

const named = (names: readonly string[]) => legend(names.map((name, i) => ({ name, colour: colourOf(i) })));

export function guests({ guests }: Snapshot): Markup | null {
  const rate = (guest: Snapshot["guests"][number]) =>
    onlySends(guest) ? guest.sent.throughput_MBps : guest.throughput_MBps;
  const most = Math.max(...guests.map(rate)) || 1;
  const rows = guests.map((guest) => [
    guest.name,
    guest.host,
    guest.path,
    figure(guest.latency_us?.p50),
    figure(guest.latency_us?.p99),
    guestRateText(guest),
    bar(rate(guest) / most),
    count(guest.messages_per_s || guest.sent.messages_per_s),
    ...CLASSES.map(([, key]) => percent(guest.cpu[key])),
    stack(classParts(guest.cpu), 100),
    count(guest.integrity_errors + guest.lost),
  ]);
  const head = [
    ...["guest", "host", "path"].map(words),
    ...["p50 us", "p99 us", "MB/s", words(""), "msg/s"],
    ...CLASSES.map(([name]) => `${name} %`),
    ...[words("CPU"), "errors"],
  ];
  const all = table(head, rows);
  if (all === null) return null;
  return lines([
    named(CLASSES.map(([name]) => name)),
    guests.length > GUESTS_SHOWN ? folded(`all ${guests.length} guests`, all) : all,
    markup`<p class="dim">MB/s of what a guest has received; ↑ of what others have received of it.</p>`,
  ]);
}

/** Shares of a guest's VCPUs: those of one with several are more than a whole. */
function classParts(cpu: CpuFractions): Part[] {
  const whole = Math.max(1, CLASSES.reduce((sum, [, key]) => sum + cpu[key], 0));
  return CLASSES.map(([name, key], i) => ({
    name,
    share: cpu[key] / whole,
    text: `${percent(cpu[key])} %`,
    colour: colourOf(i),
  }));
}

const OWNERS = ["native", "dom0", "guests", "hypervisor"];

/** Who used the CPUs of each host, of all of them in per cent; and each CPU by itself. */
export function hosts({ hosts }: Snapshot): Markup | null {
  const rows = hosts.map((host) => {
    const shares = [busy(host.cpu.host), busy(host.cpu.dom0), busy(host.cpu.guest), hypervisor(host)];
    return [
      host.name,
      host.cpus,
      stack(ownerParts(shares), 200),
      ...shares.map(percent),
      percent(host.cpu.idle),
      count(host.nic.tx_frames),
      count(host.nic.rx_frames),
      count(host.nic.drops),
    ];
  });
  const head = [
    words("host"),
    "cpus",
    words("CPU"),
    ...OWNERS.map((name) => `${name} %`),
    "idle %",
    "tx",
    "rx",
    "drops",
  ];
  const each = hosts.map(eachCpu).filter((figure) => figure !== null);
  const drawn = each.length === 0 ? null : markup`<div class="side">${lines(each)}</div>`;
  return lines([named(OWNERS), table(head, rows), drawn]);
}

function eachCpu({ name, per_cpu }: HostFigures): Markup | null {
  if (per_cpu.length < 2 || per_cpu.length > CPUS_DRAWN) return null;
  const shares = (cpu: CpuFigures) => [cpu.host, cpu.dom0, cpu.guest, cpu.hypervisor];
  return markup`<figure><figcaption>each CPU of ${name}</figcaption>${
    columns(`CPUs of host ${name}`, per_cpu.map((cpu) => ownerParts(shares(cpu))))
  }</figure>`;
}

function ownerParts(shares: readonly number[]): Part[] {
  return shares.map((share, i) => ({ name: OWNERS[i], share, text: `${percent(share)} %`, colour: colourOf(i) }));
}

/** Where guests leave guest mode: why, and how often. */
export function exits({ hosts }: Snapshot): Markup | null {
  const trapping = hosts.flatMap(({ name, vm_exits }) => vm_exits === null ? [] : [{ name, vm_exits }]);
  if (trapping.length === 0) return null;
  const reasons = Object.keys(trapping[0].vm_exits);
  return table(
    [words("VM exits"), ...reasons.map((reason) => reason.replaceAll("_", " "))],
    trapping.map(({ name, vm_exits }) => [name, ...reasons.map((reason) => count(vm_exits[reason]))]),
  );
}

/** Hosts with several boards: what each of their NICs did. */
export function nics({ hosts }: Snapshot): Markup | null {
  return table(
    NIC_HEAD.map((head, i) => i < 2 ? words(head) : head),
    hosts.filter(({ nics }) => nics.length > 1).flatMap(({ nics }) => nics.map(nicRecord)),
  );
}

export function links({ links }: Snapshot): Markup | null {
  return table(
    [...LINK_HEAD.map((head, i) => i < 2 ? words(head) : head), words("used")],
    links.flatMap((link) =>
      link.directions.map((direction) => [...linkRecord(link, direction), bar(direction.utilisation)])
    ),
  );
}
