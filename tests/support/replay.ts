/** A small fast scenario with three links, and what is done to it by a session of more than 30 inputs. */
import type { Input } from "../../src/cluster/input.ts";

export const RELAY = `name: relay
title: Four guests on three hosts stream small messages
hosts: 3
guests: 4
path: xen2mx
workload: { kind: stream, size: 4 KiB, outstanding: 2 }
duration: 20 ms
`;

const LINKS = ["a-switch", "b-switch", "c-switch"] as const;

/** Of every kind that a link can suffer, on every link, some for good, some ended by hand. */
export function scriptedInputs(count: number): Input[] {
  return Array.from({ length: count }, (_, i): Input => {
    const link = LINKS[i % LINKS.length];
    const forPs = i % 5 === 3 ? null : (1 + i % 4) * 100e6;
    switch (i % 6) {
      case 0:
        return { kind: "fault", link, loss: 0.01 * (1 + i % 3), forPs };
      case 1:
        return { kind: "fault", link, delayPs: 3e6 + i, forPs };
      case 2:
        return { kind: "fault", link, cut: true, forPs: 50e6 };
      case 3:
        return { kind: "fault", link, loss: 0.002, delayPs: 1e6, forPs };
      case 4:
        return { kind: "fault", link, loss: 0.001, forPs: null };
      default:
        return { kind: "end", input: i };
    }
  });
}
