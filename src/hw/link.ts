import type { Prng } from "../base/prng.ts";
import { psPerByte } from "../base/units.ts";
import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import { FrameTap, LOST_BY_CHANCE, LOST_CORRUPTED, LOST_IN_CUT } from "./tap.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { WIRE } = stages;

/** One end of a link: a NIC or a switch port. */
export interface WirePort {
  readonly name: string;
  /** Picoseconds from the last bit on the wire until {@link receive}: NIC receive and DMA, or a switch's forwarding. */
  readonly receiveLatency: number;
  receive(frame: number): void;
  /** A frame whose check sequence is wrong: dropped, and counted apart from others. Without it, just dropped. */
  receiveBad?(frame: number): void;
  /** What waits to be sent by it; absent from a port that sends nothing. */
  readonly queue?: PortQueue;
}

/** Frames that wait at a port, how many it holds, and those that found it full. */
export interface PortQueue {
  readonly used: number;
  readonly size: number;
  readonly drops: number;
}

/** Told of each frame when its last bit has left: since when it has occupied the wire, and whether it gets lost. */
export type FrameTrace = (frame: number, from: number, duration: number, lost: boolean) => void;

/** What a direction of a link has carried. A frame that is being sent counts as busy time only. */
export class LinkDirection {
  readonly from: WirePort;
  readonly to: WirePort;
  frames = 0;
  /** With preamble, FCS and gap. */
  wireBytes = 0;
  /** Picoseconds that the sender's serialiser was occupied. */
  busyPs = 0;
  /** Since when the frame that is being sent occupies it, -1 while none does. */
  startedAt = -1;
  lost = 0;
  /** Frames that arrive with bytes changed. */
  corrupted = 0;
  /** Null when nobody looks. */
  trace: FrameTrace | null = null;

  constructor(from: WirePort, to: WirePort) {
    this.from = from;
    this.to = to;
  }

  /** Picoseconds of occupation up to `now`, the frame under way included. */
  busyUntil(now: number): number {
    return this.busyPs + (this.startedAt < 0 ? 0 : now - this.startedAt);
  }
}

/**
 * A full-duplex cable. The port at each end serialises its own frames (at {@link psPerByte}) and hands each over when
 * its last bit has left; the link propagates, delays, corrupts or loses it. Delay takes no bandwidth.
 *
 * A corrupted frame never gets further than the port at the other end. Ethernet's check sequence (CRC-32, IEEE 802.3
 * clause 3.2.9) finds every burst of up to 32 changed bits, and misses one of 2^32 longer ones; MACs drop such frames
 * and count them (aFrameCheckSequenceErrors, 30.3.1.1.6; `rx_crc_errors` of Linux). So no changed byte is ever seen by
 * a driver, and none is written here.
 */
export class Link {
  readonly name: string;
  readonly rateBps: number;
  /** Picoseconds for one byte. */
  readonly psPerByte: number;
  readonly directions: readonly [LinkDirection, LinkDirection];
  /** Propagation and PHY, picoseconds. */
  latencyPs: number;
  /** Probability that a frame is lost. */
  loss = 0;
  /** Probability that a frame that is not lost arrives with bytes changed. */
  corruption = 0;
  extraDelayPs = 0;
  /** Cut: everything is lost. */
  cut = false;
  /** Shows every frame that is put on the wire, lost ones too. Its way is the side that sent it. */
  readonly tap: FrameTap;
  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #random: Prng;
  readonly #arrive: readonly [number, number];
  /** The same for corrupted frames: declared with the first one. */
  readonly #arriveBad: [number, number] = [-1, -1];

  constructor(
    engine: Engine,
    frames: FramePool,
    name: string,
    rateBps: number,
    latencyPs: number,
    a: WirePort,
    b: WirePort,
  ) {
    this.name = name;
    this.rateBps = rateBps;
    this.psPerByte = psPerByte(rateBps);
    this.latencyPs = latencyPs;
    this.directions = [new LinkDirection(a, b), new LinkDirection(b, a)];
    this.tap = new FrameTap(name, `wire from ${a.name} to ${b.name}`, rateBps);
    this.#engine = engine;
    this.#frames = frames;
    this.#random = engine.random(`link ${name}`);
    this.#arrive = [
      engine.handler(`${name} to ${b.name}`, (frame) => b.receive(frame)),
      engine.handler(`${name} to ${a.name}`, (frame) => a.receive(frame)),
    ];
  }

  /** Picoseconds that a frame occupies the wire. */
  serialisation(frame: number): number {
    return Math.round(this.#frames.wireLength(frame) * this.psPerByte);
  }

  /**
   * Takes a frame whose last bit leaves `from` at this instant; it was booked until its first one did. `side` is 0 for
   * the first end, 1 for the second.
   */
  carry(side: 0 | 1, frame: number, busyPs: number): void {
    const direction = this.directions[side];
    direction.frames++;
    direction.wireBytes += this.#frames.wireLength(frame);
    direction.busyPs += busyPs;
    direction.startedAt = -1;
    if (this.tap.active) this.tap.see(side, frame, this.#engine.now);
    const lost = this.cut || (this.loss > 0 && this.#random.unit() < this.loss);
    const isBad = !lost && this.corruption > 0 && this.#random.unit() < this.corruption;
    if (direction.trace !== null) direction.trace(frame, this.#engine.now - busyPs, busyPs, lost || isBad);
    if (lost) {
      if (this.tap.active) this.tap.lose(this.cut ? LOST_IN_CUT : LOST_BY_CHANCE);
      direction.lost++;
      this.#frames.free(frame);
      return;
    }
    const flight = this.latencyPs + this.extraDelayPs;
    const journey = this.#frames.journeyOf(frame);
    if (journey >= 0) this.#frames.journeys.work(journey, WIRE, busyPs + flight);
    const handler = isBad ? this.#corrupt(side) : this.#arrive[side];
    this.#engine.after(flight + direction.to.receiveLatency, handler, frame);
  }

  /** The frame that is on its way has bytes changed: what its arrival is. */
  #corrupt(side: 0 | 1): number {
    const direction = this.directions[side];
    direction.corrupted++;
    if (this.tap.active) this.tap.lose(LOST_CORRUPTED);
    if (this.#arriveBad[side] < 0) {
      const name = `${this.name} to ${direction.to.name}, corrupted`;
      this.#arriveBad[side] = this.#engine.handler(name, (frame) => {
        if (direction.to.receiveBad === undefined) this.#frames.free(frame);
        else direction.to.receiveBad(frame);
      });
    }
    return this.#arriveBad[side];
  }
}
