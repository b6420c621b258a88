import assert from "node:assert/strict";
import { SEQ_MASK, seqOffset } from "../../src/base/wrap.ts";
import { US } from "../../src/base/units.ts";
import type { MxLimits } from "../../src/mx/limits.ts";
import * as wire from "../../src/mx/wire/mod.ts";
import type { WireFrame } from "./wire.ts";

/*
 * The invariants of MXoE that can be read from a wire (reference, section 8), for two hosts on one cable. `isLossy`
 * says that frames were lost, doubled or held back: what then depends on the receiver is not checked.
 */

/** Messages that take a sequence number. */
const NUMBERED = new Set(["TINY", "SMALL", "MEDIUM", "RNDV", "NOTIFY"]);
const ACKING = new Set([...NUMBERED, "TRUC"]);
/** A driver may need this long from the arrival of a CONNECT until its next frames carry the index. */
const LEARNING = 200 * US;

/** Checks everything below. */
export function checkProtocol(frames: readonly WireFrame[], limits: MxLimits, isLossy = false): void {
  assert.ok(frames.length > 0, "nothing was sent");
  for (const frame of frames) checkShape(frame, limits);
  if (!isLossy) checkPeerIndexes(frames);
  checkSessions(frames);
  checkSequences(frames);
  checkAcks(frames, isLossy);
  checkMediums(frames, limits);
  checkPulls(frames, limits, isLossy);
  checkRendezvous(frames);
}

/** Bytes that follow the header, as the packet declares them. */
export function payloadOf({ name, fields }: WireFrame): number {
  if (name === "TINY" || name === "SMALL") return fields.length;
  if (name === "MEDIUM") return fields.fragLength;
  return name === "PULL_REPLY" ? fields.frameLength : 0;
}

/** Invariants 1 and 2: EtherType, type, header length, frame size. */
function checkShape(frame: WireFrame, limits: MxLimits): void {
  const view = new DataView(frame.bytes.buffer);
  assert.equal(wire.readEthertype(view, 0), 0x86df);
  assert.ok(frame.type >= wire.PACKET_TRUC && frame.type <= wire.PACKET_NACK_MCP, frame.name);
  const header = wire.headerLength(frame.type, limits.compat);
  assert.equal(frame.length, Math.max(60, header + payloadOf(frame)), `${frame.name} has no bytes to spare`);
  assert.ok(frame.length <= limits.mtu, `${frame.name} fits the MTU`);
}

/** A sending endpoint and the endpoint that it sends to. */
function flowOf({ src, dst, fields }: WireFrame): string {
  return `${src}/${fields.srcEndpoint} ${dst}/${fields.dstEndpoint}`;
}

function reverseOf(flow: string): string {
  return flow.split(" ").reverse().join(" ");
}

/** Invariant 6: the index is the one that the receiver has advertised to the sender, or 0xffff before. */
function checkPeerIndexes(frames: readonly WireFrame[]): void {
  const advertised = new Map<string, { index: number; at: number }>(); // by sender and receiver
  for (const frame of frames) {
    if (frame.name === "PULL_REPLY") continue;
    const known = advertised.get(`${frame.src} ${frame.dst}`);
    const settled = known !== undefined && frame.at > known.at + LEARNING;
    if (frame.peerIndex !== 0xffff || settled) {
      assert.equal(frame.peerIndex, known?.index, `peer index of ${frame.name} at ${frame.at}`);
    }
    if (frame.name !== "CONNECT") continue;
    const first = known ?? { index: frame.fields.srcDstPeerIndex, at: frame.at };
    const key = `${frame.dst} ${frame.src}`;
    advertised.set(key, { index: frame.fields.srcDstPeerIndex, at: advertised.get(key)?.at ?? Math.max(first.at, 0) });
  }
}

