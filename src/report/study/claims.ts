import { KIB, MIB, MS } from "../../base/units.ts";
import type { Snapshot } from "../snapshot.ts";
import { hostCpus } from "./figures.ts";
import type { Lab } from "./lab.ts";
import { LINK_MBPS } from "./results.ts";

/** What a claim came to. */
export interface ClaimVerdict {
  readonly holds: boolean;
  /** The figures that decide. */
  readonly evidence: string;
}

/** A statement of the study that a correct emulator must show (costs D). */
export interface Claim {
  readonly id: string;
  readonly text: string;
  readonly check: (lab: Lab) => ClaimVerdict;
}

const us = (value: number) => `${value.toFixed(2)} us`;
const mbps = (value: number) => `${Math.round(value)} MB/s`;

/**
 * Frames of a NIC's ring, as in the scenario `bridge-dom0`: the windows of 20 pairs are 2560, of which a smaller ring
 * would lose some, and MX waits a second for each.
 */
const LONG_RX_RING = 4096;

/** Smallest size, in bytes, at which ping-pongs carry 90 % of what the link carries one way, both directions added. */
function saturationSize(lab: Lab, path: string, guests: number): number {
  for (let size = KIB; size < 4 * MIB; size *= 2) {
    const workload = { kind: "pingpong", sizes: [size], iterations: 10, warmup_iterations: 2 };
    if (lab.run({ path, guests, workload }).totals.throughput_MBps > 0.9 * LINK_MBPS) return size;
  }
  return 4 * MIB;
}

