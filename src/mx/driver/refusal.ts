import type { Processor } from "../../hw/processor.ts";
import { IRQ, KERNEL } from "../../metrics/stage.ts";
import * as wire from "../wire/mod.ts";
import { EVENT_NACK_LIB } from "./contract.ts";
import * as count from "./counters.ts";
import type { OmxDriver } from "./driver.ts";
import { EV_COOKIE, EV_ENDPOINT, EV_PEER, EV_SEQ, EV_SHARED, EV_SMALL_FIELD } from "./events.ts";
import { type Peer, PEER_UNKNOWN } from "./peer_table.ts";

/* Refusals of packets between libraries: NACK_LIB, sent and received (omx_recv.c:214-235, 870-897). */

const nackLib = wire.newNackLibFields();

/** The peer that a NACK's head names: by index, or by address where its sender knew none. Undefined is counted. */
export function nackPeer(driver: OmxDriver, at: number): Peer | undefined {
  const { view } = driver.memory;
  const index = wire.readPeerIndex(view, at);
  const isUnknown = index === PEER_UNKNOWN;
  const peer = isUnknown
    ? driver.peers.byAddress(wire.readSrcHi(view, at), wire.readSrcLo(view, at))
    : driver.peers.at(index);
  if (peer === undefined) driver.counters[isUnknown ? count.DROP_BAD_PEER_ADDR : count.DROP_BAD_PEER_INDEX]++;
  return peer;
}

/** A NACK_LIB has come in, or goes from one endpoint of this host to another: an event, never another NACK. */
export function receiveNackLib(driver: OmxDriver, cpu: Processor, frame: number, shared: boolean): void {
  const { view } = driver.memory;
  const at = driver.frames.at(frame);
  const peer = nackPeer(driver, at);
  if (peer === undefined) return;
  const endpoint = driver.endpoints[wire.nackLibDstEndpoint(view, at)];
  if (endpoint === null || endpoint === undefined) {
    driver.counters[count.DROP_BAD_ENDPOINT]++;
    return;
  }
  const event = endpoint.sink.reserve(cpu, false, false);
  if (event < 0) {
    driver.counters[count.UNEXP_QUEUE_FULL]++;
    return;
  }
  view.setUint16(event + EV_PEER, peer.index, true);
  view.setUint8(event + EV_ENDPOINT, wire.nackSrcEndpoint(view, at));
  view.setUint8(event + EV_SHARED, shared ? 1 : 0);
  view.setUint8(event + EV_SMALL_FIELD, wire.nackType(view, at));
  view.setUint16(event + EV_SEQ, wire.nackLibLibSeqnum(view, at), true);
  view.setUint32(event + EV_COOKIE, 0, true);
  if (!shared) driver.counters[count.RECV_NACK_LIB]++;
  endpoint.sink.commit(cpu, EVENT_NACK_LIB, -1);
}

/** Answers a packet that no endpoint takes with a NACK_LIB that echoes its sequence number. */
export function refuse(driver: OmxDriver, cpu: Processor, at: number, peer: Peer, type: number, shared: boolean): void {
  const { view } = driver.memory;
  const packet = wire.packetType(view, at);
  const frame = driver.newFrame(peer, wire.NACK_HEADER);
  if (frame < 0) return;
  nackLib.srcEndpoint = wire.dstEndpoint(view, at);
  nackLib.nackType = type;
  nackLib.dstEndpoint = wire.srcEndpoint(view, at);
  nackLib.dstSrcPeerIndex = peer.reverse;
  nackLib.libSeqnum = packet === wire.PACKET_NOTIFY
    ? wire.notifyLibSeqnum(view, at)
    : packet === wire.PACKET_CONNECT
    ? wire.connectLibSeqnum(view, at)
    : wire.msgLibSeqnum(view, at);
  wire.emitNackLib(view, driver.frames.at(frame), nackLib);
  driver.transmit(cpu, shared ? KERNEL : IRQ, peer, frame, count.SEND_NACK_LIB);
}
