import { formatSize } from "../../../base/quantity.ts";
import { KIB, MIB } from "../../../base/units.ts";
import { type Claim, type ClaimPart, share, us } from "./claim.ts";

/*
 * What the study says of messages one at a time: one guest against a native node, on the testbed of 2012.
 */

const PATHS = ["native", "iov", "xen2mx", "virtio", "bridged"];
const NAMES = ["native", "IOV", "Xen2MX", "vhost", "bridge"];

const order: Claim = {
  id: "D1",
  text: "small-message RTT: native < IOV < Xen2MX << vhost <= bridge; QEMU user-space virtio < fully emulated; " +
    "IOV to Xen2MX is about 1 us, Xen2MX to bridge tens of us",
  check: (lab) => {
    const rtts = PATHS.map((path) => lab.rtt(path, "vhpc12"));
    const [native, iov, xen2mx, vhost, bridge] = rtts;
    const [user, emulated] = ["virtio-user", "emulated"].map((path) => lab.rtt(path, "vhpc12"));
    const [split, bridged] = [xen2mx - iov, bridge - xen2mx];
    return [{
      text: "native < IOV < Xen2MX << vhost <= bridge, << being twice or more",
      holds: native < iov && iov < xen2mx && 2 * xen2mx <= vhost && vhost <= bridge,
      evidence: rtts.map((value, i) => `${NAMES[i]} ${us(value)}`).join(", "),
    }, {
      text: "QEMU user-space virtio < fully emulated",
      holds: user < emulated,
      evidence: `${us(user)} < ${us(emulated)}`,
    }, {
      text: "from IOV to Xen2MX 0.5 to 1.5 us, from Xen2MX to the bridge 20 us or more",
      holds: split >= 0.5 && split <= 1.5 && bridged >= 20,
      evidence: `${us(split)}, ${us(bridged)}`,
    }];
  },
};

const polling: Claim = {
  id: "D2",
  text: "switching backend polling off costs Xen2MX most of its advantage",
  check: (lab) => {
    const [on, off] = [lab.rtt("xen2mx", "vhpc12"), lab.rtt("xen2mx", "vhpc12", { polling: false })];
    const [iov, bridge] = [lab.rtt("iov", "vhpc12"), lab.rtt("bridged", "vhpc12")];
    const lost = (off - on) / (bridge - on);
    return [{
      text: "of what Xen2MX saves over the bridge, more than 50 % is gone",
      holds: lost > 0.5,
      evidence: `polling ${us(on)}, not polling ${us(off)}, bridge ${us(bridge)}: ${share(lost)} is gone; ` +
        `above the attached NIC's ${us(iov)} it is ${us(off - iov)} instead of ${us(on - iov)}`,
      known:
        "notifications are the smaller part of what the bridge costs: netback's thread, its copies and the bridge " +
        "are the larger",
    }];
  },
};

const coalescing: Claim = {
  id: "D5",
  text:
    "coalescing off helps only tiny messages; large delays add to every hop; a delay just under the base latency is " +
    "nearly free",
  check: (lab) => {
    const sizes = [16, 4 * KIB, 32 * KIB, MIB];
    const delays = [0, 5, 13, 20, 50];
    const rtts = delays.map((coalesceUs) =>
      lab.sweep("native", "vhpc12", sizes, 20, { costs: { coalesceUs } }).map((row) => row.rtt_us)
    );
    return [offHelps(sizes, rtts[0], rtts[4]), ...ofTiny(delays, rtts.map(([tiny]) => tiny))];
  },
};

function offHelps(sizes: readonly number[], off: readonly number[], on: readonly number[]): ClaimPart {
  const saved = off.map((rtt, i) => 1 - rtt / on[i]);
  return {
    text: "off instead of 50 us saves 16 B more than 20 % of its round trip, and larger messages less than 5 %",
    holds: saved[0] > 0.2 && saved.slice(1).every((part) => part < 0.05),
    evidence: sizes.map((size, i) => `${formatSize(size)} ${us(on[i])} to ${us(off[i])}`).join(", "),
    known:
      "no round trip is shorter than the delay, and messages of several frames wait for more interrupts than one; " +
      "only a transfer that is longer by far does not mind",
  };
}

/** Round trips of 16 B at delays of 0, just under the base latency, and more; microseconds all. */
function ofTiny(delays: readonly number[], rtts: readonly number[]): ClaimPart[] {
  const [base, under] = rtts;
  const long = [2, 3, 4];
  const at = (i: number) => `${us(rtts[i])} at ${delays[i]} us`;
  return [{
    text: "a round trip, two hops, takes two delays of 50 us more, within 10 %",
    holds: Math.abs((rtts[4] - base) / 100 - 1) < 0.1,
    evidence: `16 B: ${us(base)} without, ${at(4)}`,
    known: "the delay is the least time between two interrupts of a queue, and a ping-pong has one on each side in a " +
      "round trip: that takes the delay or its own time, whichever is longer",
  }, {
    text: "what it takes instead is the delay itself, within 2 %, where that is longer",
    holds: long.every((i) => Math.abs(rtts[i] / Math.max(base, delays[i]) - 1) < 0.02),
    evidence: `16 B: ${long.map(at).join(", ")}`,
  }, {
    text: "5 us, just under half a round trip, costs less than 5 %",
    holds: under < 1.05 * base,
    evidence: `16 B: ${us(base)} without, ${at(1)}`,
  }];
}

const knees: Claim = {
  id: "D6",
  text: "knees at 32 B, 128 B, one medium fragment, and the rendezvous threshold",
  check: (lab) => {
    const at = [32, 128, 8 * KIB, 32 * KIB];
    const rows = lab.sweep("native", "vhpc12", at.flatMap((size) => [size - 1, size, size + 1]), 20);
    const ratios = at.map((_, i) => {
      const [before, knee, after] = rows.slice(3 * i, 3 * i + 3).map((row) => row.latency_us);
      return (after - knee) / Math.max(0.001, knee - before);
    });
    return [{
      text: "native: at each, one byte more costs more than 3 times what the byte before it did",
      holds: ratios.every((ratio) => ratio > 3),
      evidence: ratios.map((ratio, i) => `${at[i]} B: x${ratio.toFixed(0)}`).join(", "),
    }];
  },
};

export const LATENCY_CLAIMS: readonly Claim[] = [order, polling, coalescing, knees];
