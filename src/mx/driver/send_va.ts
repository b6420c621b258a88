import { copyTime } from "../../hw/machine_profile.ts";
import type { Processor } from "../../hw/processor.ts";
import { PIN, QUEUEING } from "../../metrics/stage.ts";
import { MAX_SEGMENTS, mediumMax } from "../limits.ts";
import { emitMedium, MEDIUM_HEADER, type MediumFields, MIN_FRAME } from "../wire/mod.ts";
import { type MxCommand, RESULT_INVALID, RESULT_NO_RESOURCES, RESULT_OK } from "./contract.ts";
import * as count from "./counters.ts";
import type { SendGroup } from "./done_cookies.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import type { Peer } from "./peer_table.ts";
import { Region } from "./region.ts";

/**
 * MEDIUM_VA: a whole medium message from the program's own pages, one frame after another in one call. The pages are
 * pinned until the last frame has left: then comes the one MEDIUM_DONE. `fields` has all but what differs from fragment
 * to fragment. A fragment that finds no buffer is lost, and resent with the message; the first one refuses the command.
 */
export function sendVirtual(
  driver: OmxDriver,
  cpu: Processor,
  cls: number,
  endpoint: DriverEndpoint,
  peer: Peer,
  command: MxCommand,
  fields: MediumFields,
): number {
  const { limits, frames, costs } = driver;
  const { length } = command;
  const extents = command.segments ?? [{ address: command.address, length }];
  const buffer = new Region(0, length, extents);
  const held = extents.reduce((sum, extent) => sum + extent.length, 0);
  if (length === 0 || length > mediumMax(limits) || held < length || extents.length > MAX_SEGMENTS) {
    return RESULT_INVALID;
  }
  const fragments = Math.ceil(length / limits.mediumFragmentBytes);
  const before = driver.counters[count.SHARED_MEDIUM];
  // One more than its frames until all are on their way: the first may be done before the next is built.
  const group: SendGroup = { left: 1, pages: buffer.pages };
  let sent = 0;
  for (let fragment = 0; fragment < fragments; fragment++) {
    const offset = fragment * limits.mediumFragmentBytes;
    const bytes = Math.min(limits.mediumFragmentBytes, length - offset);
    const frame = driver.newFrame(peer, MEDIUM_HEADER);
    if (frame < 0 && fragment === 0) return RESULT_NO_RESOURCES;
    if (fragment === 0) cpu.charge(PIN, cls, costs.pinBase + group.pages * costs.pinPage);
    const isLast = fragment === fragments - 1;
    if (frame < 0) {
      if (isLast) frames.journeys.drop(command.journey);
      continue;
    }
    sent++;
    fields.fragLength = bytes;
    fields.fragSeqnum = fragment;
    const header = emitMedium(driver.memory.view, frames.at(frame), fields, limits.compat);
    attach(driver, cpu, cls, buffer, frame, header, offset, bytes);
    frames.setDone(frame, driver.doneCookies.put(endpoint, command.cookie, group));
    const journey = isLast ? command.journey : frames.journeys.fork(command.journey);
    frames.setJourney(frame, journey);
    cpu.carry(journey, QUEUEING);
    driver.transmit(cpu, cls, peer, frame, count.SEND_MEDIUM_VA);
  }
  if (peer.isLocal) countShared(driver, before, sent);
  driver.doneCookies.groupSent(cpu, endpoint, command.cookie, group);
  return RESULT_OK;
}

/** The frame refers to the program's pages where it can; a fragment across segments is copied together. */
function attach(
  driver: OmxDriver,
  cpu: Processor,
  cls: number,
  buffer: Region,
  frame: number,
  header: number,
  offset: number,
  bytes: number,
): void {
  const { frames, memory, costs } = driver;
  const address = buffer.addressOf(offset, bytes);
  if (header + bytes < MIN_FRAME) {
    buffer.read(memory, offset, frames.at(frame) + header, bytes);
    frames.setLinear(frame, header + bytes);
  } else if (address >= 0) {
    frames.attach(frame, address, bytes);
    return;
  } else {
    buffer.read(memory, offset, frames.attachOwn(frame, bytes, driver.payloadBuffers), bytes);
  }
  cpu.copy(cls, copyTime(costs.copyCachedByte, bytes), bytes, "user's buffer > frame");
}

/** Between endpoints of one host the message is counted once, when all its fragments have been delivered. */
function countShared(driver: OmxDriver, before: number, fragments: number): void {
  const delivered = driver.counters[count.SHARED_MEDIUM] - before;
  driver.counters[count.SHARED_MEDIUM] = before;
  if (delivered === fragments) driver.counters[count.SHARED_MEDIUM_VA]++;
}
