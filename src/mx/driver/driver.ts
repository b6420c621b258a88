import { type FramePool, PayloadBuffers } from "../../hw/frame.ts";
import type { Costs } from "../../hw/machine_profile.ts";
import type { Memory } from "../../hw/memory.ts";
import type { FrameReceiver } from "../../hw/nic_driver.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Engine } from "../../sim/engine.ts";
import * as stages from "../../metrics/stage.ts";
import type { MxLimits } from "../limits.ts";
import * as limits from "../limits.ts";
import * as wire from "../wire/mod.ts";
import type { MxCommand } from "./contract.ts";
import * as contract from "./contract.ts";
import { BUFFER_ALLOC_FAILED, COUNTER_LABELS } from "./counters.ts";
import { DoneCookies } from "./done_cookies.ts";
import { DriverEndpoint, type EventSink } from "./endpoint.ts";
import { CommitHandlers } from "./event_queues.ts";
import { HostQueries } from "./host_query.ts";
import { type PacketLoss, packetLoss, type PacketLossSpec } from "./packet_loss.ts";
import { type Peer, PEERS_DEFAULT, PeerTable } from "./peer_table.ts";
import { PullEngine } from "./pull.ts";
import { PullServer } from "./pull_server.ts";
import { RawEndpoint } from "./raw.ts";
import * as receiving from "./receive.ts";
import { type Extent, Region } from "./region.ts";
import type { SlotArea } from "./slot_area.ts";
import * as sending from "./send.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { DRIVER } = stages;
const { MAX_ENDPOINTS, MAX_REGIONS } = limits;
const { emitHead, padFrame } = wire;
const { CMD_CREATE_REGION, CMD_DESTROY_REGION, CMD_PULL, RESULT_INVALID, RESULT_OK } = contract;
const { receiveFrame } = receiving;
const { sendCommand } = sending;

/** CUT 2: where a driver's frames leave. What is behind it decides the path. */
export interface EtherPort {
  readonly macHigh: number;
  readonly macLow: number;
  /**
   * Hands a frame over at the instant that the burst has reached; it is gone either way, false when it was dropped. What
   * that takes the CPU is time of class `cls`.
   */
  transmit(cpu: Processor, frame: number, cls: number): boolean;
}

/** What a debug build of Open-MX (--enable-debug) can do beyond the others. */
export interface DebugOptions {
  /** Frames that are lost on purpose, by type. */
  readonly packetLoss?: PacketLossSpec;
  /** Eager messages carry a checksum of their bytes, which the receiving library checks (OMX_DEBUG_CHECKSUM). */
  readonly checksum?: boolean;
}

/** Where the four queues of a closed endpoint are, to which no frame refers any more, and when it was closed, picoseconds. */
export interface ClosedQueues {
  readonly closedAt: number;
  readonly addresses: readonly number[];
}

/** What a driver is built from, and where its frames leave. */
export interface DriverParts {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly frames: FramePool;
  readonly costs: Costs;
  readonly limits: MxLimits;
  readonly port: EtherPort;
  readonly hostname: string;
  /** Where the driver's timers run. */
  readonly processor: Processor;
  /** Large receives are copied by the chipset's engine (I/OAT) instead of a CPU. Default false. */
  readonly copyOffload?: boolean;
  /** Memory of the driver's kernel, in whole pages: where a guest's devices reach only its own. The machine's by default. */
  readonly alloc?: (bytes: number) => number;
  /** What a debug build can do. Default nothing. */
  readonly debug?: DebugOptions;
  /** Endpoints of this board (module parameter `endpoints`), 256 by default and at most. */
  readonly endpointMax?: number;
  /** Hosts that it can know (module parameter `peers`), itself included; 1024 by default. */
  readonly peerMax?: number;
  /** Endpoints of this host talk through memory (default). Otherwise this host is a peer like any other. */
  readonly sharedComms?: boolean;
}

/**
 * The Open-MX kernel driver of one host: endpoints, peers, frames in and out, the pull engine. The same code runs
 * natively, in a guest over any Ethernet path, and in the driver domain behind Xen2MX; only the event sinks, the
 * regions' addresses and the Ethernet port differ.
 */
