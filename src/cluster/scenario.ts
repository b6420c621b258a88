import type { Environment } from "../mx/environment.ts";
import type { PacketLossSpec } from "../mx/driver/packet_loss.ts";
import type { Mechanisms } from "../path/mechanisms.ts";
import type { TourStep } from "./tour.ts";

/*
 * A scenario as the cluster is built from: every default filled in, every unit resolved. The file format, its schema
 * and its error messages are in scenario_file.ts.
 */

/** A host, native or with whatever hypervisor the paths of its guests want. */
export interface HostSpec {
  readonly name: string;
  /** Physical CPUs; null takes the machine profile's. */
  readonly cpus: number | null;
  /** A native host runs processes on its own kernel: no hypervisor, and path `native` whatever the guests ask for. */
  readonly native: boolean;
  /** VCPUs of dom0; null means one for each physical CPU. */
  readonly dom0Vcpus: number | null;
}

/** A guest, or on a native host a process. */
export interface GuestSpec {
  readonly name: string;
  /** Index into `hosts`. */
  readonly host: number;
  readonly path: string;
  readonly vcpus: number;
  /** Weight for the hypervisor's scheduler, 256 by default. */
  readonly weight: number;
  /** Physical CPUs it may run on, null for all. */
  readonly pin: readonly number[] | null;
}

/** Every link of the cluster: they are alike. Picoseconds, bits a second. */
export interface LinkSpec {
  readonly rateBps: number;
  /** 9000 or 1500: the MTU that Open-MX is built for, and of the link. */
  readonly mtu: number;
  /** Propagation beyond serialisation; null takes PHY and fibre from the machine profile. */
  readonly latencyPs: number | null;
  /** Probability that a frame is lost, 0 to 1. */
  readonly loss: number;
  /** `mx`: Open-MX is built for MX 1.2 on the wire, with frames of at most 4144 bytes. Absent: its own format. */
  readonly wire?: "mx";
}

/** What a link suffers for a time. Picoseconds; probabilities 0 to 1. */
export interface FaultSpec {
  readonly atPs: number;
  /** How long it lasts; null for good. */
  readonly forPs: number | null;
  /** A link by the names of its ends, `a-b`; beyond the first rail with the rail's number, `a-b/1`. */
  readonly link: string;
  readonly loss: number;
  /** Delay added to every frame, without taking bandwidth. */
  readonly delayPs: number;
  readonly cut: boolean;
  /** Probability that a frame arrives with wrong bits; absent: none. */
  readonly corrupt?: number;
}

/** What befalls a host or a guest at a time. Picoseconds; `forPs` null is for good. */
export type TroubleSpec =
  & { readonly atPs: number }
  & (
    /** The host's back end does nothing. */
    | { readonly kind: "stall"; readonly host: string; readonly forPs: number }
    /** So many CPUs' worth of somebody else's computation is on the host. */
    | { readonly kind: "hog"; readonly host: string; readonly cpus: number; readonly forPs: number | null }
    /** The guest dies, and is booted again when the time is over. */
    | { readonly kind: "crash"; readonly guest: string; readonly forPs: number }
  );

/** A user's program in the place of a workload. */
export interface ProgramSpec {
  /** As written: relative to the scenario's file, or to the working directory if an option named it. */
  readonly file: string;
  /** 16 hexadecimal digits that name the program's text; empty until it has been read. */
  readonly source: string;
  readonly args: Readonly<Record<string, string | number | boolean>>;
  /** Bytes that a rank may allocate. */
  readonly memoryBytes: number;
}

/** All that determines a run but the version of the program and what users do to it. Picoseconds. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly machine: string;
  /** Figures of the machine profile that are replaced, in the profile's units. */
  readonly costs: Readonly<Record<string, number>>;
  readonly hosts: readonly HostSpec[];
  /** NICs of each host; those of one number are joined to a network of their own, a rail. */
  readonly boards: number;
  readonly guests: readonly GuestSpec[];
  readonly path: string;
  readonly link: LinkSpec;
  readonly mechanisms: Mechanisms;
  /** `omxoed`: boards find each other by the discovery daemon's frames. Absent: they know each other from the start. */
  readonly discovery?: "omxoed";
  /** Frames that the drivers lose on purpose, one in N of a type. Absent: none. */
  readonly packetLoss?: PacketLossSpec;
  /** Environment of every process: what Open-MX's library reads of it. Absent: empty. */
  readonly environment?: Environment;
  /** `kind` names the workload; the rest are its own parameters, checked by its schema. `program` for a program. */
  readonly workload: { readonly kind: string; readonly params: unknown };
  /** The guest program, where one runs instead of a workload. */
  readonly program?: ProgramSpec;
  readonly warmupPs: number;
  /** Measured virtual time after warm-up, at most: a workload that ends by itself may end earlier. */
  readonly durationPs: number;
  readonly seed: number;
  readonly faults: readonly FaultSpec[];
  /** What befalls hosts and guests; written among the faults. Absent: nothing. */
  readonly troubles?: readonly TroubleSpec[];
  readonly thresholds: readonly string[];
  /** Captions for the dashboard; nothing of the run depends on them. */
  readonly tour?: readonly TourStep[];
}
