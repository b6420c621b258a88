import { KIB, MIB } from "../../../base/units.ts";
import type { Mechanisms } from "../../../path/mechanisms.ts";
import type { Snapshot } from "../../snapshot.ts";
import { hostCpus } from "../figures.ts";
import type { Lab } from "../lab.ts";
import { LINK_MBPS } from "../results.ts";
import { type Claim, type ClaimPart, mbps, share, us } from "./claim.ts";

/*
 * What the study says of large messages: those of 1 MiB, one at a time against a native node, and eight under way between
 * two guests. One at a time no path fills the link, for nothing is on it during the rendezvous.
 */

/** Microseconds that 1 MiB takes on a link at its best. */
const WIRE_US = MIB / LINK_MBPS;
/** What maps and unmaps grants, but for one hypercall in 16 pages. */
const FREE_GRANTS = { grantMapPage: 0, grantUnmapPage: 0, grantSingle: 0 };
/** Ways to handle grants without reuse. */
const SINGLE: Mechanisms = { grantReuse: false, grantBatching: false };
const BATCHED: Mechanisms = { grantReuse: false };
const OVERLAPPED: Mechanisms = { grantReuse: false, overlap: true };

const grants: Claim = {
  id: "D3",
  text:
    "large messages: grant map and unmap dominate Xen2MX; batching helps; overlapping the grant work with transfers, " +
    "or reusing grants, brings it to the link; preallocating pages and copy offload in the backend do not move it",
  notChecked: "preallocating pages: mxtop has no such switch, for allocating a page takes no time in it",
  check: (lab) => {
    const alone = (mechanisms: Mechanisms, costs = {}) =>
      lab.sweep("xen2mx", "vhpc12", [MIB], 8, { mechanisms, costs })[0].latency_us;
    const [single, batched] = [SINGLE, BATCHED].map((how) => alone(how));
    const free = [SINGLE, BATCHED].map((how) => alone(how, FREE_GRANTS));
    return [
      dominate([single, batched], free),
      {
        text: "batched grants carry 5 % more than each page by itself, or better",
        holds: single > 1.05 * batched,
        evidence: `one at a time: ${mbps(MIB / single)} and ${mbps(MIB / batched)}`,
      },
      {
        text: `overlapping ${TO_THE_LINK}`,
        ...toTheLink(lab, alone(OVERLAPPED), OVERLAPPED),
        known: "a message waits until all of its region is mapped: its grant work overlaps with other messages only",
      },
      { text: `reusing ${TO_THE_LINK}`, ...toTheLink(lab, alone({}), {}) },
      offloadMovesNothing(lab, batched, alone({ ...BATCHED, copyOffload: true })),
    ];
  },
};

/** Latencies of 1 MiB without reuse, with grants as they are and at no cost, each page by itself and batched. */
function dominate(times: readonly number[], free: readonly number[]): ClaimPart {
  const ofRest = times.map((time, i) => (time - free[i]) / (time - WIRE_US));
  const ofAll = times.map((time, i) => (time - free[i]) / time);
  const both = (shares: readonly number[]) => shares.map((part) => share(part)).join(" and ");
  return {
    text: "map and unmap are more than 50 % of what a message takes beyond its time on the wire",
    holds: ofRest.every((part) => part > 0.5),
    evidence: `each page by itself and batched: ${both(ofRest)}; of all its time they are ${both(ofAll)}`,
  };
}

const TO_THE_LINK =
  `brings it to the link: as fast as native one at a time, and 97 % of ${LINK_MBPS} MB/s with eight under way`;

/** `aloneUs` is the latency of 1 MiB one at a time. */
function toTheLink(lab: Lab, aloneUs: number, mechanisms: Mechanisms): Pick<ClaimPart, "holds" | "evidence"> {
  const native = lab.sweep("native", "vhpc12", [MIB], 8)[0].latency_us;
  const many = eight(lab, mechanisms);
  return {
    holds: aloneUs <= native && many >= 0.97 * LINK_MBPS,
    evidence: `one at a time ${mbps(MIB / aloneUs)}, native ${mbps(MIB / native)}; eight under way ${mbps(many)}, ` +
      `with neither ${mbps(eight(lab, BATCHED))}`,
  };
}

function offloadMovesNothing(lab: Lab, withoutUs: number, withUs: number): ClaimPart {
  const [without, offloaded] = [BATCHED, { ...BATCHED, copyOffload: true }].map((how) => eight(lab, how));
  return {
    text: "copy offload in the backend changes less than 5 %, one at a time and with eight under way",
    holds: Math.abs(withUs / withoutUs - 1) < 0.05 && Math.abs(offloaded / without - 1) < 0.05,
    evidence: `without reuse: ${mbps(MIB / withoutUs)} to ${mbps(MIB / withUs)}, ${mbps(without)} to ${
      mbps(offloaded)
    }`,
  };
}

const eight = (lab: Lab, mechanisms: Mechanisms): number =>
  lab.stream("xen2mx", "vhpc12", MIB, 2, { mechanisms }).totals.throughput_MBps;

/** A host whose copies are slow, three times slower than the profile's: its receiving CPU is busier than the link. */
const COPY_BOUND = { copyUncachedByte: 1 };

const offload: Claim = {
  id: "D4",
  text: "native: copy offload raises receive throughput and cuts CPU on copy-bound hosts; no effect below 64 KB",
  check: (lab) => {
    const [without, offloaded] = [false, true].map((copyOffload) =>
      lab.stream("native", "vhpc12", MIB, 2, { mechanisms: { copyOffload }, costs: COPY_BOUND })
    );
    const rate = (snapshot: Snapshot) => snapshot.totals.throughput_MBps;
    const cpu = (snapshot: Snapshot) => hostCpus(snapshot) / rate(snapshot) * 1000;
    return [{
      text: "where copies take 1 ns/B, three times the profile's: 10 % more throughput or better, and less CPU for it",
      holds: rate(offloaded) > 1.1 * rate(without) && cpu(offloaded) < cpu(without),
      evidence: `streams of 1 MiB: ${mbps(rate(without))} to ${mbps(rate(offloaded))}, ` +
        `${cpu(without).toFixed(2)} to ${cpu(offloaded).toFixed(2)} CPUs for 1000 MB/s`,
    }, from64KiB(lab)];
  },
};

function from64KiB(lab: Lab): ClaimPart {
  const sizes = [16 * KIB, 33 * KIB, 48 * KIB, 64 * KIB - 1, 64 * KIB];
  const [without, offloaded] = [false, true].map((copyOffload) =>
    lab.sweep("native", "vhpc12", sizes, 20, { mechanisms: { copyOffload }, costs: COPY_BOUND })
      .map((row) => row.latency_us)
  );
  const from = (i: number) => `${us(without[i])} to ${us(offloaded[i])}`;
  return {
    text: "there, below 64 KiB no latency changes at all",
    holds: without.slice(0, 4).every((latency, i) => latency === offloaded[i]),
    evidence: `48 KiB ${from(2)}, 64 KiB less a byte ${from(3)}, 64 KiB ${from(4)}`,
  };
}

export const LARGE_CLAIMS: readonly Claim[] = [grants, offload];
