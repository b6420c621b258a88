import { formatSize } from "../../../base/quantity.ts";
import { KIB, MIB, MS } from "../../../base/units.ts";
import type { CpuFractions, Snapshot } from "../../snapshot.ts";
import { hostCpus, LONG_QUEUES } from "../figures.ts";
import type { Lab } from "../lab.ts";
import { LINK_MBPS } from "../results.ts";
import { type Claim, type ClaimPart, mbps, share } from "./claim.ts";

/*
 * What the study says of guests that share a link, dom0, or a CPU: one-way streams between hosts.
 */

const rate = ({ totals }: Snapshot) => totals.throughput_MBps;
const busy = ({ idle, steal }: CpuFractions) => 1 - idle - steal;

const scale: Claim = {
  id: "D7",
  text:
    "40 one-VCPU VMs saturate the link at smaller messages than one VM; IOV scales to 60 VMs at line rate with a few " +
    "per cent of CPU each; the bridge saturates on dom0 CPU, and more dom0 VCPUs give sub-linear or negative returns",
  check: (lab) => [saturates(lab), sixty(lab), ...bridge(lab)],
};

/** Less than this, and one run takes longer than all others of the claim. */
const SMALLEST = 2 * KIB;

/** From which size on streams carry 90 % of what the link carried at best; Infinity when none does. */
function saturationSize(lab: Lab, guests: number): number {
  for (let size = SMALLEST; size <= 4 * MIB; size *= 2) {
    const run = lab.stream("xen2mx", "vhpc12", size, guests, { costs: LONG_QUEUES });
    if (rate(run) > 0.9 * LINK_MBPS) return size;
  }
  return Infinity;
}

function saturates(lab: Lab): ClaimPart {
  const [one, forty] = [saturationSize(lab, 2), saturationSize(lab, 40)];
  const at = (size: number) => size === Infinity ? "never" : `at ${formatSize(size)}`;
  return {
    text: `Xen2MX: 40 VMs, 20 that stream to 20, carry 90 % of ${LINK_MBPS} MB/s at smaller messages than one pair`,
    holds: forty < one,
    evidence:
      `40 VMs ${at(forty)}, a pair ${at(one)}; ${formatSize(SMALLEST)} is the smallest that is tried, transmit ` +
      `queues are of ${LONG_QUEUES.txQueueLength} frames`,
  };
}

function sixty(lab: Lab): ClaimPart {
  const run = lab.stream("iov", "vhpc12", 512 * KIB, 60);
  const most = Math.max(...run.guests.map(({ cpu }) => busy(cpu)));
  return {
    text: `IOV: 60 VMs stream 97 % of ${LINK_MBPS} MB/s or more, each with less than 10 % of its CPU`,
    holds: rate(run) > 0.97 * LINK_MBPS && most < 0.1,
    evidence: `512 KiB: ${mbps(rate(run))} with at most ${share(most, 1)}`,
  };
}

/**
 * Frames of a NIC's ring, as in the scenario `bridge-dom0`: the windows of 20 pairs are 2560, of which a smaller ring
 * would lose some, and MX waits a second for each.
 */
const LONG_RX_RING = 4096;

function bridge(lab: Lab): ClaimPart[] {
  const workload = { kind: "stream", size: 512 * KIB, outstanding: 1 };
  const timing = { warmupPs: 100 * MS, durationPs: 200 * MS };
  const on = (dom0Vcpus: number) =>
    lab.run({
      path: "bridged",
      guests: 40,
      workload,
      mtu: 1500,
      costs: { nicRxRing: LONG_RX_RING },
      dom0Vcpus,
      ...timing,
    });
  const runs = [1, 2, 4].map(on);
  const rates = runs.map(rate);
  const [one, two, four] = rates;
  return [{
    text: "bridge, 40 VMs at MTU 1500, one dom0 VCPU: that is busy for 97 % or more, the link for less than 90 %",
    ...dom0IsFull(runs[0]),
  }, {
    text: "so too at MTU 9000, with a dom0 VCPU for each CPU",
    ...dom0IsFull(lab.stream("bridged", "vhpc12", 512 * KIB, 40)),
    known: "jumbo frames are a sixth of the packets for the same bytes: the link is full first",
  }, {
    text: "at MTU 1500, twice the dom0 VCPUs carry less than 1.6 times as much",
    holds: two < 1.6 * one && four < 1.6 * two,
    evidence: `on 1, 2, 4 of them: ${rates.map(mbps).join(", ")}; NIC rings of ${LONG_RX_RING} frames`,
  }];
}

function dom0IsFull(run: Snapshot): Pick<ClaimPart, "holds" | "evidence"> {
  const busiest = Math.max(...run.hosts.flatMap(({ dom0_vcpus }) => dom0_vcpus.map(busy)));
  const link = Math.max(...run.links[0].directions.map(({ utilisation }) => utilisation));
  return {
    holds: busiest >= 0.97 && link < 0.9,
    evidence: `${mbps(rate(run))}: the busiest dom0 VCPU ${share(busiest)}, the link ${share(link)}, ` +
      `${hostCpus(run).toFixed(2)} CPUs busy for the host`,
  };
}

