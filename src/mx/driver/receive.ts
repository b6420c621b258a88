import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as wire from "../wire/mod.ts";
import * as contract from "./contract.ts";
import * as count from "./counters.ts";
import * as delivery from "./deliver.ts";
import type { OmxDriver } from "./driver.ts";
import * as events from "./events.ts";
import type { Peer } from "./peer_table.ts";
import { receiveNackLib, refuse } from "./refusal.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const {
  PACKET_CONNECT,
  PACKET_HOST_QUERY,
  PACKET_HOST_REPLY,
  PACKET_MEDIUM,
  PACKET_NACK_LIB,
  PACKET_NACK_MCP,
  PACKET_NOTIFY,
  PACKET_PULL,
  PACKET_PULL_REPLY,
  PACKET_RNDV,
  PACKET_SMALL,
  PACKET_TINY,
  PACKET_TRUC,
  WIRE_OK,
  dstEndpoint,
  msgSession,
  notifySession,
  packetType,
  readPeerIndex,
  trucSession,
  validateFrame,
} = wire;
const { DRIVER, IRQ, KERNEL } = stages;
const { EVENT_CONNECT_REPLY, EVENT_CONNECT_REQUEST, NACK_BAD_ENDPOINT, NACK_BAD_SESSION, NACK_ENDPOINT_CLOSED } =
  contract;
const { EV_ENDPOINT, EV_EXTRA, EV_PEER, EV_SEQ, EV_SESSION, EV_SHARED, EV_SMALL_FIELD, EV_STATUS } = events;
const { deliverControl, deliverMedium, deliverSmall, deliverTiny } = delivery;

/**
 * A frame has come in, or goes from one endpoint of this host to another (`shared`). Checks are made in the order of
 * omx_recv.c (reference, section 1.6); what fails one is counted and dropped, or refused with a NACK. The frame stays
 * the caller's.
 */
export function receiveFrame(driver: OmxDriver, cpu: Processor, frame: number, shared: boolean): void {
  const { view } = driver.memory;
  const at = driver.frames.at(frame);
  cpu.charge(DRIVER, shared ? KERNEL : IRQ, driver.costs.driverReceive);
  const status = validateFrame(view, at, driver.frames.frameLength(frame), driver.limits);
  if (status !== WIRE_OK) {
    // Pull replies are counted before they are looked at (omx_pull.c:1696).
    const isReply = status === wire.WIRE_BAD_FRAME_LENGTH && packetType(view, at) === PACKET_PULL_REPLY;
    if (isReply) driver.counters[count.RECV_PULL_REPLY]++;
    countDrop(driver, status);
    return;
  }
  switch (packetType(view, at)) {
    case PACKET_PULL_REPLY:
      driver.pulls.reply(cpu, frame);
      return;
    case PACKET_PULL:
      driver.server.request(cpu, frame);
      return;
    case PACKET_NACK_MCP:
      driver.pulls.nacked(cpu, at);
      return;
    case PACKET_CONNECT:
      receiveConnect(driver, cpu, frame, shared);
      return;
    case PACKET_NACK_LIB:
      receiveNackLib(driver, cpu, frame, shared);
      return;
    case PACKET_TINY:
    case PACKET_SMALL:
    case PACKET_MEDIUM:
    case PACKET_RNDV:
    case PACKET_NOTIFY:
    case PACKET_TRUC:
      receiveMessage(driver, cpu, frame, shared);
      return;
    case PACKET_HOST_QUERY:
    case PACKET_HOST_REPLY:
      driver.hosts.receive(cpu, frame);
      return;
    default:
      driver.raw.receive(cpu, frame);
  }
}

/** Counts a frame whose bytes are wrong. */
function countDrop(driver: OmxDriver, status: number): void {
  const counter = dropCounter(driver, status);
  if (counter < 0) driver.ignored++;
  else driver.counters[counter]++;
}

/** The counter of a frame that failed the first checks; -1 for what the real driver drops without one. */
function dropCounter(driver: OmxDriver, status: number): number {
  switch (status) {
    case wire.WIRE_NOT_MX:
    case wire.WIRE_BAD_TRUC_TYPE:
      return -1;
    case wire.WIRE_RAW_TOO_LARGE:
      return driver.raw.isFull ? count.DROP_RAW_QUEUE_FULL : count.DROP_RAW_TOO_LARGE;
    case wire.WIRE_BAD_DATALEN:
      return count.DROP_BAD_DATALEN;
    case wire.WIRE_BAD_FRAME_LENGTH:
      return count.DROP_BAD_FRAMELEN;
    case wire.WIRE_INVALID_TYPE:
      return count.DROP_INVALID;
    case wire.WIRE_UNKNOWN_TYPE:
      return count.DROP_UNKNOWN;
    default:
      return count.DROP_BAD_HEADER;
  }
}

