import type { Processor } from "../../hw/processor.ts";
import * as profile from "../../hw/machine_profile.ts";
import * as wire from "../wire/mod.ts";
import type { MxCommand } from "./contract.ts";
import * as contract from "./contract.ts";
import * as count from "./counters.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import type { Peer } from "./peer_table.ts";
import { sendVirtual } from "./send_va.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { SEND_TINY, SEND_SMALL, SEND_MEDIUM_FRAG } = count;
const { copyTime } = profile;
const {
  emitConnect,
  emitMedium,
  emitNotify,
  emitRndv,
  emitSmall,
  emitTiny,
  emitTruc,
  MEDIUM_HEADER,
  MIN_FRAME,
  MSG_HEADER,
  newConnectFields,
  newEagerFields,
  newMediumFields,
  newNotifyFields,
  newRndvFields,
  newTrucFields,
} = wire;
const {
  CMD_CONNECT_REPLY,
  CMD_CONNECT_REQUEST,
  CMD_SEND_LIBACK,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_MEDIUM_VA,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
  CMD_SEND_SMALL,
  CMD_SEND_TINY,
  RESULT_INVALID,
  RESULT_NO_RESOURCES,
  RESULT_OK,
} = contract;

// One record of each kind serves for all frames: a driver's code never nests.
const eager = newEagerFields();
const medium = newMediumFields();
const rndv = newRndvFields();
const notify = newNotifyFields();
const connect = newConnectFields();
const truc = newTrucFields();

/** Builds and sends the frame of one library command (omx_send.c). The command's journey goes with the frame. */
export function sendCommand(
  driver: OmxDriver,
  cpu: Processor,
  cls: number,
  endpoint: DriverEndpoint,
  command: MxCommand,
): number {
  const peer = driver.peers.at(command.peer);
  if (peer === undefined) return RESULT_INVALID;
  switch (command.kind) {
    case CMD_SEND_TINY:
    case CMD_SEND_SMALL:
      return sendEager(driver, cpu, cls, endpoint, peer, command);
    case CMD_SEND_MEDIUM_FRAG:
      return sendMedium(driver, cpu, cls, endpoint, peer, command);
    case CMD_SEND_MEDIUM_VA:
      return sendVirtual(driver, cpu, cls, endpoint, peer, command, mediumFields(endpoint, command));
    case CMD_SEND_RNDV:
    case CMD_SEND_NOTIFY:
    case CMD_CONNECT_REQUEST:
    case CMD_CONNECT_REPLY:
    case CMD_SEND_LIBACK:
      return sendControl(driver, cpu, cls, endpoint, peer, command);
    default:
      return RESULT_INVALID;
  }
}

function sendEager(
  driver: OmxDriver,
  cpu: Processor,
  cls: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  command: MxCommand,
): number {
  const frame = driver.newFrame(peer, MSG_HEADER + command.length);
  if (frame < 0) return RESULT_NO_RESOURCES;
  const at = driver.frames.at(frame);
  const isTiny = command.kind === CMD_SEND_TINY;
  eager.dstEndpoint = command.endpoint;
  eager.srcEndpoint = endpoint.index;
  eager.libSeqnum = command.seq;
  eager.libPiggyack = command.piggyack;
  eager.matchA = command.matchA;
  eager.matchB = command.matchB;
  eager.session = command.session;
  eager.checksum = command.checksum;
  eager.length = command.length;
  const payload = isTiny ? emitTiny(driver.memory.view, at, eager) : emitSmall(driver.memory.view, at, eager);
  if (command.length > 0) {
    driver.memory.copy(at + payload, command.address, command.length);
    cpu.copy(cls, copyTime(driver.costs.copyCachedByte, command.length), command.length, "command > frame");
  }
  driver.frames.setJourney(frame, command.journey);
  driver.transmit(cpu, cls, peer, frame, isTiny ? SEND_TINY : SEND_SMALL);
  return RESULT_OK;
}

function sendMedium(
  driver: OmxDriver,
  cpu: Processor,
  cls: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  command: MxCommand,
): number {
  const linear = MEDIUM_HEADER + command.fragmentLength < MIN_FRAME;
  const frame = driver.newFrame(peer, MEDIUM_HEADER + (linear ? command.fragmentLength : 0));
  if (frame < 0) return RESULT_NO_RESOURCES;
  const at = driver.frames.at(frame);
  mediumFields(endpoint, command);
  medium.fragLength = command.fragmentLength;
  medium.fragSeqnum = command.fragment;
  const payload = emitMedium(driver.memory.view, at, medium, driver.limits.compat);
  const address = endpoint.sendQueue.atOffset(command.queueOffset);
  if (linear) {
    driver.memory.copy(at + payload, address, command.fragmentLength);
    if (!peer.isLocal) driver.counters[count.MEDIUM_SENT_LINEAR]++;
  } else driver.frames.attach(frame, address, command.fragmentLength);
  driver.frames.setDone(frame, driver.doneCookies.put(endpoint, command.cookie));
  driver.frames.setJourney(frame, command.journey);
  driver.transmit(cpu, cls, peer, frame, SEND_MEDIUM_FRAG);
  return RESULT_OK;
}

