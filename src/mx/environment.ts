import type { LibraryOptions } from "./lib/core.ts";

/** Environment of a process that uses MX: names and values, as text. */
export type Environment = Readonly<Record<string, string>>;

/** What the library makes of its environment. */
export interface EnvironmentSettings {
  readonly library: LibraryOptions;
  /** How blocking calls wait; null leaves it to the program's host. */
  readonly waitMode: "poll" | "block" | null;
  readonly fatalErrors: boolean;
}

interface Variable {
  /** MX's own name for the same, where Open-MX knows one too. */
  readonly alias?: string;
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly option: (value: number) => Partial<Omit<EnvironmentSettings, "library">> & { library?: LibraryOptions };
}

/**
 * The variables that the library reads in mx_init (omx_init.c:250-560), with the values that it takes. Switches are 0 or
 * 1. OMX_DISABLE_SHARED is not among them: without the driver's shared path a message to the own host would need a
 * loopback interface, and there is none.
 */
const VARIABLES: Readonly<Record<string, Variable>> = {
  OMX_RNDV_THRESHOLD: {
    what: "longest eager message in bytes, clamped to 128 and the longest medium message",
    min: 0,
    max: 0xffffffff,
    option: (rndvThreshold) => ({ library: { rndvThreshold } }),
  },
  OMX_SHARED_RNDV_THRESHOLD: {
    what: "the same to an endpoint of the own host",
    min: 0,
    max: 0xffffffff,
    option: (sharedRndvThreshold) => ({ library: { sharedRndvThreshold } }),
  },
  OMX_DISABLE_SELF: {
    alias: "MX_DISABLE_SELF",
    what: "1: messages to the own endpoint go through the driver",
    min: 0,
    max: 1,
    option: (value) => ({ library: { selfComms: value === 0 } }),
  },
  OMX_MEDIUM_SENDQ: {
    what: "0: medium messages are read where the program has them, without the send queue",
    min: 0,
    max: 1,
    option: (value) => ({ library: { mediumSendQueue: value === 1 } }),
  },
  OMX_RCACHE: {
    what: "1: large buffers stay registered",
    min: 0,
    max: 1,
    option: (value) => ({ library: { registrationCache: value === 1 } }),
  },
  OMX_RESENDS_MAX: {
    alias: "MX_MAX_RETRIES",
    what: "transmissions before a partner is unreachable",
    min: 1,
    max: 1e6,
    option: (resendsMax) => ({ library: { resendsMax } }),
  },
  OMX_NOTACKED_MAX: {
    alias: "MX_IMM_ACK",
    what: "messages received and not acknowledged that make an acknowledgement leave at once",
    min: 1,
    max: 8191,
    option: (notAckedMax) => ({ library: { notAckedMax } }),
  },
  OMX_ZOMBIE_SEND: {
    what: "sends that count as done before they are acknowledged",
    min: 0,
    max: 65536,
    option: (zombieSends) => ({ library: { zombieSends } }),
  },
  OMX_WAITSPIN: {
    what: "1: blocking calls poll, 0: they sleep",
    min: 0,
    max: 1,
    option: (value) => ({ waitMode: value === 1 ? "poll" : "block" }),
  },
  OMX_FATAL_ERRORS: {
    what: "0: errors are returned instead of ending the program",
    min: 0,
    max: 1,
    option: (value) => ({ fatalErrors: value === 1 }),
  },
};

const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries(VARIABLES).flatMap(([name, { alias }]) => alias === undefined ? [] : [[alias, name]]),
);

/** Every name that the library knows, aliases too. */
export const VARIABLE_NAMES: readonly string[] = [...Object.keys(VARIABLES), ...ALIASES.keys()];

/** The variable of a name or alias, undefined for one that the library does not read. */
export function variableOf(name: string): Variable | undefined {
  return VARIABLES[ALIASES.get(name) ?? name];
}

/**
 * Reads an environment. Like the original it passes over what it does not know; a value that is no number in the
 * variable's range is left alone too, so check what users write with {@link variableOf}.
 */
export function readEnvironment(environment: Environment): EnvironmentSettings {
  let settings: EnvironmentSettings = { library: {}, waitMode: null, fatalErrors: true };
  for (const [name, text] of Object.entries(environment)) {
    const variable = variableOf(name);
    const value = Number(text);
    if (variable === undefined || !Number.isInteger(value) || value < variable.min || value > variable.max) continue;
    const { library, ...rest } = variable.option(value);
    settings = { ...settings, ...rest, library: { ...settings.library, ...library } };
  }
  return settings;
}