/** Invariant 7: what is addressed to an endpoint carries that endpoint's session. */
function checkSessions(frames: readonly WireFrame[]): void {
  const sessions = new Map<string, number>();
  for (const { name, src, dst, fields } of frames) {
    if (name === "CONNECT") {
      sessions.set(`${src}/${fields.srcEndpoint}`, fields.isReply ? fields.targetSessionId : fields.srcSessionId);
    } else if ("session" in fields) {
      assert.equal(fields.session, sessions.get(`${dst}/${fields.dstEndpoint}`), `session of ${name}`);
    }
  }
}

/** Invariant 8: numbers from 1 without a gap, one message each; a repetition repeats its message. */
function checkSequences(frames: readonly WireFrame[]): void {
  const flows = new Map<string, Map<number, string>>();
  for (const frame of frames) {
    if (!NUMBERED.has(frame.name)) continue;
    const { libSeqnum, matchA, matchB, length, msgLength, totalLength, pulledRdmaId, pulledRdmaSeqnum } = frame.fields;
    const message = [frame.name, matchA, matchB, length, msgLength, totalLength, pulledRdmaId, pulledRdmaSeqnum].join();
    const flow = flowOf(frame);
    if (!flows.has(flow)) flows.set(flow, new Map());
    const seen = flows.get(flow)!;
    assert.equal(seen.get(libSeqnum) ?? message, message, `number ${libSeqnum} of ${flow}`);
    seen.set(libSeqnum, message);
  }
  for (const [flow, seen] of flows) {
    const numbers = [...seen.keys()].sort((x, y) => x - y);
    assert.deepEqual(numbers, numbers.map((_, i) => i + 1), `numbers of ${flow}`);
  }
}

/** Invariant 9: acks never go back nor ahead of what was sent; explicit acks are counted upwards. */
function checkAcks(frames: readonly WireFrame[], isLossy: boolean): void {
  const acks = new Map<string, number>();
  const counts = new Map<string, number>();
  const sent = new Map<string, Set<number>>();
  for (const frame of frames) {
    if (!ACKING.has(frame.name)) continue;
    const flow = flowOf(frame);
    const { fields, name } = frame;
    if (NUMBERED.has(name)) {
      if (!sent.has(flow)) sent.set(flow, new Set());
      sent.get(flow)!.add(fields.libSeqnum);
    }
    const ack = name === "TRUC" ? fields.libSeqnum : fields.libPiggyack;
    const before = acks.get(flow) ?? 1;
    assert.ok(seqOffset(ack, before) < 8192, `${flow}: ack ${ack} after ${before}`);
    acks.set(flow, ack);
    const theirs = sent.get(reverseOf(flow)) ?? new Set();
    for (let seq = before; seq !== ack; seq = (seq + 1) & SEQ_MASK) {
      assert.ok(theirs.has(seq), `${flow}: ack of ${seq}`);
    }
    if (name !== "TRUC") continue;
    const count = counts.get(flow) ?? 0;
    assert.ok(isLossy ? fields.acknum > count : fields.acknum === count + 1, `${flow}: acknum ${fields.acknum}`);
    counts.set(flow, fields.acknum);
  }
  for (const [flow, numbers] of sent) {
    const open = numbers.size + 1 - (acks.get(reverseOf(flow)) ?? 1);
    assert.ok(open <= 8191, `${flow}: the window is 8191 messages`);
  }
}

/** Invariant 10: fragments of one number agree, and tile the message; all but the last are full. */
function checkMediums(frames: readonly WireFrame[], limits: MxLimits): void {
  const messages = new Map<string, Map<number, WireFrame>>();
  for (const frame of frames) {
    if (frame.name !== "MEDIUM") continue;
    const key = `${flowOf(frame)} ${frame.fields.libSeqnum}`;
    if (!messages.has(key)) messages.set(key, new Map());
    messages.get(key)!.set(frame.fields.fragSeqnum, frame);
  }
  const size = limits.mediumFragmentBytes;
  for (const [key, fragments] of messages) {
    const { length, matchA, matchB, session } = fragments.get(0)!.fields;
    assert.equal(fragments.size, Math.ceil(length / size), key);
    for (const [number, { fields }] of fragments) {
      assert.equal(fields.fragLength, Math.min(size, length - number * size), `${key} fragment ${number}`);
      assert.deepEqual([fields.length, fields.matchA, fields.matchB, fields.session], [
        length,
        matchA,
        matchB,
        session,
      ], key);
    }
  }
}