export class OmxDriver implements FrameReceiver {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly frames: FramePool;
  readonly costs: Costs;
  readonly limits: MxLimits;
  readonly port: EtherPort;
  readonly hostname: string;
  readonly peers: PeerTable;
  readonly counters: Float64Array = new Float64Array(COUNTER_LABELS.length);
  readonly endpoints: (DriverEndpoint | null)[];
  readonly pulls: PullEngine;
  readonly server: PullServer;
  readonly hosts: HostQueries;
  readonly raw: RawEndpoint;
  readonly loss: PacketLoss | null;
  /** Checksums of messages are handed to the library. */
  readonly checksum: boolean;
  readonly processor: Processor;
  readonly copyOffload: boolean;
  /** For payload in several stretches, which the NIC gathers, or a CPU copies. */
  readonly payloadBuffers: PayloadBuffers;
  /** Its kernel has crashed or boots: what has come for the one before is thrown away, and refused to nobody. */
  isDown = false;
  /** Frames that the real driver drops without a counter: another board's queries, other protocols, odd TRUCs. */
  ignored = 0;
  /** Memory of queues that endpoints had before they were closed, for those that are opened. */
  readonly closedQueues: ClosedQueues[] = [];
  readonly commitHandlers: CommitHandlers;
  readonly doneCookies: DoneCookies;
  /** What sending a frame costs the CPU, its part of the NIC's doorbell included. */
  readonly #sendPs: number;

  constructor(parts: DriverParts) {
    this.engine = parts.engine;
    this.commitHandlers = new CommitHandlers(parts.engine);
    this.memory = parts.memory;
    this.frames = parts.frames;
    this.costs = parts.costs;
    this.#sendPs = parts.costs.driverSend + parts.costs.doorbell;
    this.limits = parts.limits;
    this.port = parts.port;
    this.processor = parts.processor;
    this.copyOffload = parts.copyOffload ?? false;
    this.doneCookies = new DoneCookies(this);
    this.payloadBuffers = new PayloadBuffers(parts.memory, parts.alloc ?? ((bytes) => parts.memory.alloc(bytes)));
    this.hostname = parts.hostname;
    this.loss = packetLoss(parts.debug?.packetLoss);
    this.checksum = parts.debug?.checksum ?? false;
    this.endpoints = new Array(parts.endpointMax ?? MAX_ENDPOINTS).fill(null);
    this.peers = new PeerTable(parts.peerMax ?? PEERS_DEFAULT);
    const own = this.peers.add(parts.hostname, parts.port.macHigh, parts.port.macLow, parts.sharedComms ?? true);
    own.reverse = own.index;
    this.pulls = new PullEngine(this);
    this.server = new PullServer(this);
    this.hosts = new HostQueries(this);
    this.raw = new RawEndpoint(this);
  }

  /** Opens an endpoint; null when the index is out of range or taken. */
  open(index: number, session: number, sink: EventSink, sendQueue: SlotArea): DriverEndpoint | null {
    if (index < 0 || index >= this.endpoints.length || this.endpoints[index] !== null) return null;
    const endpoint = new DriverEndpoint(index, session, sink, sendQueue);
    this.endpoints[index] = endpoint;
    return endpoint;
  }

  /**
   * Closes an endpoint: its pulls end without a word, its regions go, packets to it are refused from now on. Frames on
   * their way still refer to its queues: see {@link DriverEndpoint.whenLeft}.
   */
  close(endpoint: DriverEndpoint): void {
    endpoint.isOpen = false;
    this.pulls.endpointClosed(endpoint);
    endpoint.regions.length = 0;
    if (this.endpoints[endpoint.index] === endpoint) this.endpoints[endpoint.index] = null;
  }

