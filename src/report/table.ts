import { counted } from "../base/counted.ts";
import { countersText, overrunsOf } from "./boards.ts";
import { bytes, count, duration, figure, percent } from "./number_text.ts";
import {
  guestRateText,
  LINK_HEAD,
  linkRecord,
  NIC_HEAD,
  nicRecord,
  pathsText,
  ROW_HEAD,
  rowRecord,
} from "./records.ts";
import { type CpuFractions, type Distribution, type HostFigures, POINTS, type Snapshot } from "./snapshot.ts";
import { withoutThresholds } from "./thresholds.ts";

/*
 * A result for a terminal of 80 columns: what ran, the verdict, then from the whole to its parts. A section without
 * content is left out.
 */

export interface TableOptions {
  /** Whether the verdict may be coloured. */
  readonly color?: boolean;
  /** Whether the counters of every MX driver are shown. */
  readonly counters?: boolean;
}

/** A result as text for people; ends with a newline. */
export function toTable(snapshot: Snapshot, { color = false, counters = false }: TableOptions = {}): string {
  const sections = [
    header(snapshot),
    output(snapshot),
    totals(snapshot),
    rows(snapshot),
    guests(snapshot),
    hosts(snapshot),
    exits(snapshot),
    nics(snapshot),
    links(snapshot),
    stages(snapshot),
    thresholds(snapshot, color),
    verdict(snapshot, color),
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n") + "\n").join("\n");
  return counters ? `${countersText(snapshot)}\n${text}` : text;
}

function header(snapshot: Snapshot): string[] {
  const { scenario, machine, hosts, virtual_ns, measured_ns, fingerprint, wall } = snapshot;
  return [
    `${scenario.name}${scenario.title === "" ? "" : `  ${scenario.title}`}`,
    `path ${pathsText(snapshot)}   ${counted(scenario.guests, "guest")} / ${counted(hosts.length, "host")}   ` +
    `${scenario.program ?? scenario.workload}   ` +
    `seed ${scenario.seed}   machine ${machine.profile}`,
    `virtual time ${duration(virtual_ns)}, measured ${duration(measured_ns)}   ` +
    `x${figure(wall.realtime_factor)} real time   ${count(wall.events)} events`,
    `fingerprint ${fingerprint}   scenario ${scenario.hash}`,
  ];
}

/** What guest programs have printed. */
function output({ output = [], output_dropped = 0 }: Snapshot): string[] {
  const times = output.map(({ at_us }) => `${at_us.toFixed(3)} us`);
  const width = times.reduce((most, { length }) => Math.max(most, length), 0);
  const names = output.reduce((most, { guest }) => Math.max(most, guest.length), 0);
  const lines = output.map(({ guest, text }, i) =>
    `${guest.padEnd(names)}  ${times[i].padStart(width)}  ${text}`.trimEnd()
  );
  if (output_dropped > 0) lines.push(`and ${count(output_dropped)} more lines`);
  return lines;
}

function totals({ totals, hosts, offered, solver, bottleneck }: Snapshot): string[] {
  const lines = [
    `totals     ${count(totals.messages)} message${totals.messages === 1 ? "" : "s"}   ${bytes(totals.bytes)}   ` +
    `${figure(totals.throughput_MBps)} MB/s   ${count(totals.messages_per_s)} messages/s`,
    `           integrity errors ${totals.integrity_errors}   lost ${totals.lost}   ` +
    `duplicated ${totals.duplicated}   retransmits ${totals.retransmits}`,
  ];
  const overruns = overrunsOf({ hosts });
  if (overruns > 0) lines.push(`           event queues full ${count(overruns)}   (packets dropped, warm-up included)`);
  if (offered !== undefined) {
    lines.push(
      `offered    ${count(offered.requests)} requests   ${count(offered.per_s)} requests/s   ` +
        `replied ${count(offered.replied)}   under way ${count(offered.under_way)}   waiting ${count(offered.waiting)}`,
    );
  }
  if (solver !== undefined) {
    const residual = solver.residual === null ? "-" : Number(solver.residual.toPrecision(3));
    lines.push(
      `solver     ${count(solver.iterations)} iterations   residual ${residual}   ` +
        `solves ${count(solver.solves)}   converged ${count(solver.converged)}`,
    );
  }
  if (bottleneck !== undefined) lines.push(`limit      ${bottleneck.what}: ${bottleneck.why}`);
  const distributions = ([["latency us", totals.latency_us], ["rtt us", totals.rtt_us]] as const)
    .filter((entry): entry is [typeof entry[0], Distribution] => entry[1] !== null)
    .map(([name, values]) => [name, ...POINTS.map((point) => figure(values[point]))]);
  if (distributions.length > 0) {
    lines.push(...grid(["", "min", "mean", "p50", "p90", "p99", "p99.9", "max"], distributions));
  }
  return lines;
}

function rows({ rows }: Snapshot): string[] {
  return grid(
    ROW_HEAD,
    rows.map(rowRecord),
  );
}

function guests({ guests }: Snapshot): string[] {
  return grid(
    ["guest", "host", "p50 us", "p99 us", "MB/s", "msg/s", "user", "kern", "irq", "hyp", "steal", "errors"],
    guests.map((guest) => [
      guest.name,
      guest.host,
      figure(guest.latency_us?.p50),
      figure(guest.latency_us?.p99),
      guestRateText(guest),
      count(guest.messages_per_s || guest.sent.messages_per_s),
      ...cpuCells(guest.cpu),
      count(guest.integrity_errors + guest.lost),
    ]),
    2,
  );
}

function cpuCells(cpu: CpuFractions): string[] {
  return [cpu.user, cpu.kernel, cpu.irq, cpu.hypervisor, cpu.steal].map(percent);
}

/** Of all CPUs of the host, in per cent: who used them; frames sent, received and dropped by its NICs. */
function hosts({ hosts }: Snapshot): string[] {
  return grid(
    ["host", "cpus", "native %", "dom0 %", "guests %", "hyp %", "idle %", "tx", "rx", "drops"],
    hosts.map((host) => [
      host.name,
      String(host.cpus),
      percent(busy(host.cpu.host)),
      percent(busy(host.cpu.dom0)),
      percent(busy(host.cpu.guest)),
      percent(hypervisor(host)),
      percent(host.cpu.idle),
      count(host.nic.tx_frames),
      count(host.nic.rx_frames),
      count(host.nic.drops),
    ]),
  );
}

/** Where guests leave guest mode: why, and how often. */
function exits({ hosts }: Snapshot): string[] {
  const trapping = hosts.flatMap(({ name, vm_exits }) => vm_exits === null ? [] : [{ name, vm_exits }]);
  if (trapping.length === 0) return [];
  const reasons = Object.keys(trapping[0].vm_exits);
  const head = ["VM exits", ...reasons.map((reason) => reason.replaceAll("_", " "))];
  return grid(head, trapping.map(({ name, vm_exits }) => [name, ...reasons.map((reason) => count(vm_exits[reason]))]));
}

/** Hosts with several boards: what each of their NICs did. */
function nics({ hosts }: Snapshot): string[] {
  return grid(
    NIC_HEAD,
    hosts.filter(({ nics }) => nics.length > 1).flatMap(({ nics }) => nics.map(nicRecord)),
    2,
  );
}

/** What ran code of its own: a CPU without the hypervisor's work for it. */
export function busy(cpu: CpuFractions): number {
  return cpu.user + cpu.kernel + cpu.irq;
}

/** Of a host's CPUs: the hypervisor's work for whoever runs on it. */
export function hypervisor({ cpu }: HostFigures): number {
  return cpu.host.hypervisor + cpu.dom0.hypervisor + cpu.guest.hypervisor;
}

function links({ links }: Snapshot): string[] {
  return grid(
    LINK_HEAD,
    links.flatMap((link) => link.directions.map((direction) => linkRecord(link, direction))),
    2,
  );
}

function stages({ stages }: Snapshot): string[] {
  const used = stages.filter(({ us }) => us > 0);
  const total = used.reduce((sum, { us }) => sum + us, 0);
  return grid(
    ["where a message spends its time", "us", "%", ""],
    used.map(({ stage, us }) => [stage, figure(us), percent(us / total), "#".repeat(Math.round(us / total * 30))]),
    1,
    3,
  );
}

function thresholds({ thresholds }: Snapshot, color: boolean): string[] {
  return thresholds.map(({ expression, value, ok }) =>
    `${paint(ok ? "pass" : "FAIL", ok, color)}  ${expression}   (found ${
      Number.isInteger(value) ? count(value) : figure(value)
    })`
  );
}

/** Failed thresholds have their own lines above. */
function verdict({ ok, partial, failures }: Snapshot, color: boolean): string[] {
  const others = withoutThresholds(failures);
  return [
    ...others.map((failure) => `${paint("FAIL", false, color)}  ${failure}`),
    ...(partial ? ["PARTIAL  the run was stopped before its end"] : []),
    paint(!ok ? "FAILED" : partial ? "OK so far" : "OK", ok, color),
  ];
}

function paint(word: string, good: boolean, color: boolean): string {
  return color ? `\x1b[${good ? 32 : 31}m${word}\x1b[0m` : word;
}

/**
 * Columns as wide as their widest cell, which is cut at `limit`; the first `left` columns and column `bar` flush left,
 * numbers flush right.
 */
export function grid(
  head: readonly string[],
  body: readonly (readonly string[])[],
  left = 1,
  bar = -1,
  limit = 34,
): string[] {
  if (body.length === 0) return [];
  const cut = (cell: string) => cell.length > limit ? `${cell.slice(0, limit - 3)}...` : cell;
  const cells = [head, ...body].map((row) => row.map(cut));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) =>
    row.map((cell, i) => i < left || i === bar ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ").trimEnd()
  );
}
