import type { Scenario } from "../cluster/scenario.ts";
import { PATHS } from "../path/registry.ts";
import { recordAnatomy } from "../report/anatomy.ts";
import { optionsOf } from "../report/one_message.ts";

/** One message of each class, as a scenario's machine, costs and mechanisms have it. */
export function anatomyOf(
  { scenario }: { readonly scenario: Scenario },
  path: string,
): ReturnType<typeof recordAnatomy> {
  const known = PATHS.find((other) => other.name === path)!;
  return recordAnatomy(known, optionsOf(scenario));
}