/** Invariants 12 and 13: what each pull is answered with, and how many are open. */
function checkPulls(frames: readonly WireFrame[], limits: MxLimits, isLossy: boolean): void {
  const { pullReplyBytes, repliesPerBlock } = limits;
  interface Pulled {
    total: number;
    asked: Map<number, number>; // frames by block's first frame
    got: Map<number, number>; // replies by frame
  }
  const pulls = new Map<string, Pulled>();
  for (const { name, src, dst, fields } of frames) {
    if (name === "PULL") {
      const key = `${src} ${fields.srcMagic} ${fields.srcPullHandle}`;
      const pull = pulls.get(key) ?? { total: fields.totalLength, asked: new Map(), got: new Map() };
      pulls.set(key, pull);
      const replies = Math.ceil((fields.firstFrameOffset + fields.blockLength) / pullReplyBytes);
      assert.ok(replies <= repliesPerBlock && fields.frameIndex % repliesPerBlock === 0, key);
      pull.asked.set(fields.frameIndex, replies);
      const open = [...pull.asked].filter(([first, count]) => {
        for (let i = first; i < first + count; i++) if (!pull.got.has(i)) return true;
        return false;
      });
      assert.ok(open.length <= 4, `${key}: ${open.length} blocks are open`);
    } else if (name === "PULL_REPLY") {
      const key = `${dst} ${fields.dstMagic} ${fields.dstPullHandle}`;
      const pull = pulls.get(key);
      assert.ok(pull !== undefined, `${key}: a reply that nobody asked for`);
      const frame = fields.msgOffset / pullReplyBytes;
      assert.equal(fields.frameSeqnum, frame % 256, key);
      assert.equal(fields.frameLength, Math.min(pullReplyBytes, pull.total - fields.msgOffset), key);
      pull.got.set(frame, (pull.got.get(frame) ?? 0) + 1);
    }
  }
  for (const [key, { total, got }] of pulls) {
    assert.equal(got.size, Math.ceil(total / pullReplyBytes), `${key}: replies tile the message`);
    if (!isLossy) assert.ok([...got.values()].every((times) => times === 1), `${key}: each reply once`);
  }
}

/** Invariant 14: one notify for each rendezvous, with its region and length; no pull for an empty one. */
function checkRendezvous(frames: readonly WireFrame[]): void {
  const announced = new Map<string, WireFrame>();
  const notified = new Map<string, WireFrame>();
  const pulled = new Set<string>();
  for (const frame of frames) {
    const { fields, name } = frame;
    const region = `${fields.pulledRdmaId}/${fields.pulledRdmaSeqnum}`;
    if (name === "RNDV") announced.set(`${flowOf(frame)} ${region}`, frame);
    else if (name === "PULL") pulled.add(`${reverseOf(flowOf(frame))} ${region}`);
    else if (name === "NOTIFY") {
      const key = `${reverseOf(flowOf(frame))} ${region}`;
      const rndv = announced.get(key);
      assert.ok(rndv !== undefined, `notify of a region that was not announced: ${key}`);
      const earlier = notified.get(key);
      assert.equal(earlier?.fields.libSeqnum ?? fields.libSeqnum, fields.libSeqnum, `${key}: two notifies`);
      assert.equal(fields.totalLength, rndv.fields.msgLength, key);
      notified.set(key, frame);
    }
  }
  for (const [key, { fields }] of announced) {
    assert.ok(notified.has(key), `${key} was never notified`);
    assert.equal(pulled.has(key), fields.msgLength > 0, `${key}: pulled`);
  }
}