/** The peer that a frame's head names by index, or undefined (counted). */
function peerByIndex(driver: OmxDriver, at: number): Peer | undefined {
  const peer = driver.peers.at(readPeerIndex(driver.memory.view, at));
  if (peer === undefined) driver.counters[count.DROP_BAD_PEER_INDEX]++;
  return peer;
}

function receiveMessage(driver: OmxDriver, cpu: Processor, frame: number, shared: boolean): void {
  const { view } = driver.memory;
  const at = driver.frames.at(frame);
  const peer = peerByIndex(driver, at);
  if (peer === undefined) return;
  const type = packetType(view, at);
  const endpoint = driver.endpoints[dstEndpoint(view, at)];
  const isTruc = type === PACKET_TRUC;
  const isNotify = type === PACKET_NOTIFY;
  if (endpoint === null || endpoint === undefined) {
    if (!shared) driver.counters[count.DROP_BAD_ENDPOINT]++;
    if (!isTruc) {
      refuse(driver, cpu, at, peer, endpoint === undefined ? NACK_BAD_ENDPOINT : NACK_ENDPOINT_CLOSED, shared);
    }
    return;
  }
  const session = isTruc ? trucSession(view, at) : isNotify ? notifySession(view, at) : msgSession(view, at);
  if (session !== endpoint.session) {
    if (!shared) driver.counters[count.DROP_BAD_SESSION]++;
    if (!isTruc) refuse(driver, cpu, at, peer, NACK_BAD_SESSION, shared);
    return;
  }
  if (isTruc && !isSoundTruc(driver, at, session)) return;
  switch (type) {
    case PACKET_TINY:
      return deliverTiny(driver, cpu, frame, endpoint, peer, shared);
    case PACKET_SMALL:
      return deliverSmall(driver, cpu, frame, endpoint, peer, shared);
    case PACKET_MEDIUM:
      return deliverMedium(driver, cpu, frame, endpoint, peer, shared);
    default:
      return deliverControl(driver, cpu, frame, endpoint, peer, type, shared);
  }
}

/** Whether a TRUC is an ack, whole, and says its session twice alike (omx_recv.c:773-860); counted when it is not. */
function isSoundTruc(driver: OmxDriver, at: number, session: number): boolean {
  const { view } = driver.memory;
  const status = wire.validateTruc(view, at);
  if (status !== WIRE_OK) countDrop(driver, status);
  else if (wire.trucSessionId(view, at) === session) return true;
  else driver.counters[count.DROP_BAD_SESSION]++;
  return false;
}

/** CONNECT names its sender by address, and teaches us the index that it uses for us (omx_recv.c:66-84). */
function receiveConnect(driver: OmxDriver, cpu: Processor, frame: number, shared: boolean): void {
  const { view } = driver.memory;
  const at = driver.frames.at(frame);
  const peer = driver.peers.byAddress(wire.readSrcHi(view, at), wire.readSrcLo(view, at));
  if (peer === undefined) {
    driver.counters[count.DROP_BAD_PEER_ADDR]++;
    return;
  }
  if (!peer.isLocal) peer.reverse = wire.connectSrcDstPeerIndex(view, at);
  const endpoint = driver.endpoints[dstEndpoint(view, at)];
  if (endpoint === null || endpoint === undefined) {
    if (!shared) driver.counters[count.DROP_BAD_ENDPOINT]++;
    refuse(driver, cpu, at, peer, endpoint === undefined ? NACK_BAD_ENDPOINT : NACK_ENDPOINT_CLOSED, shared);
    return;
  }
  const event = endpoint.sink.reserve(cpu, false, false);
  if (event < 0) {
    driver.counters[count.UNEXP_QUEUE_FULL]++;
    return;
  }
  const fields = wire.parseConnect(view, at);
  view.setUint16(event + EV_PEER, peer.index, true);
  view.setUint8(event + EV_ENDPOINT, fields.srcEndpoint);
  view.setUint8(event + EV_SHARED, shared ? 1 : 0);
  view.setUint8(event + EV_STATUS, fields.connectStatusCode);
  view.setUint8(event + EV_SMALL_FIELD, fields.connectSeqnum);
  view.setUint32(event + EV_SESSION, fields.srcSessionId, true);
  view.setUint16(event + EV_SEQ, fields.targetRecvSeqnumStart, true);
  view.setUint32(event + EV_EXTRA, fields.isReply ? fields.targetSessionId : fields.appKey, true);
  const [reply, request] = shared
    ? [count.SHARED_CONNECT_REPLY, count.SHARED_CONNECT_REQUEST]
    : [count.RECV_CONNECT_REPLY, count.RECV_CONNECT_REQUEST];
  driver.counters[fields.isReply ? reply : request]++;
  endpoint.sink.commit(
    cpu,
    fields.isReply ? EVENT_CONNECT_REPLY : EVENT_CONNECT_REQUEST,
    driver.frames.takeJourney(frame),
  );
}
