import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import { blockMax, PULL_BLOCKS } from "../limits.ts";
import * as wire from "../wire/mod.ts";
import * as count from "./counters.ts";
import type { OmxDriver } from "./driver.ts";
import type { PullHandle } from "./pull_handle.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { IRQ, QUEUEING } = stages;

// One record serves for all requests: a driver's code never nests.
const fields = wire.newPullFields();

/**
 * What is asked for of a large message, and when: blocks of frames, at most four at a time, in a window that slides over
 * the message as they become complete, and again what is missing of them.
 */
export class PullWindow {
  readonly #driver: OmxDriver;

  constructor(driver: OmxDriver) {
    this.#driver = driver;
  }

  /** Asks for as many further blocks as the window takes; their number. */
  fill(cpu: Processor, cls: number, handle: PullHandle, journey: number): number {
    const before = handle.blockCount;
    let hasRoom = true;
    while (handle.blockCount < PULL_BLOCKS && handle.unrequested > 0) {
      const block = handle.blocks[handle.blockCount++];
      const { limits } = this.#driver;
      // The first block begins inside of its first frame, and is shorter by that (omx_pull.c:924-972).
      const isFirst = handle.unrequested === handle.total;
      block.firstOffset = isFirst ? handle.skew : 0;
      block.length = Math.min(handle.unrequested, blockMax(limits) - block.firstOffset);
      block.frames = Math.ceil((block.firstOffset + block.length) / limits.pullReplyBytes);
      block.missing = block.frames;
      block.bitmap = block.frames === 32 ? -1 : (1 << block.frames) - 1;
      handle.unrequested -= block.length;
      // Without a buffer for one there is none for those behind it either: all of them wait for the timer.
      if (hasRoom) hasRoom = this.#request(cpu, cls, handle, handle.blockCount - 1, journey);
    }
    return handle.blockCount - before;
  }

  /** Asks for a block; false when there is no buffer. */
  #request(cpu: Processor, cls: number, handle: PullHandle, number: number, journey: number): boolean {
    const driver = this.#driver;
    const frame = driver.newFrame(handle.peer, wire.PULL_HEADER);
    if (frame < 0) return false; // asked for again when the timer finds it missing
    const { compat, repliesPerBlock } = driver.limits;
    const block = handle.blocks[number];
    fields.dstEndpoint = handle.remoteEndpoint;
    fields.srcEndpoint = handle.endpoint.index;
    fields.session = handle.session;
    fields.totalLength = handle.total;
    fields.pulledRdmaId = handle.remoteRegion;
    fields.pulledRdmaSeqnum = handle.remoteRegionSeq;
    fields.pulledRdmaOffset = handle.remoteOffset;
    fields.srcPullHandle = handle.id;
    fields.srcMagic = wire.endpointMagic(handle.endpoint.index);
    fields.firstFrameOffset = block.firstOffset;
    fields.blockLength = block.length;
    fields.frameIndex = handle.frameIndex + number * repliesPerBlock;
    driver.frames.setLinear(frame, wire.emitPull(driver.memory.view, driver.frames.at(frame), fields, compat));
    const carried = cpu.carried;
    const fork = driver.frames.journeys.fork(journey);
    driver.frames.setJourney(frame, fork);
    cpu.carry(fork, QUEUEING);
    driver.transmit(cpu, cls, handle.peer, frame, count.SEND_PULL_REQUEST);
    cpu.carry(carried, QUEUEING);
    return true;
  }

  /** All replies of block `number` are there: the window moves on, or what is missing before it is asked for again. */
  blockComplete(cpu: Processor, handle: PullHandle, number: number): void {
    if (number > 0) {
      this.#askAgainBefore(cpu, handle, number);
      return;
    }
    const { blocks } = handle;
    let done = 0;
    while (done < handle.blockCount && blocks[done].missing === 0) done++;
    const spent = blocks.splice(0, done);
    blocks.push(...spent);
    handle.blockCount -= done;
    handle.frameIndex += done * this.#driver.limits.repliesPerBlock;
    handle.askedAgain = Math.max(0, handle.askedAgain - done);
    if (this.fill(cpu, IRQ, handle, cpu.carried) > 1) this.#driver.counters[count.PULL_NOT_ONLY_FIRST]++;
  }

  /**
   * A later block is complete: replies of earlier ones were lost. Ask for them at once, but for each block once only
   * between two time-outs (omx_pull.c:1573-1602): a block that has joined the window since then has had no such chance.
   */
  #askAgainBefore(cpu: Processor, handle: PullHandle, number: number): void {
    if (handle.askedAgain >= number) return;
    this.#driver.counters[count.PULL_NON_FIRST_EARLY]++;
    for (let i = handle.askedAgain; i < number; i++) {
      if (handle.blocks[i].missing === 0) continue;
      if (!this.#requestAgain(cpu, handle, i)) return;
      handle.askedAgain = i + 1;
    }
  }

  #requestAgain(cpu: Processor, handle: PullHandle, number: number): boolean {
    const { journeys } = this.#driver.frames;
    const journey = handle.sentAt >= 0 ? journeys.begin(handle.sentAt) : -1;
    journeys.until(journey, QUEUEING, cpu.now);
    const hasRoom = this.#request(cpu, IRQ, handle, number, journey);
    journeys.drop(journey);
    return hasRoom;
  }

  /** Nothing has come for as long as replies may take: asks again for every block that misses one. */
  timedOut(cpu: Processor, handle: PullHandle): void {
    const { counters } = this.#driver;
    handle.lastReplyAt = cpu.now;
    for (let i = 0; i < handle.blockCount; i++) {
      if (handle.blocks[i].missing === 0) continue;
      counters[i === 0 ? count.PULL_TIMEOUT_FIRST : count.PULL_TIMEOUT_NON_FIRST]++;
      if (!this.#requestAgain(cpu, handle, i)) return;
      if (i === 0) handle.askedAgain = 0;
    }
  }
}
