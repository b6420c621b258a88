import * as hwFrame from "../../hw/frame.ts";
import { copyTime } from "../../hw/machine_profile.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as wire from "../wire/mod.ts";
import { NACK_BAD_ENDPOINT, NACK_BAD_REGION, NACK_BAD_SESSION, NACK_ENDPOINT_CLOSED } from "./contract.ts";
import * as count from "./counters.ts";
import { DeferredJobs } from "./deferred.ts";
import type { OmxDriver } from "./driver.ts";
import type { DriverEndpoint } from "./endpoint.ts";
import type { Peer } from "./peer_table.ts";
import type { Region } from "./region.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { MIN_FRAME } = hwFrame;
const { IRQ, QUEUEING } = stages;
const { PULL_REPLY_HEADER, emitPullReply } = wire;
const { SEND_PULL_REPLY } = count;

/** Replies that are built in one burst. */
const REPLIES_PER_BURST = 4;
/** Stretches within pages that a frame's payload may be gathered from (module parameter skbfrags, MAX_SKB_FRAGS). */
const FRAGMENTS_MAX = 16;

/** The counter of a refused request, by NACK type. */
const DROP_OF_NACK: readonly number[] = [
  -1,
  count.DROP_BAD_ENDPOINT,
  count.DROP_BAD_ENDPOINT,
  count.DROP_BAD_SESSION,
  count.DROP_PULL_BAD_REGION,
];

const reply = wire.newPullReplyFields();
const nack = wire.newNackMcpFields();

/** One requested block that is being streamed out. */
interface BlockJob {
  readonly endpoint: DriverEndpoint;
  readonly region: Region;
  readonly peer: Peer;
  readonly handle: number;
  readonly magic: number;
  frame: number;
  /** Where the message begins in the region, and where in the message the next reply begins. */
  readonly base: number;
  offset: number;
  left: number;
  /** Bytes of the first reply are cut short by the block's first-frame offset. */
  room: number;
  journey: number;
}

/** The owner of a large message's data: answers PULLs with frames whose payload is the region itself. */
export class PullServer {
  readonly #driver: OmxDriver;
  readonly #jobs: DeferredJobs<BlockJob>;

  constructor(driver: OmxDriver) {
    this.#driver = driver;
    this.#jobs = new DeferredJobs("pull server", (cpu, job) => this.#stream(cpu, job));
  }