function sendControl(
  driver: OmxDriver,
  cpu: Processor,
  cls: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  command: MxCommand,
): number {
  const frame = driver.newFrame(peer, MIN_FRAME);
  if (frame < 0) return RESULT_NO_RESOURCES;
  const at = driver.frames.at(frame);
  const { view } = driver.memory;
  let counter = count.SEND_CONNECT_REPLY;
  switch (command.kind) {
    case CMD_SEND_RNDV:
      driver.frames.setLinear(frame, emitRndv(view, at, rndvFields(endpoint, command)));
      counter = count.SEND_RNDV;
      break;
    case CMD_SEND_NOTIFY:
      driver.frames.setLinear(frame, emitNotify(view, at, notifyFields(endpoint, command)));
      counter = count.SEND_NOTIFY;
      break;
    case CMD_SEND_LIBACK:
      driver.frames.setLinear(frame, emitTruc(view, at, trucFields(endpoint, command)));
      counter = count.SEND_LIBACK;
      break;
    case CMD_CONNECT_REQUEST:
      driver.frames.setLinear(frame, emitConnect(view, at, connectFields(endpoint, peer, command)));
      counter = count.SEND_CONNECT_REQUEST;
      break;
    default:
      driver.frames.setLinear(frame, emitConnect(view, at, connectFields(endpoint, peer, command)));
  }
  driver.frames.setJourney(frame, command.journey);
  driver.transmit(cpu, cls, peer, frame, counter);
  return RESULT_OK;
}

function mediumFields(endpoint: DriverEndpoint, command: MxCommand) {
  medium.dstEndpoint = command.endpoint;
  medium.srcEndpoint = endpoint.index;
  medium.libSeqnum = command.seq;
  medium.libPiggyack = command.piggyack;
  medium.matchA = command.matchA;
  medium.matchB = command.matchB;
  medium.session = command.session;
  medium.checksum = command.checksum;
  medium.length = command.length;
  return medium;
}

function rndvFields(endpoint: DriverEndpoint, command: MxCommand) {
  rndv.dstEndpoint = command.endpoint;
  rndv.srcEndpoint = endpoint.index;
  rndv.libSeqnum = command.seq;
  rndv.libPiggyack = command.piggyack;
  rndv.matchA = command.matchA;
  rndv.matchB = command.matchB;
  rndv.session = command.session;
  rndv.msgLength = command.length;
  rndv.pulledRdmaId = command.region;
  rndv.pulledRdmaSeqnum = command.regionSeq;
  return rndv;
}

function notifyFields(endpoint: DriverEndpoint, command: MxCommand) {
  notify.dstEndpoint = command.endpoint;
  notify.srcEndpoint = endpoint.index;
  notify.session = command.session;
  notify.totalLength = command.length;
  notify.pulledRdmaId = command.remoteRegion;
  notify.pulledRdmaSeqnum = command.remoteRegionSeq;
  notify.libSeqnum = command.seq;
  notify.libPiggyack = command.piggyack;
  return notify;
}

function trucFields(endpoint: DriverEndpoint, command: MxCommand) {
  truc.dstEndpoint = command.endpoint;
  truc.srcEndpoint = endpoint.index;
  truc.session = command.session;
  truc.sessionId = command.session;
  truc.libSeqnum = command.seq;
  truc.sendSeq = command.seq;
  truc.acknum = command.ackNumber;
  return truc;
}

function connectFields(endpoint: DriverEndpoint, peer: Peer, command: MxCommand) {
  const isReply = command.kind === CMD_CONNECT_REPLY;
  connect.dstEndpoint = command.endpoint;
  connect.srcEndpoint = endpoint.index;
  connect.srcDstPeerIndex = peer.index;
  connect.srcSessionId = isReply ? command.session : command.ownSession;
  connect.appKey = command.key;
  connect.targetSessionId = command.ownSession;
  connect.targetRecvSeqnumStart = command.recvSeqStart;
  connect.isReply = isReply;
  connect.connectSeqnum = command.connectSeq;
  connect.connectStatusCode = command.connectStatus;
  return connect;
}