  /** Executes a command in the caller's burst; `cls` is the class of CPU time it is charged to. */
  execute(cpu: Processor, cls: number, endpoint: DriverEndpoint, command: MxCommand): number {
    if (command.kind === CMD_DESTROY_REGION) return this.destroyRegion(cpu, endpoint, command.region);
    if (command.kind === CMD_CREATE_REGION) return RESULT_INVALID; // needs extents: see createRegion
    const result = command.kind === CMD_PULL
      ? this.pulls.start(cpu, cls, endpoint, command)
      : sendCommand(this, cpu, cls, endpoint, command);
    if (result !== RESULT_OK && command.journey >= 0) {
      // Refused: nobody carries the message on, and the library begins another journey when it tries again.
      this.frames.journeys.drop(command.journey);
      cpu.putDown();
    }
    return result;
  }

  /** Makes memory known under a region id of the endpoint. */
  createRegion(endpoint: DriverEndpoint, id: number, length: number, extents: readonly Extent[]): number {
    const { regions } = endpoint;
    if (id < 0 || id >= MAX_REGIONS || (id < regions.length && regions[id] !== null)) return RESULT_INVALID;
    while (regions.length <= id) regions.push(null);
    regions[id] = new Region(id, length, extents);
    return RESULT_OK;
  }

  /** Forgets a region. Its pages are the program's again: what is pulled into it ends, as PULL_ABORTED. */
  destroyRegion(cpu: Processor, endpoint: DriverEndpoint, id: number): number {
    const region = endpoint.regions[id] ?? null;
    if (region === null) return RESULT_INVALID;
    endpoint.regions[id] = null;
    if (region.pulls > 0) this.pulls.regionDestroyed(cpu, endpoint, region);
    return RESULT_OK;
  }

  receive(cpu: Processor, frame: number): void {
    if (this.isDown) this.ignored++;
    else receiveFrame(this, cpu, frame, false);
  }

  frameSent(cpu: Processor, cookie: number): void {
    this.doneCookies.sent(cpu, cookie);
  }

  /**
   * A frame to `peer` with its head written and `linear` bytes to come; -1 when there is no buffer. `linear` counts
   * headers and inline payload, without padding.
   */
  newFrame(peer: Peer, linear: number): number {
    const frame = this.frames.take(linear);
    if (frame < 0) {
      this.counters[BUFFER_ALLOC_FAILED]++;
      return -1;
    }
    const { view } = this.memory;
    emitHead(
      view,
      this.frames.at(frame),
      peer.macHigh,
      peer.macLow,
      this.port.macHigh,
      this.port.macLow,
      peer.reverse,
    );
    return frame;
  }

  /** Sends a finished frame: on the wire, counted under `counter`, or back into this driver when the peer is this host. */
  transmit(cpu: Processor, cls: number, peer: Peer, frame: number, counter: number): void {
    if (!peer.isLocal) return this.emit(cpu, cls, frame, counter);
    this.#pad(frame);
    this.#loopBack(cpu, frame);
  }

  /** Pads, charges, counts and sends a finished frame, or loses it on purpose: then it is not counted. */
  emit(cpu: Processor, cls: number, frame: number, counter: number): void {
    const { frames } = this;
    this.#pad(frame);
    const cookie = frames.doneOf(frame);
    if (this.loss !== null && this.loss.takes(counter)) {
      cpu.charge(DRIVER, cls, this.costs.driverSend);
      frames.free(frame);
      if (cookie >= 0) this.frameSent(cpu, cookie);
      return;
    }
    this.counters[counter]++;
    cpu.charge(DRIVER, cls, this.#sendPs);
    // A frame that finds no room has done with its payload too: whoever waits for that would wait for ever.
    if (!this.port.transmit(cpu, frame, cls) && cookie >= 0) this.frameSent(cpu, cookie);
  }

  #pad(frame: number): void {
    const { frames } = this;
    if (frames.payloadLengthOf(frame) > 0) return;
    frames.setLinear(frame, padFrame(this.memory.view, frames.at(frame), frames.linearOf(frame)));
  }

  /** Shared communication: the command's effect on the other endpoint of this host, in the same call. */
  #loopBack(cpu: Processor, frame: number): void {
    const cookie = this.frames.doneOf(frame);
    const carried = cpu.carried;
    receiveFrame(this, cpu, frame, true);
    this.frames.free(frame);
    if (cookie >= 0) this.frameSent(cpu, cookie);
    if (carried >= 0) cpu.putDown();
  }
}
