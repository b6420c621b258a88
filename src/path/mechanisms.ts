import { MIB } from "../base/units.ts";

/** Memory that a queue of a network device takes: a page for each slot of its receive ring, and some more. */
export const NET_QUEUE_BYTES: number = 1.25 * MIB;

/** A mechanism that a scenario may switch, or give a number. */
interface MechanismInfo {
  /** Whom it belongs to, and what it does, in one line. */
  readonly help: string;
  /** The same in a few words, for a row of a menu. */
  readonly short: string;
  /** The largest value of one that is a count, 1 by default and at least; a switch has none. */
  readonly most?: number;
  /** Where a switch is on unless a scenario says otherwise: on these paths, or wherever it means something. */
  readonly on?: readonly string[] | "all";
}

/**
 * Every mechanism that can be switched. Scenario files, their schema, the dashboard's settings and the type that paths
 * read are made from this table, and so are the defaults.
 */
const TABLE = {
  polling: {
    help: "Xen2MX: the backend's worker polls the ring before it sleeps",
    short: "Xen2MX: the backend's worker polls",
    on: ["xen2mx"],
  },
  grantBatching: {
    help: "Xen2MX: up to 16 pages of a region are mapped by one hypercall",
    short: "Xen2MX: one hypercall maps 16 pages",
    on: ["xen2mx"],
  },
  grantReuse: {
    help: "Xen2MX: regions stay granted and mapped after their message",
    short: "Xen2MX: regions stay granted",
    on: ["xen2mx"],
  },
  overlap: {
    help: "Xen2MX: dom0 serves other commands while a region is being mapped",
    short: "Xen2MX: dom0 works while a region is mapped",
  },
  historical: {
    help: "Xen2MX: the observable mistakes of the 2012 code",
    short: "Xen2MX: the mistakes of the 2012 code",
  },
  /** OMX_RCACHE. */
  registrationCache: {
    help: "Open-MX: registrations are cached",
    short: "Open-MX: registrations are cached",
  },
  /** I/OAT. */
  copyOffload: {
    help: "Open-MX: large receives are copied by the chipset's engine",
    short: "Open-MX: large receives by I/OAT",
  },
  /** OMX_DEBUG_CHECKSUM. */
  debugChecksum: {
    help: "Open-MX: eager messages carry a checksum, which the receiver checks",
    short: "Open-MX: eager messages with a checksum",
  },
  hvm: {
    help: "IOV: the guests are fully virtualised (Xen HVM) instead of paravirtual",
    short: "IOV: guests are fully virtualised",
  },
  postedInterrupts: {
    help: "IOV: a function's interrupt reaches its VCPU without Xen",
    short: "IOV: interrupts without Xen",
  },
  xenDeviceModel: {
    help: "emulated: the guests are Xen's, with the device model in dom0, instead of KVM's",
    short: "emulated: Xen's device model in dom0",
  },
  /** Mapped until the frames have ended. */
  netbackMap: {
    help: "bridged: netback maps the pages of transmitted frames instead of copying them",
    short: "bridged: netback maps instead of copying",
  },
  /** Each queue has rings and an event channel too. */
  netQueues: {
    help: "bridged: queues of each guest's interface, with a netback thread each; 1 by default",
    short: "bridged: queues of each interface",
    most: 8,
  },
  /** For Xen's scheduler; no path reads it, and no other scheduler. */
  boost: {
    help: "Xen: a woken VCPU goes first",
    short: "Xen: a woken VCPU goes first",
    on: "all",
  },
} as const satisfies Record<string, MechanismInfo>;

type Table = typeof TABLE;

/** The name of a mechanism, as scenario files have it. */
export type MechanismName = keyof Table;

/** Names of the mechanisms that are counts. */
type CountName = { [Name in MechanismName]: Table[Name] extends { most: number } ? Name : never }[MechanismName];

/** What a scenario says of mechanisms; what is left out has the path's default. */
export type Mechanisms = { readonly [Name in MechanismName]?: Name extends CountName ? number : boolean };

/** What there is to say of each mechanism. */
export const MECHANISMS: Readonly<Record<MechanismName, MechanismInfo>> = TABLE;

/** Names of all mechanisms, in the order in which they are shown. */
export const MECHANISM_NAMES = Object.keys(TABLE) as readonly MechanismName[];

/** Whether a path has a switch on that the scenario does not mention. */
export function isOnByDefault(name: MechanismName, path: string): boolean {
  const { on = [] } = MECHANISMS[name];
  return on === "all" || on.includes(path);
}

/** The default of a mechanism in words: `false`, `true on xen2mx`, `1`. */
export function defaultText(name: MechanismName): string {
  const { most, on = [] } = MECHANISMS[name];
  if (most !== undefined) return "1";
  if (on === "all") return "true";
  return on.length === 0 ? "false" : `true on ${on.join(", ")}`;
}
