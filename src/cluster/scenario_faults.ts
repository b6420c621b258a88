import { showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import type { FaultSpec, HostSpec } from "./scenario.ts";
import type { ScenarioFile } from "./scenario_file.ts";
import { oneOf, type ProblemList } from "./scenario_problem.ts";

/** The links of a cluster by the names of their ends: two hosts are joined directly, more by a switch. */
export function linkNames(hosts: readonly { readonly name: string }[]): string[] {
  if (hosts.length < 2) return [];
  if (hosts.length === 2) return [`${hosts[0].name}-${hosts[1].name}`];
  return hosts.map(({ name }) => `${name}-switch`);
}

/** The faults of a scenario, each on a link that exists. A link may be named from either of its ends. */
export function resolveFaults(file: ScenarioFile, hosts: readonly HostSpec[], problems: ProblemList): FaultSpec[] {
  const links = linkNames(hosts);
  const reversed = new Map(links.map((link, i) => [fromOtherEnd(hosts, i), link]));
  return (file.faults ?? []).map((fault, i) => {
    const link = links.includes(fault.link) ? fault.link : reversed.get(fault.link);
    if (link === undefined) {
      const wanted = links.length === 0 ? "no faults: one host has no link" : `a link: ${oneOf(links)}`;
      problems.add(
        ["faults", i, "link"],
        `found ${showValue(fault.link)}, wanted ${wanted}${didYouMean(fault.link, links)}`,
      );
    }
    if (fault.loss === undefined && fault.delay === undefined && fault.cut === undefined) {
      problems.add(["faults", i], "found a fault that does nothing, wanted loss, delay or cut");
    }
    return {
      atPs: fault.at,
      forPs: fault.for ?? null,
      link: link ?? fault.link,
      loss: fault.loss ?? 0,
      delayPs: fault.delay ?? 0,
      cut: fault.cut ?? false,
    };
  });
}

function fromOtherEnd(hosts: readonly HostSpec[], link: number): string {
  return hosts.length === 2 ? `${hosts[1].name}-${hosts[0].name}` : `switch-${hosts[link].name}`;
}