  /** A PULL has come in (omx_pull.c:1126-1364): refused, dropped, or served. */
  request(cpu: Processor, frame: number): void {
    const driver = this.#driver;
    const { view } = driver.memory;
    const at = driver.frames.at(frame);
    driver.counters[count.RECV_PULL_REQUEST]++;
    const peer = driver.peers.at(wire.readPeerIndex(view, at));
    if (peer === undefined) {
      driver.counters[count.DROP_BAD_PEER_INDEX]++;
      return;
    }
    const request = wire.parsePull(view, at, driver.limits.compat);
    const { pullReplyBytes, repliesPerBlock } = driver.limits;
    const replies = Math.ceil((request.firstFrameOffset + request.blockLength) / pullReplyBytes);
    const region = this.localRegion(request.dstEndpoint, request.session, request.pulledRdmaId);
    if (typeof region === "number") {
      // How much is asked for is looked at before where it is (omx_pull.c:1184-1230).
      if (region === NACK_BAD_REGION && replies > repliesPerBlock) driver.counters[count.DROP_PULL_BAD_REPLIES]++;
      else {
        driver.counters[DROP_OF_NACK[region]]++;
        this.#refuse(cpu, peer, request, region);
      }
      return;
    }
    const offset = this.#offsetOf(request, region, replies);
    if (offset < 0 || replies === 0) return;
    this.#jobs.submit(cpu, {
      endpoint: driver.endpoints[request.dstEndpoint]!,
      region,
      peer,
      handle: request.srcPullHandle,
      magic: request.srcMagic,
      frame: request.frameIndex,
      base: request.pulledRdmaOffset,
      offset,
      left: request.blockLength,
      room: pullReplyBytes - request.firstFrameOffset,
      journey: driver.frames.takeJourney(frame),
    });
  }

  /**
   * Where the first of so many `replies` begins, bytes from the base of the pull; below zero when it is not served, which
   * is counted. Without a word: the puller's timer will find out.
   */
  #offsetOf(request: wire.PullFields, region: Region, replies: number): number {
    const { counters, limits: { pullReplyBytes, repliesPerBlock } } = this.#driver;
    const { pulledRdmaOffset, firstFrameOffset, blockLength } = request;
    const offset = request.frameIndex * pullReplyBytes - (pulledRdmaOffset % pullReplyBytes) + firstFrameOffset;
    if (!region.isServed) counters[count.DROP_PULL_BAD_REGION]++;
    else if (replies > repliesPerBlock) counters[count.DROP_PULL_BAD_REPLIES]++;
    else if (
      offset < 0 || pulledRdmaOffset + offset + blockLength > region.length || firstFrameOffset >= pullReplyBytes
    ) counters[count.DROP_PULL_BAD_OFFSET]++;
    else return offset;
    return -1;
  }

  /** An open endpoint's region, or the NACK type that says why there is none. */
  localRegion(endpointIndex: number, session: number, id: number): Region | number {
    const endpoint = this.#driver.endpoints[endpointIndex];
    if (endpoint === null || endpoint === undefined) {
      return endpoint === undefined ? NACK_BAD_ENDPOINT : NACK_ENDPOINT_CLOSED;
    }
    if (endpoint.session !== session) return NACK_BAD_SESSION;
    return endpoint.regions[id] ?? NACK_BAD_REGION;
  }

  #stream(cpu: Processor, job: BlockJob): boolean {
    const { journeys } = this.#driver.frames;
    if (!job.endpoint.isOpen || job.endpoint.regions[job.region.id] !== job.region) {
      // Deregistered under our hands, since the burst before: the puller's timer will find out.
      this.#driver.counters[count.PULL_REPLY_FILL_FAILED]++;
      journeys.drop(job.journey);
      return true;
    }
    for (let i = 0; i < REPLIES_PER_BURST && job.left > 0; i++) {
      const length = Math.min(job.room, job.left);
      const isLast = length === job.left;
      const journey = isLast ? job.journey : journeys.fork(job.journey);
      cpu.carry(journey, QUEUEING);
      this.#sendReply(cpu, job, length, journey);
      cpu.putDown();
      job.frame++;
      job.offset += length;
      job.left -= length;
      job.room = this.#driver.limits.pullReplyBytes;
    }
    return job.left === 0;
  }

  #sendReply(cpu: Processor, job: BlockJob, length: number, journey: number): void {
    const driver = this.#driver;
    const { frames, memory } = driver;
    const frame = driver.newFrame(job.peer, PULL_REPLY_HEADER);
    if (frame < 0) {
      frames.journeys.drop(journey);
      return;
    }
    const at = frames.at(frame);
    reply.frameSeqnum = job.frame & 0xff;
    reply.frameLength = length;
    reply.msgOffset = job.offset;
    reply.dstPullHandle = job.handle;
    reply.dstMagic = job.magic;
    const header = emitPullReply(memory.view, at, reply);
    const offset = job.base + job.offset;
    const address = job.region.addressOf(offset, length);
    if (header + length < MIN_FRAME) {
      job.region.read(memory, offset, at + header, length);
      frames.setLinear(frame, header + length);
      driver.counters[count.PULL_REPLY_LINEAR]++;
    } else if (address >= 0) {
      frames.attach(frame, address, length);
    } else {
      job.region.read(memory, offset, frames.attachOwn(frame, length, driver.payloadBuffers), length);
      // The NIC gathers pages that do not follow one another; too many stretches are copied together first.
      if (job.region.fragmentsOf(offset, length) > FRAGMENTS_MAX) {
        cpu.copy(IRQ, copyTime(driver.costs.copyUncachedByte, length), length, "user's pages > frame");
        driver.counters[count.PULL_REPLY_LINEAR]++;
      }
    }
    frames.setJourney(frame, journey);
    driver.transmit(cpu, IRQ, job.peer, frame, SEND_PULL_REPLY);
  }

  #refuse(cpu: Processor, peer: Peer, request: wire.PullFields, type: number): void {
    const driver = this.#driver;
    const frame = driver.newFrame(peer, wire.NACK_HEADER);
    if (frame < 0) return;
    nack.srcEndpoint = request.srcEndpoint;
    nack.nackType = type;
    nack.srcPullHandle = request.srcPullHandle;
    nack.srcMagic = request.srcMagic;
    wire.emitNackMcp(driver.memory.view, driver.frames.at(frame), nack);
    driver.transmit(cpu, IRQ, peer, frame, count.SEND_NACK_MCP);
  }
}
