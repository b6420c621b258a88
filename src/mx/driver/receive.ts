import type { Processor } from "../../hw/processor.ts";
import * as profile from "../../hw/machine_profile.ts";
import * as stages from "../../metrics/stage.ts";
import * as wire from "../wire/mod.ts";
import * as contract from "./contract.ts";
import * as count from "./counters.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import * as events from "./events.ts";
import type { Peer } from "./peer_table.ts";
import { receiveNackLib, refuse } from "./refusal.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const {
  MEDIUM_HEADER,
  MSG_HEADER,
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
  mediumFragLength,
  mediumFragSeqnum,
  mediumLength,
  msgLength,
  msgLibPiggyack,
  msgLibSeqnum,
  msgMatchA,
  msgMatchB,
  msgSession,
  notifySession,
  packetType,
  readPeerIndex,
  srcEndpoint,
  trucSession,
  validateFrame,
} = wire;
const { RECV_MEDIUM_FRAG, RECV_SMALL, RECV_TINY, SHARED_MEDIUM, SHARED_SMALL, SHARED_TINY } = count;
const { copyTime } = profile;
const { DRIVER, IRQ, KERNEL } = stages;
const {
  EVENT_CONNECT_REPLY,
  EVENT_CONNECT_REQUEST,
  EVENT_LIBACK,
  EVENT_MEDIUM_FRAG,
  EVENT_NOTIFY,
  EVENT_RNDV,
  EVENT_SMALL,
  EVENT_TINY,
  NACK_BAD_ENDPOINT,
  NACK_BAD_SESSION,
  NACK_ENDPOINT_CLOSED,
} = contract;
const {
  EV_CHECKSUM,
  EV_DATA,
  EV_ENDPOINT,
  EV_EXTRA,
  EV_LENGTH,
  EV_MATCH_A,
  EV_MATCH_B,
  EV_PEER,
  EV_PIGGYACK,
  EV_SEQ,
  EV_SESSION,
  EV_SHARED,
  EV_SMALL_FIELD,
  EV_STATUS,
} = events;

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

/** Reserves an unexpected event and fills in what all messages have; -1 when the queue is full (dropped, counted). */
function messageEvent(
  driver: OmxDriver,
  cpu: Processor,
  at: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  withData: boolean,
  shared: boolean,
): number {
  const event = endpoint.sink.reserve(cpu, false, withData);
  if (event < 0) {
    driver.counters[count.UNEXP_QUEUE_FULL]++;
    return -1;
  }
  const { view } = driver.memory;
  view.setUint16(event + EV_PEER, peer.index, true);
  view.setUint8(event + EV_ENDPOINT, srcEndpoint(view, at));
  view.setUint8(event + EV_SHARED, shared ? 1 : 0);
  view.setUint8(event + EV_STATUS, 0);
  view.setUint32(event + EV_MATCH_A, msgMatchA(view, at), true);
  view.setUint32(event + EV_MATCH_B, msgMatchB(view, at), true);
  view.setUint32(event + EV_SESSION, msgSession(view, at), true);
  view.setUint16(event + EV_SEQ, msgLibSeqnum(view, at), true);
  view.setUint16(event + EV_PIGGYACK, msgLibPiggyack(view, at), true);
  return event;
}

function deliverTiny(
  driver: OmxDriver,
  cpu: Processor,
  frame: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  shared: boolean,
): void {
  const at = driver.frames.at(frame);
  const event = messageEvent(driver, cpu, at, endpoint, peer, false, shared);
  if (event < 0) return;
  const { view } = driver.memory;
  const length = msgLength(view, at);
  view.setUint32(event + EV_LENGTH, length, true);
  if (driver.checksum) view.setUint32(event + EV_EXTRA, wire.msgChecksum(view, at), true);
  if (length > 0) driver.memory.copy(event + EV_DATA, at + MSG_HEADER, length);
  driver.counters[shared ? SHARED_TINY : RECV_TINY]++;
  endpoint.sink.commit(cpu, EVENT_TINY, driver.frames.takeJourney(frame));
}

function deliverSmall(
  driver: OmxDriver,
  cpu: Processor,
  frame: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  shared: boolean,
): void {
  const at = driver.frames.at(frame);
  const event = messageEvent(driver, cpu, at, endpoint, peer, true, shared);
  if (event < 0) return;
  const { view } = driver.memory;
  const length = msgLength(view, at);
  view.setUint32(event + EV_LENGTH, length, true);
  const checksum = driver.checksum ? wire.msgChecksum(view, at) : 0;
  view.setUint32(event + EV_EXTRA, endpoint.sink.recvSlot << 16 | checksum, true);
  driver.memory.copy(endpoint.sink.recvAddress, at + MSG_HEADER, length);
  chargeCopy(driver, cpu, length, shared);
  driver.counters[shared ? SHARED_SMALL : RECV_SMALL]++;
  endpoint.sink.commit(cpu, EVENT_SMALL, driver.frames.takeJourney(frame));
}