/** What reaches dom0 from the NIC, up to netback and from it: with all that at no cost, its time is netback's. */
const NETBACK_ALONE = { interrupt: 0, xenInterrupt: 0, napi: 0, packetReceive: 0, bridgeForward: 0 };

const netback: Claim = {
  id: "D8",
  text: "netback receive costs more per packet than transmit",
  check: (lab) => {
    const { hosts, measured_ns } = lab.stream("bridged", "vhpc12", 64 * KIB, 2, { costs: NETBACK_ALONE });
    const [from, to] = hosts;
    const perFrame = ({ cpu, cpus }: typeof from, frames: number) => {
      const { user, kernel, irq, hypervisor } = cpu.dom0;
      return (user + kernel + irq + hypervisor) * cpus * measured_ns / frames / 1000;
    };
    const [send, receive] = [perFrame(from, from.nic.tx_frames), perFrame(to, to.nic.rx_frames)];
    return [{
      text:
        "with the NIC's interrupts, NAPI and the bridge at no cost, dom0 takes longer for a received frame than for a " +
        "sent one",
      holds: receive > send,
      evidence: `${receive.toFixed(2)} and ${send.toFixed(2)} us, copies and wake-ups included`,
    }];
  },
};

const hog: Claim = {
  id: "D9",
  text:
    "a woken I/O VCPU that shares a CPU with a CPU hog keeps most of its throughput with BOOST and loses most of it " +
    "without; the rate limit bounds preemption to once per millisecond",
  check: (lab) => {
    const eager = (how: Beside) => beside(lab, how, 16 * KIB, 4);
    const large = (how: Beside) => beside(lab, how, 64 * KIB, 4);
    return [
      keepsMost("of 16 KiB, eager,", eager),
      {
        ...keepsMost("of 64 KiB, by rendezvous,", large),
        known: "each rendezvous waits for a wake-up at both ends, and by the rate limit for a millisecond each time",
      },
      losesMost(eager, large),
      onceAMillisecond(lab),
    ];
  },
};

/** What is on the CPU of both guests of the pair besides. */
type Beside = "nobody" | "hog" | "hog, no BOOST";

/**
 * Xen2MX guests 1 and 2 are the pair, 3 and 4 the hogs: one of each on CPU 0 of each host; dom0 has the others. The pair
 * sleeps while it waits.
 */
function beside(lab: Lab, how: Beside, size: number, outstanding: number): Snapshot {
  const alone = how === "nobody";
  return lab.run({
    path: "xen2mx",
    guests: alone ? 2 : 4,
    workload: { kind: alone ? "stream" : "noisy", size, outstanding, wait: "block" },
    mechanisms: { boost: how !== "hog, no BOOST" },
    pin: [0],
    warmupPs: (alone ? 50 : 100) * MS,
    durationPs: (alone ? 50 : 300) * MS,
  });
}

type Pair = (how: Beside) => Snapshot;

function keepsMost(what: string, pair: Pair): ClaimPart {
  const [alone, boosted] = (["nobody", "hog"] as const).map((how) => rate(pair(how)));
  return {
    text: `with BOOST streams ${what} keep more than 50 %`,
    holds: boosted > 0.5 * alone,
    evidence: `alone ${mbps(alone)}, beside the hogs ${mbps(boosted)}: ${share(boosted / alone)}`,
  };
}

function losesMost(...pairs: readonly Pair[]): ClaimPart {
  const [eager, large] = pairs.map((pair) => rate(pair("hog, no BOOST")) / rate(pair("nobody")));
  return {
    text: "without BOOST both keep less than 50 %",
    holds: eager < 0.5 && large < 0.5,
    evidence: `16 KiB ${share(eager, 1)}, 64 KiB ${share(large, 1)}`,
  };
}

/** One message by rendezvous at a time: both guests sleep until the other, or dom0, has done its part. */
function onceAMillisecond(lab: Lab): ClaimPart {
  const latencies = (["nobody", "hog"] as const).map((how) =>
    beside(lab, how, 64 * KIB, 1).totals.latency_us?.p50 ?? 0
  );
  const [alone, boosted] = latencies.map((latency) => latency / 1000);
  return {
    text:
      "with BOOST a message of 64 KiB at a time, which wakes both ends, takes a millisecond for each: 1.9 to 2.3 ms",
    holds: alone < 0.5 && boosted >= 1.9 && boosted <= 2.3,
    evidence: `${boosted.toFixed(2)} ms, alone ${alone.toFixed(2)} ms`,
  };
}

export const SHARING_CLAIMS: readonly Claim[] = [scale, netback, hog];
