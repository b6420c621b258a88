import type { MxLimits } from "../../../src/mx/limits.ts";
import * as wire from "../../../src/mx/wire/mod.ts";
import type { BenchSide } from "../../support/driver_bench.ts";

const MAC_HIGH = 0x0200;

/** How a hand-made frame may differ from what a driver would send. */
export interface Head {
  /** The number that the receiver has given to the sender; 1 on the bench. */
  readonly peerIndex?: number;
  readonly srcMac?: number;
  /** Bytes of the frame, when it is to be cut or longer. */
  readonly frameLength?: number;
}

function build(from: BenchSide, to: BenchSide, head: Head, emit: (view: DataView) => number): Uint8Array {
  const bytes = new Uint8Array(192);
  const view = new DataView(bytes.buffer);
  wire.emitHead(view, 0, MAC_HIGH, to.mac, MAC_HIGH, head.srcMac ?? from.mac, head.peerIndex ?? 1);
  const used = emit(view);
  return bytes.subarray(0, head.frameLength ?? wire.padFrame(view, 0, used));
}

type Fields<F> = Partial<F> & Head;

/** TINY or SMALL, by `kind`, with a payload of `data`. */
export function eager(
  from: BenchSide,
  to: BenchSide,
  kind: "TINY" | "SMALL",
  fields: Fields<wire.EagerFields>,
  data: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return build(from, to, fields, (view) => {
    const all = { ...wire.newEagerFields(), length: data.length, ...fields };
    const at = kind === "TINY" ? wire.emitTiny(view, 0, all) : wire.emitSmall(view, 0, all);
    new Uint8Array(view.buffer).set(data, at);
    return at + data.length;
  });
}

export function medium(from: BenchSide, to: BenchSide, fields: Fields<wire.MediumFields>): Uint8Array {
  return build(from, to, { frameLength: 48, ...fields }, (view) => {
    return wire.emitMedium(view, 0, { ...wire.newMediumFields(), ...fields }, false);
  });
}

export function rndv(from: BenchSide, to: BenchSide, fields: Fields<wire.RndvFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitRndv(view, 0, { ...wire.newRndvFields(), ...fields }));
}

export function notify(from: BenchSide, to: BenchSide, fields: Fields<wire.NotifyFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitNotify(view, 0, { ...wire.newNotifyFields(), ...fields }));
}

export function truc(from: BenchSide, to: BenchSide, fields: Fields<wire.TrucFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitTruc(view, 0, { ...wire.newTrucFields(), ...fields }));
}

export function connect(from: BenchSide, to: BenchSide, fields: Fields<wire.ConnectFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitConnect(view, 0, { ...wire.newConnectFields(), ...fields }));
}

export function pull(
  from: BenchSide,
  to: BenchSide,
  fields: Fields<wire.PullFields> & { readonly compat?: boolean },
): Uint8Array {
  const { compat = false } = fields;
  return build(from, to, fields, (view) => wire.emitPull(view, 0, { ...wire.newPullFields(), ...fields }, compat));
}

/** A reply without its payload. */
export function pullReply(from: BenchSide, to: BenchSide, fields: Fields<wire.PullReplyFields>): Uint8Array {
  return build(from, to, { frameLength: 32, ...fields }, (view) => {
    return wire.emitPullReply(view, 0, { ...wire.newPullReplyFields(), ...fields });
  });
}

export function nackLib(from: BenchSide, to: BenchSide, fields: Fields<wire.NackLibFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitNackLib(view, 0, { ...wire.newNackLibFields(), ...fields }));
}

export function nackMcp(from: BenchSide, to: BenchSide, fields: Fields<wire.NackMcpFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitNackMcp(view, 0, { ...wire.newNackMcpFields(), ...fields }));
}

export function hostQuery(from: BenchSide, to: BenchSide, fields: Fields<wire.HostQueryFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitHostQuery(view, 0, { ...wire.newHostQueryFields(), ...fields }));
}

export function hostReply(from: BenchSide, to: BenchSide, fields: Fields<wire.HostReplyFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitHostReply(view, 0, { ...wire.newHostReplyFields(), ...fields }));
}

/** What a daemon sends, to one station. */
export function raw(from: BenchSide, to: BenchSide, fields: Fields<wire.RawFields>): Uint8Array {
  return build(from, to, fields, (view) => wire.emitRaw(view, 0, { ...wire.newRawFields(), ...fields }));
}

/** `length` bytes that differ from place to place. */
export function pattern(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}

/** Largest pull block and reply of a build. */
export function pullSizes(limits: MxLimits): { block: number; reply: number } {
  return { reply: limits.pullReplyBytes, block: limits.pullReplyBytes * limits.repliesPerBlock };
}
