import * as profile from "../../hw/machine_profile.ts";
import { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";
import { NO_JOURNEY } from "../../metrics/journey.ts";
import * as stages from "../../metrics/stage.ts";
import { PULL_RETRANSMIT_PS } from "../limits.ts";
import * as wire from "../wire/mod.ts";
import {
  EVENT_PULL_DONE,
  type MxCommand,
  NACK_BAD_ENDPOINT,
  NACK_BAD_REGION,
  PULL_ABORTED,
  PULL_OK,
  PULL_TIMEOUT,
  RESULT_INVALID,
  RESULT_NO_RESOURCES,
  RESULT_OK,
} from "./contract.ts";
import * as count from "./counters.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import { EV_COOKIE, EV_LENGTH, EV_SMALL_FIELD } from "./events.ts";
import { LocalPulls } from "./local_pull.ts";
import type { PullHandle } from "./pull_handle.ts";
import { PullHandles } from "./pull_handles.ts";
import { PullWindow } from "./pull_window.ts";
import { nackPeer } from "./refusal.ts";
import type { Region } from "./region.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { copyTime } = profile;
const { COPY, IRQ } = stages;
const {
  PULL_REPLY_HEADER,
  pullReplyDstHandle,
  pullReplyDstMagic,
  pullReplyFrameLength,
  pullReplyFrameSeqnum,
  pullReplyMsgOffset,
} = wire;
const { DROP_REPLY_BAD_MAGIC, DROP_REPLY_BAD_SEQ, DROP_REPLY_BAD_WRAP, RECV_PULL_REPLY } = count;

/** Messages from here on are given to the copy engine, where there is one. */
const OFFLOAD_MIN = 65536;
/** But not a piece of less than this (dmaasyncfragmin). */
const OFFLOAD_FRAGMENT_MIN = 1024;

/**
 * The receiving half of large messages: asks for what is wanted ({@link PullWindow}), copies each reply where it
 * belongs, and ends a pull that is complete, refused or too late. The library hears of the end only.
 */
export class PullEngine {
  readonly #driver: OmxDriver;
  readonly #handles: PullHandles;
  readonly #window: PullWindow;
  readonly #timer: number;
  readonly #timeouts: Interrupt;
  readonly #local: LocalPulls;
  #timerArmed = false;
  /** When the copy engine has done all that it was given. */
  #engineFreeAt = 0;

  constructor(driver: OmxDriver) {
    this.#driver = driver;
    this.#handles = new PullHandles(driver);
    this.#window = new PullWindow(driver);
    this.#timeouts = new Interrupt("pull timer", 1, (cpu) => this.#checkTimeouts(cpu));
    this.#timer = driver.engine.handler("pull timer", () => {
      this.#timerArmed = false;
      if (this.#handles.active.size > 0) driver.processor.raise(this.#timeouts);
    });
    const finish = (cpu: Processor, handle: PullHandle, status: number, journey: number) =>
      this.#finish(cpu, handle, status, journey);
    this.#local = new LocalPulls(driver, finish);
  }

  get active(): number {
    return this.#handles.active.size;
  }

  /** When each pull from another host that is under way has had its last reply, or begun: virtual time, picoseconds. */
  *lastReplies(): Generator<number> {
    for (const { peer, lastReplyAt } of this.#handles.active) if (!peer.isLocal) yield lastReplyAt;
  }

  /** The PULL command: `length` bytes of the remote region into the own one. */
  start(cpu: Processor, cls: number, endpoint: DriverEndpoint, command: MxCommand): number {
    const region = endpoint.regions[command.region];
    const peer = this.#driver.peers.at(command.peer);
    const { length } = command;
    if (region === null || region === undefined || peer === undefined || length === 0 || length > region.length) {
      return RESULT_INVALID;
    }
    const handle = this.#handles.take(endpoint);
    if (handle === null) return RESULT_NO_RESOURCES;
    const { journeys } = this.#driver.frames;
    handle.endpoint = endpoint;
    handle.region = region;
    region.pulls++;
    handle.peer = peer;
    handle.remoteEndpoint = command.endpoint;
    handle.session = command.session;
    handle.remoteRegion = command.remoteRegion;
    handle.remoteRegionSeq = command.remoteRegionSeq;
    handle.remoteOffset = command.remoteOffset;
    handle.skew = command.remoteOffset % this.#driver.limits.pullReplyBytes;
    handle.cookie = command.cookie;
    handle.total = command.length;
    handle.received = 0;
    handle.unrequested = command.length;
    handle.frameIndex = 0;
    handle.blockCount = 0;
    handle.sentAt = journeys.startOf(command.journey);
    handle.startedAt = cpu.now;
    handle.timeoutPs = command.timeoutPs;
    handle.lastReplyAt = cpu.now;
    handle.askedAgain = 0;
    if (peer.isLocal) {
      this.#local.submit(cpu, handle, command.journey);
      return RESULT_OK;
    }
    this.#armTimer(cpu.now + PULL_RETRANSMIT_PS);
    this.#window.fill(cpu, cls, handle, command.journey);
    journeys.drop(command.journey);
    cpu.putDown();
    return RESULT_OK;
  }

  /** A PULL_REPLY has come in (omx_pull.c:1675-1889). The frame's journey is carried. */
  reply(cpu: Processor, frame: number): void {
    const driver = this.#driver;
    const { view } = driver.memory;
    const at = driver.frames.at(frame);
    driver.counters[RECV_PULL_REPLY]++;
    const handle = this.#handles.find(
      pullReplyDstMagic(view, at),
      pullReplyDstHandle(view, at),
      DROP_REPLY_BAD_MAGIC,
    );
    if (handle === null) return;
    const { pullReplyBytes, repliesPerBlock } = driver.limits;
    const offset = pullReplyMsgOffset(view, at);
    const length = pullReplyFrameLength(view, at);
    const ahead = (pullReplyFrameSeqnum(view, at) - handle.frameIndex) & 0xff;
    const index = handle.frameIndex + ahead;
    // A reply with another place or size than its frame has would leave a hole.
    const nominal = index * pullReplyBytes - handle.skew;
    const start = nominal < 0 ? 0 : nominal;
    const end = Math.min(handle.total, nominal + pullReplyBytes);
    const fits = offset === start && length === end - start;
    if (!fits && Math.ceil(offset / pullReplyBytes) !== index) {
      driver.counters[DROP_REPLY_BAD_WRAP]++;
      return;
    }
    let number = 0;
    let within = ahead;
    for (; within >= repliesPerBlock; within -= repliesPerBlock) number++; // nearly always it is of the first block
    const block = handle.blocks[number];
    if (!fits || number >= handle.blockCount || within >= block.frames) {
      driver.counters[DROP_REPLY_BAD_SEQ]++;
      return;
    }
    const bit = 1 << within;
    if ((block.bitmap & bit) === 0) {
      driver.counters[count.DROP_REPLY_DUPLICATE]++;
      return;
    }
    block.bitmap &= ~bit;
    block.missing--;
    handle.received += length;
    handle.lastReplyAt = cpu.now;
    if (block.missing === 0) this.#window.blockComplete(cpu, handle, number);
    this.#chargeCopy(cpu, handle, length);
    const { frames } = driver;
    const source = frames.payloadLengthOf(frame) > 0 ? frames.payloadOf(frame) : at + PULL_REPLY_HEADER;
    handle.region.write(driver.memory, offset, source, length);
    if (handle.received === handle.total) this.#finish(cpu, handle, PULL_OK, frames.takeJourney(frame));
  }

  /**
   * A CPU copies, or gives the copy to the engine and only waits for it with the message's last piece: below 64 KiB the
   * engine is not worth its submissions (Goglin, Cluster 2008; module parameter dmaasyncmin).
   */
  #chargeCopy(cpu: Processor, handle: PullHandle, length: number): void {
    const { costs, copyOffload } = this.#driver;
    const isOffloaded = copyOffload && handle.total >= OFFLOAD_MIN;
    if (!isOffloaded || length < OFFLOAD_FRAGMENT_MIN) {
      cpu.copy(IRQ, copyTime(costs.copyUncachedByte, length), length, "frame > user's pages");
    } else {
      cpu.copy(IRQ, costs.offloadSubmit, length, "frame > user's pages, by the copy engine");
      this.#engineFreeAt = Math.max(this.#engineFreeAt, cpu.now) + copyTime(costs.offloadByte, length);
      this.#driver.counters[count.DMA_RECV_PULL_REPLY]++;
    }
    if (!isOffloaded) return;
    if (handle.received === handle.total && this.#engineFreeAt > cpu.now) {
      cpu.charge(COPY, IRQ, this.#engineFreeAt - cpu.now);
      this.#driver.counters[count.DMA_DEFERRED_WAIT]++;
    }
  }

  /** The owner of the data refuses (omx_pull.c:1918-1985). */
  nacked(cpu: Processor, at: number): void {
    const { view } = this.#driver.memory;
    const driver = this.#driver;
    driver.counters[count.RECV_NACK_MCP]++;
    if (nackPeer(driver, at) === undefined) return;
    const handle = this.#handles.find(
      wire.nackMcpSrcMagic(view, at),
      wire.nackMcpSrcPullHandle(view, at),
      count.DROP_NACK_BAD_MAGIC,
    );
    if (handle === null) return;
    const type = wire.nackType(view, at);
    // A refusal without a reason (0), or with an unknown one, must not pass for another status: 0 is success.
    const hasReason = type >= NACK_BAD_ENDPOINT && type <= NACK_BAD_REGION;
    this.#finish(cpu, handle, hasReason ? type : PULL_ABORTED, -1);
  }

  endpointClosed(endpoint: DriverEndpoint): void {
    this.#handles.endpointClosed(endpoint);
  }

  /**
   * The library has given up receives into a region. In Open-MX a pull holds its region, and goes on writing into the
   * program's buffer.
   */
  regionDestroyed(cpu: Processor, endpoint: DriverEndpoint, region: Region): void {
    for (const handle of endpoint.pulls) {
      if (handle?.region === region) this.#finish(cpu, handle, PULL_ABORTED, NO_JOURNEY);
    }
  }

  // ---- time-outs

  #armTimer(at: number): void {
    if (this.#timerArmed) return;
    this.#timerArmed = true;
    this.#driver.engine.at(at, this.#timer);
  }

  #checkTimeouts(cpu: Processor): boolean {
    let next = Infinity;
    for (const handle of this.#handles.active) {
      if (handle.peer.isLocal) continue;
      if (cpu.now - handle.lastReplyAt >= PULL_RETRANSMIT_PS) {
        // Only silence ends a pull: one that gets replies may take longer in all (omx_pull.c:1080-1103).
        if (cpu.now - handle.startedAt >= handle.timeoutPs) {
          this.#driver.counters[count.PULL_TIMEOUT_ABORT]++;
          this.#finish(cpu, handle, PULL_TIMEOUT, -1);
          continue;
        }
        this.#window.timedOut(cpu, handle);
      }
      next = Math.min(next, handle.lastReplyAt + PULL_RETRANSMIT_PS);
    }
    if (next < Infinity) this.#armTimer(next);
    return false;
  }

  // ---- the end

  #finish(cpu: Processor, handle: PullHandle, status: number, journey: number): void {
    const { endpoint, cookie, received } = handle;
    const { sink } = endpoint;
    this.#handles.release(handle);
    const event = sink.reserve(cpu, true, false);
    if (event < 0) {
      this.#driver.counters[count.EXP_QUEUE_FULL]++;
      this.#driver.frames.journeys.drop(journey);
      return;
    }
    if (status === PULL_OK) endpoint.pulled += received;
    const { view } = this.#driver.memory;
    view.setUint32(event + EV_COOKIE, cookie, true);
    view.setUint32(event + EV_LENGTH, received, true);
    view.setUint8(event + EV_SMALL_FIELD, status);
    sink.commit(cpu, EVENT_PULL_DONE, journey);
  }
}
