import { showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import type { FaultSpec, HostSpec } from "./scenario.ts";
import type { ScenarioFile } from "./scenario_file.ts";
import { oneOf, type ProblemList } from "./scenario_problem.ts";

/** Name of a link or a switch of a rail: that of the first one, and for others with the rail's number after a slash. */
export function onRail(name: string, rail: number): string {
  return rail === 0 ? name : `${name}/${rail}`;
}

/** A link by the names of its ends, from either of them. */
interface LinkName {
  readonly name: string;
  readonly reversed: string;
}

/** The links of one rail by the names of their ends: two hosts are joined directly, more by a switch. */
export function railLinks(hosts: readonly { readonly name: string }[], rail: number): string[] {
  return linksOf(hosts, rail).map(({ name }) => name);
}

function linksOf(hosts: readonly { readonly name: string }[], rail: number): LinkName[] {
  const link = (a: string, b: string) => ({ name: onRail(`${a}-${b}`, rail), reversed: onRail(`${b}-${a}`, rail) });
  if (hosts.length < 2) return [];
  if (hosts.length === 2) return [link(hosts[0].name, hosts[1].name)];
  return hosts.map(({ name }) => link(name, "switch"));
}

/** The faults of a scenario, each on a link that exists. A link may be named from either of its ends. */
export function resolveFaults(file: ScenarioFile, hosts: readonly HostSpec[], problems: ProblemList): FaultSpec[] {
  const all = Array.from({ length: file.boards ?? 1 }, (_, rail) => linksOf(hosts, rail)).flat();
  const links = all.map(({ name }) => name);
  const reversed = new Map(all.map(({ name, reversed }) => [reversed, name]));
  return (file.faults ?? []).map((fault, i) => {
    const link = links.includes(fault.link) ? fault.link : reversed.get(fault.link);
    if (link === undefined) {
      const wanted = links.length === 0 ? "no faults: one host has no link" : `a link: ${oneOf(links)}`;
      problems.add(
        ["faults", i, "link"],
        `found ${showValue(fault.link)}, wanted ${wanted}${didYouMean(fault.link, links)}`,
      );
    }
    const { loss, corrupt, delay, cut } = fault;
    if ([loss, corrupt, delay, cut].every((part) => part === undefined)) {
      problems.add(["faults", i], "found a fault that does nothing, wanted loss, corrupt, delay or cut");
    }
    return {
      atPs: fault.at,
      forPs: fault.for ?? null,
      link: link ?? fault.link,
      loss: loss ?? 0,
      delayPs: delay ?? 0,
      cut: cut ?? false,
      ...(corrupt === undefined ? {} : { corrupt }),
    };
  });
}