export const CLAIMS: readonly Claim[] = [
  {
    id: "D1",
    text: "small-message RTT: native < IOV < Xen2MX << vhost <= bridge; QEMU user-space virtio < fully emulated",
    check: (lab) => {
      const rtt = (path: string) => lab.rtt(path, "vhpc12");
      const order = ["native", "iov", "xen2mx", "virtio", "bridged"].map(rtt);
      const [native, iov, xen2mx, vhost, bridge] = order;
      const [user, emulated] = ["virtio-user", "emulated"].map(rtt);
      const names = ["native", "IOV", "Xen2MX", "vhost", "bridge"];
      const inOrder = native < iov && iov < xen2mx && 1.5 * xen2mx < vhost && vhost <= bridge;
      const gaps = xen2mx - iov < 2.5 && bridge - xen2mx > 20;
      return {
        holds: inOrder && gaps && user < emulated,
        evidence: `${order.map((value, i) => `${names[i]} ${us(value)}`).join(", ")}; QEMU ${us(user)}, emulated ${
          us(emulated)
        }`,
      };
    },
  },
  {
    id: "D2",
    text: "switching backend polling off costs Xen2MX most of its advantage: being nearly as fast as an attached NIC",
    check: (lab) => {
      const rtts = [lab.rtt("xen2mx", "vhpc12"), lab.rtt("xen2mx", "vhpc12", { polling: false })];
      const [on, off] = rtts;
      const [iov, bridge] = [lab.rtt("iov", "vhpc12"), lab.rtt("bridged", "vhpc12")];
      const share = (off - on) / (bridge - on);
      return {
        holds: off - iov > 4 * (on - iov),
        evidence: `polling ${us(on)}, not polling ${us(off)}, IOV ${us(iov)}; ` +
          `of what it saves over the bridge that gives back ${Math.round(share * 100)} %`,
      };
    },
  },
  {
    id: "D3",
    text: "large messages: grant map and unmap dominate Xen2MX; batching helps; reuse brings it to the link",
    check: (lab) => {
      const at = (mechanisms: Record<string, boolean>) =>
        lab.sweep("xen2mx", "vhpc12", [MIB], 8, { mechanisms })[0].throughput_MBps;
      const single = at({ grantReuse: false, grantBatching: false });
      const batched = at({ grantReuse: false });
      const reused = at({});
      const native = lab.sweep("native", "vhpc12", [MIB], 8)[0].throughput_MBps;
      // What the study expected of overlap too is not so here, and is only shown: see not-modelled.md.
      const alone = at({ grantReuse: false, overlap: true });
      const [plain, among] = [false, true].map((overlap) =>
        lab.stream("xen2mx", "vhpc12", MIB, 2, { mechanisms: { grantReuse: false, overlap } }).totals.throughput_MBps
      );
      return {
        holds: single < 0.95 * batched && batched < 0.95 * reused && reused > 0.9 * native,
        evidence: `each page ${mbps(single)}, batched ${mbps(batched)}, reused ${mbps(reused)}, native ${
          mbps(native)
        }; overlapped ${mbps(alone)}, and of eight under way ${mbps(plain)} without and ${mbps(among)} with it`,
      };
    },
  },
  {
    id: "D4",
    text: "native: copy offload raises receive throughput and cuts CPU on copy-bound hosts; no effect below 64 KB",
    check: (lab) => {
      // A host whose copies are slow: 1 ns a byte keeps the receiving CPU busier than the link.
      const run = (size: number, copyOffload: boolean) =>
        lab.stream("native", "vhpc12", size, 2, { mechanisms: { copyOffload }, costs: { copyUncachedByte: 1 } });
      const [without, offloaded] = [run(MIB, false), run(MIB, true)];
      const small = [false, true].map((copyOffload) =>
        lab.sweep("native", "vhpc12", [48 * KIB], 20, { mechanisms: { copyOffload } })[0].latency_us
      );
      const rate = (snapshot: Snapshot) => snapshot.totals.throughput_MBps;
      const cpu = (snapshot: Snapshot) => hostCpus(snapshot) / rate(snapshot) * 1000;
      return {
        holds: rate(offloaded) > 1.1 * rate(without) && cpu(offloaded) < cpu(without) && small[0] === small[1],
        evidence: `1 MiB ${mbps(rate(without))} to ${mbps(rate(offloaded))}, ${cpu(without).toFixed(2)} to ${
          cpu(offloaded).toFixed(2)
        } CPUs for 1000 MB/s; 48 KiB ${small.map(us).join(" and ")}`,
      };
    },
  },
  {
    id: "D5",
    text: "coalescing off helps only tiny messages; large delays add to every hop; just under the base latency is free",
    check: (lab) => {
      const at = (coalesceUs: number, size: number) =>
        lab.sweep("native", "vhpc12", [size], 20, { costs: { coalesceUs } })[0];
      const tiny = [0, 5, 50].map((delay) => at(delay, 16).rtt_us!);
      const large = [0, 50].map((delay) => at(delay, MIB).throughput_MBps);
      return {
        holds: tiny[2] > 2 * tiny[0] && tiny[1] < 1.05 * tiny[0] && large[1] > 0.8 * large[0],
        evidence: `16 B: ${tiny.map(us).join(", ")} at 0, 5, 50 us; 1 MiB: ${large.map(mbps).join(", ")} at 0, 50 us`,
      };
    },
  },
  {
    id: "D6",
    text: "knees at 32 B, 128 B, one medium fragment, and the rendezvous threshold",
    check: (lab) => {
      const sizes = [31, 32, 33, 127, 128, 129, 8191, 8192, 8193, 32767, 32768, 32769];
      const rows = lab.sweep("native", "vhpc12", sizes, 20);
      const latency = rows.map((row) => row.latency_us);
      // At a knee one byte more costs several times what one byte cost just below it.
      const knees = [1, 4, 7, 10].map((i) =>
        (latency[i + 1] - latency[i]) / Math.max(0.001, latency[i] - latency[i - 1])
      );
      return {
        holds: knees.every((ratio) => ratio > 3),
        evidence: knees.map((ratio, i) => `${sizes[[1, 4, 7, 10][i]]} B: x${ratio.toFixed(0)}`).join(", "),
      };
    },
  },
  {
    id: "D7",
    text: "40 one-VCPU VMs saturate the link at smaller messages than one; the bridge saturates on dom0 CPU",
    check: (lab) => {
      const [one, forty] = [saturationSize(lab, "xen2mx", 2), saturationSize(lab, "xen2mx", 40)];
      const iov = lab.stream("iov", "vhpc12", 512 * KIB, 40);
      const bridge = [1, 2, 4].map((dom0Vcpus) =>
        lab.run({
          path: "bridged",
          guests: 40,
          workload: { kind: "stream", size: 512 * KIB, outstanding: 1 },
          mtu: 1500,
          costs: { nicRxRing: LONG_RX_RING },
          dom0Vcpus,
          warmupPs: 100 * MS,
          durationPs: 200 * MS,
        })
      );
      const rates = bridge.map(({ totals }) => totals.throughput_MBps);
      const busy = hostCpus(bridge[0]);
      const guestCpu = Math.max(...iov.guests.map(({ cpu }) => 1 - cpu.idle - cpu.steal));
      const saturates = busy > 0.97 && rates[0] < 0.95 * iov.totals.throughput_MBps;
      const subLinear = rates[1] < 1.6 * rates[0] && rates[2] < 1.6 * rates[1];
      return {
        holds: forty < one && iov.totals.throughput_MBps > 1150 && guestCpu < 0.25 && saturates && subLinear,
        evidence: `saturates at ${one / KIB} KiB (1 pair), ${forty / KIB} KiB (40 VMs); IOV ${
          mbps(iov.totals.throughput_MBps)
        } with at most ${
          (guestCpu * 100).toFixed(1)
        } % CPU each; bridge at MTU 1500 with a NIC ring of ${LONG_RX_RING} on 1, 2, 4 dom0 VCPUs: ${
          rates.map(mbps).join(", ")
        }, ${busy.toFixed(2)} CPUs busy on the one`,
      };
    },
  },
  {
    id: "D8",
    text: "netback receive costs more per packet than transmit",
    check: (lab) => {
      const { hosts } = lab.stream("bridged", "vhpc12", 64 * KIB, 2);
      const perFrame = (host: Snapshot["hosts"][number], frames: number) => {
        const { dom0 } = host.cpu;
        return (dom0.user + dom0.kernel + dom0.irq + dom0.hypervisor) / frames;
      };
      const [send, receive] = [perFrame(hosts[0], hosts[0].nic.tx_frames), perFrame(hosts[1], hosts[1].nic.rx_frames)];
      return {
        holds: receive > send,
        evidence: `dom0 time per frame, receive / transmit: ${(receive / send).toFixed(2)}`,
      };
    },
  },
  {
    id: "D9",
    text: "a woken I/O VCPU that shares a CPU with a hog keeps most of its throughput with BOOST, and loses it without",
    check: (lab) => {
      const workload = { kind: "noisy", size: 16 * KIB, outstanding: 4, wait: "block" };
      // Guests 1 and 2 are the pair, 3 and 4 the hogs: one of each on CPU 0 of each host; dom0 has the others.
      const run = (guests: number, boost: boolean) =>
        lab.run({
          path: "xen2mx",
          guests,
          workload: guests === 2 ? { ...workload, kind: "stream" } : workload,
          mechanisms: { boost },
          pin: [0],
          warmupPs: 100 * MS,
          durationPs: 300 * MS,
        }).totals.throughput_MBps;
      const [alone, boosted, plain] = [run(2, true), run(4, true), run(4, false)];
      return {
        holds: boosted > 0.5 * alone && plain < 0.5 * alone,
        evidence: `alone ${mbps(alone)}, with BOOST ${mbps(boosted)}, without ${mbps(plain)}`,
      };
    },
  },
];
