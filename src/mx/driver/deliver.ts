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

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const {
  MEDIUM_HEADER,
  MSG_HEADER,
  PACKET_NOTIFY,
  PACKET_RNDV,
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
  srcEndpoint,
} = wire;
const { RECV_MEDIUM_FRAG, RECV_SMALL, RECV_TINY, SHARED_MEDIUM, SHARED_SMALL, SHARED_TINY } = count;
const { copyTime } = profile;
const { IRQ, KERNEL } = stages;
const { EVENT_LIBACK, EVENT_MEDIUM_FRAG, EVENT_NOTIFY, EVENT_RNDV, EVENT_SMALL, EVENT_TINY } = contract;
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

/* How each kind of message gets from its frame into an event of its endpoint, once nothing speaks against it. */

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

export function deliverTiny(
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

export function deliverSmall(
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

export function deliverMedium(
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
export function deliverControl(
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

/** Network data comes cold from DMA; between endpoints of one host it is in the cache of the CPU that wrote it. */
function chargeCopy(driver: OmxDriver, cpu: Processor, length: number, shared: boolean): void {
  const perByte = shared ? driver.costs.copyCachedByte : driver.costs.copyUncachedByte;
  cpu.copy(shared ? KERNEL : IRQ, copyTime(perByte, length), length, "frame > receive queue");
}