function deliverMedium(
  driver: OmxDriver,
  cpu: Processor,
  frame: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  shared: boolean,
): void {
  const at = driver.frames.at(frame);
  const event = messageEvent(driver, cpu, at, endpoint, peer, true, shared);
  if (event < 0) return;
  const { view } = driver.memory;
  const { frames } = driver;
  const length = mediumFragLength(view, at);
  view.setUint32(event + EV_LENGTH, mediumLength(view, at, driver.limits.compat), true);
  view.setUint8(event + EV_SMALL_FIELD, mediumFragSeqnum(view, at));
  view.setUint32(event + EV_EXTRA, length | (endpoint.sink.recvSlot << 16), true);
  if (driver.checksum) view.setUint16(event + EV_CHECKSUM, wire.mediumChecksum(view, at), true);
  const source = frames.payloadLengthOf(frame) > 0 ? frames.payloadOf(frame) : at + MEDIUM_HEADER;
  driver.memory.copy(endpoint.sink.recvAddress, source, length);
  chargeCopy(driver, cpu, length, shared);
  driver.counters[shared ? SHARED_MEDIUM : RECV_MEDIUM_FRAG]++;
  endpoint.sink.commit(cpu, EVENT_MEDIUM_FRAG, frames.takeJourney(frame));
}

/** RNDV, NOTIFY and TRUC: an event without payload. */
function deliverControl(
  driver: OmxDriver,
  cpu: Processor,
  frame: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  type: number,
  shared: boolean,
): void {
  const at = driver.frames.at(frame);
  const event = messageEvent(driver, cpu, at, endpoint, peer, false, shared);
  if (event < 0) return;
  const { view } = driver.memory;
  let kind = EVENT_RNDV;
  let counter = shared ? count.SHARED_RNDV : count.RECV_RNDV;
  if (type !== PACKET_RNDV) {
    // Where a message has its match information, these have other fields and padding.
    view.setUint32(event + EV_MATCH_A, 0, true);
    view.setUint32(event + EV_MATCH_B, 0, true);
  }
  if (type === PACKET_RNDV) {
    view.setUint32(event + EV_LENGTH, wire.rndvMsgLength(view, at), true);
    view.setUint8(event + EV_SMALL_FIELD, wire.rndvPulledRdmaId(view, at));
    const extra = wire.rndvPulledRdmaSeqnum(view, at) | wire.rndvPulledRdmaOffset(view, at) << 16;
    view.setUint32(event + EV_EXTRA, extra, true);
  } else if (type === PACKET_NOTIFY) {
    kind = EVENT_NOTIFY;
    counter = shared ? count.SHARED_NOTIFY : count.RECV_NOTIFY;
    view.setUint32(event + EV_SESSION, notifySession(view, at), true);
    view.setUint32(event + EV_LENGTH, wire.notifyTotalLength(view, at), true);
    view.setUint8(event + EV_SMALL_FIELD, wire.notifyPulledRdmaId(view, at));
    view.setUint32(event + EV_EXTRA, wire.notifyPulledRdmaSeqnum(view, at), true);
    view.setUint16(event + EV_SEQ, wire.notifyLibSeqnum(view, at), true);
    view.setUint16(event + EV_PIGGYACK, wire.notifyLibPiggyack(view, at), true);
  } else {
    kind = EVENT_LIBACK;
    counter = shared ? count.SHARED_LIBACK : count.RECV_LIBACK;
    view.setUint32(event + EV_SESSION, wire.trucSessionId(view, at), true);
    view.setUint16(event + EV_SEQ, wire.trucLibSeqnum(view, at), true);
    view.setUint32(event + EV_EXTRA, wire.trucAcknum(view, at), true);
  }
  driver.counters[counter]++;
  endpoint.sink.commit(cpu, kind, driver.frames.takeJourney(frame));
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

/** Network data comes cold from DMA; between endpoints of one host it is in the cache of the CPU that wrote it. */
function chargeCopy(driver: OmxDriver, cpu: Processor, length: number, shared: boolean): void {
  const perByte = shared ? driver.costs.copyCachedByte : driver.costs.copyUncachedByte;
  cpu.copy(shared ? KERNEL : IRQ, copyTime(perByte, length), length, "frame > receive queue");
}
