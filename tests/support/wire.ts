import type { Cluster } from "../../src/cluster/cluster.ts";
import type { FramePool } from "../../src/hw/frame.ts";
import type { Link, WirePort } from "../../src/hw/link.ts";
import type { MxLimits } from "../../src/mx/limits.ts";
import * as wire from "../../src/mx/wire/mod.ts";

/** A frame as it was put on a wire. */
export interface WireFrame {
  /** Virtual time at which its last bit left the sender, picoseconds. */
  readonly at: number;
  /** Number of the link, and the end that sent it. */
  readonly link: number;
  readonly side: 0 | 1;
  readonly type: number;
  /** `TINY`, `RNDV`, ... */
  readonly name: string;
  /** Whole frame from the Ethernet header on, without FCS. */
  readonly length: number;
  /** The part before attached payload, and bytes of that. */
  readonly bytes: Uint8Array;
  readonly payloadLength: number;
  /** The head's peer index. */
  readonly peerIndex: number;
  readonly src: number;
  readonly dst: number;
  /** The packet's own fields, by the names of the `parse` functions. */
  readonly fields: Record<string, number>;
}

/** The packet's fields, whatever its type. */
export function fieldsOf(view: DataView, at: number, limits: MxLimits): Record<string, number> {
  const parsed = () => {
    switch (wire.packetType(view, at)) {
      case wire.PACKET_TINY:
      case wire.PACKET_SMALL:
        return wire.parseEager(view, at);
      case wire.PACKET_MEDIUM:
        return wire.parseMedium(view, at, limits.compat);
      case wire.PACKET_RNDV:
        return wire.parseRndv(view, at);
      case wire.PACKET_PULL:
        return wire.parsePull(view, at, limits.compat);
      case wire.PACKET_PULL_REPLY:
        return wire.parsePullReply(view, at);
      case wire.PACKET_NOTIFY:
        return wire.parseNotify(view, at);
      case wire.PACKET_TRUC:
        return wire.parseTruc(view, at);
      case wire.PACKET_CONNECT:
        return wire.parseConnect(view, at);
      case wire.PACKET_NACK_LIB:
        return wire.parseNackLib(view, at);
      case wire.PACKET_NACK_MCP:
        return wire.parseNackMcp(view, at);
      case wire.PACKET_HOST_QUERY:
        return wire.parseHostQuery(view, at);
      case wire.PACKET_HOST_REPLY:
        return wire.parseHostReply(view, at);
      case wire.PACKET_RAW:
        return wire.parseRaw(view, at);
      default:
        return {};
    }
  };
  return { ...parsed() } as unknown as Record<string, number>;
}

/** Reads one frame of a pool. */
export function readFrame(
  frames: FramePool,
  frame: number,
  limits: MxLimits,
  where: { link: number; side: 0 | 1; at: number },
): WireFrame {
  const { view, u8 } = frames.memory;
  const at = frames.at(frame);
  const type = wire.packetType(view, at);
  return {
    ...where,
    type,
    name: wire.packetTypeText(type),
    length: frames.frameLength(frame),
    bytes: u8.slice(at, at + frames.linearOf(frame)),
    payloadLength: frames.payloadLengthOf(frame),
    peerIndex: wire.readPeerIndex(view, at),
    src: wire.readSrcLo(view, at),
    dst: wire.readDstLo(view, at),
    fields: fieldsOf(view, at, limits),
  };
}

/** Keeps every frame that is put on any wire of a cluster, lost ones too, in order of time. */
export function record(cluster: Cluster): WireFrame[] {
  return recordLinks(cluster.links, cluster.world.frames, cluster.world.mx);
}

export function recordLinks(links: readonly Link[], frames: FramePool, limits: MxLimits): WireFrame[] {
  const seen: WireFrame[] = [];
  for (const [link, cable] of links.entries()) {
    cable.tap.listen((side, frame, at) => void seen.push(readFrame(frames, frame, limits, { link, side, at })));
  }
  return seen;
}

/** What a test does to a frame at the end of its wire: loses it, doubles it, or holds it back, picoseconds. */
export interface Fate {
  readonly lose?: boolean;
  readonly copies?: number;
  readonly holdPs?: number;
}

/** Lets a test decide what arrives at the hosts of a cluster: `nth` counts the frames of a type from one side. */
export function meddle(cluster: Cluster, decide: (frame: WireFrame, nth: number) => Fate | void): void {
  const { engine, frames, mx } = cluster.world;
  for (const [link, cable] of cluster.links.entries()) {
    for (const side of [0, 1] as const) {
      const port = cable.directions[side].to as WirePort;
      const receive = port.receive.bind(port);
      const later = engine.handler(`meddler ${link}.${side}`, (frame) => receive(frame));
      const counts = new Map<number, number>();
      port.receive = (frame: number) => {
        const seen = readFrame(frames, frame, mx, { link, side, at: engine.now });
        const nth = counts.get(seen.type) ?? 0;
        counts.set(seen.type, nth + 1);
        const { lose = false, copies = 1, holdPs = 0 } = decide(seen, nth) ?? {};
        for (let i = 1; i < copies; i++) engine.after(1000 * i, later, copyFrame(frames, frame));
        if (lose) frames.free(frame);
        else if (holdPs > 0) engine.after(holdPs, later, frame);
        else receive(frame);
      };
    }
  }
}

/** A second frame with the same bytes. */
export function copyFrame(frames: FramePool, frame: number): number {
  const copy = frames.take(frames.linearOf(frame));
  const { memory } = frames;
  memory.copy(frames.at(copy), frames.at(frame), frames.linearOf(frame));
  if (frames.payloadLengthOf(frame) > 0) {
    const length = frames.payloadLengthOf(frame);
    memory.copy(frames.attachOwn(copy, length), frames.payloadOf(frame), length);
  }
  return copy;
}
