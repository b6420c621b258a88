import type { Prng } from "../base/prng.ts";
import { psPerByte } from "../base/units.ts";
import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import { type Records, recordsOf } from "./records.ts";
import { FrameTap, LOST_BY_CHANCE, LOST_CORRUPTED, LOST_IN_CUT } from "./tap.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { WIRE } = stages;

/** One end of a link: a NIC or a switch port. */
export interface WirePort {
  readonly name: string;
  /** Picoseconds from the last bit on the wire until {@link receive}: NIC receive and DMA, or a switch's forwarding. */
  readonly receiveLatencyPs: number;
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

/** Told of each frame when its last bit has left: since when it has been on the wire, and whether it gets lost. */
export type FrameTrace = (frame: number, from: number, duration: number, lost: boolean) => void;

/** Of a direction, as a record: see there. */
const FRAMES = 0;
const WIRE_BYTES = 1;
const BUSY_PS = 2;
const STARTED_AT = 3;
const DIRECTION_RECORD = 4;

/** What a direction of a link has carried. A frame that is being sent counts as busy time only. */
export class LinkDirection {
  /** Null when nobody looks. */
  trace: FrameTrace | null = null;
  /** Handler of the arrival of a frame, and how long it takes the port at the end, picoseconds. */
  readonly arrive: number;
  readonly receiveLatencyPs: number;
  readonly #records: Records;
  readonly #record: number;
  readonly from: WirePort;
  readonly to: WirePort;
  lost = 0;
  /** Frames that arrive with bytes changed. */
  corrupted = 0;

  constructor(engine: Engine, link: string, from: WirePort, to: WirePort) {
    this.from = from;
    this.to = to;
    this.receiveLatencyPs = to.receiveLatencyPs;
    this.arrive = engine.handler(`${link} to ${to.name}`, arrive, to);
    this.#records = recordsOf(engine);
    this.#record = this.#records.take(DIRECTION_RECORD);
    this.startedAt = -1;
  }

  /** A frame's last bit has left: how long the port was occupied by it, and its bytes on the wire. */
  sent(busyPs: number, wireBytes: number): void {
    const { words } = this.#records;
    const at = this.#record;
    words[at + FRAMES]++;
    words[at + WIRE_BYTES] += wireBytes;
    words[at + BUSY_PS] += busyPs;
    words[at + STARTED_AT] = -1;
  }

  get frames(): number {
    return this.#records.words[this.#record + FRAMES];
  }

  set frames(count: number) {
    this.#records.words[this.#record + FRAMES] = count;
  }

  /** With preamble, FCS and gap. */
  get wireBytes(): number {
    return this.#records.words[this.#record + WIRE_BYTES];
  }

  /** Picoseconds that the sender's port was occupied: by frames on the wire, and by what it had to do before them. */
  get busyPs(): number {
    return this.#records.words[this.#record + BUSY_PS];
  }

  set busyPs(picoseconds: number) {
    this.#records.words[this.#record + BUSY_PS] = picoseconds;
  }

  /** Since when the frame that is being sent occupies it, -1 while none does. */
  get startedAt(): number {
    return this.#records.words[this.#record + STARTED_AT];
  }

  set startedAt(instant: number) {
    this.#records.words[this.#record + STARTED_AT] = instant;
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
  // What each frame needs comes first, so that it is on as few lines of the cache as can be.
  readonly #frames: FramePool;
  readonly #engine: Engine;
  readonly #forth: LinkDirection;
  readonly #back: LinkDirection;
  /** Propagation and PHY, picoseconds. */
  latencyPs: number;
  extraDelayPs = 0;
  /** Cut: everything is lost. */
  cut = false;
  /** Probability that a frame is lost. */
  loss = 0;
  /** Probability that a frame that is not lost arrives with bytes changed. */
  corruption = 0;
  /** Picoseconds for one byte. */
  readonly psPerByte: number;
  readonly name: string;
  readonly rateBps: number;
  readonly directions: readonly [LinkDirection, LinkDirection];
  /** Shows every frame that is put on the wire, lost ones too. Its way is the side that sent it. */
  readonly tap: FrameTap;
  readonly #random: Prng;
  /** Handlers of the arrival of corrupted frames: declared with the first one. */
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
    this.tap = new FrameTap(name, `wire from ${a.name} to ${b.name}`, rateBps);
    this.#engine = engine;
    this.#frames = frames;
    this.#random = engine.random(`link ${name}`);
    this.#forth = new LinkDirection(engine, name, a, b);
    this.#back = new LinkDirection(engine, name, b, a);
    this.directions = [this.#forth, this.#back];
  }

  /** Picoseconds that a frame occupies the wire. */
  serialisation(frame: number): number {
    return Math.round(this.#frames.wireLength(frame) * this.psPerByte);
  }

  /**
   * Takes a frame whose last bit leaves `from` at this instant; it was booked until its first one did. `side` is 0 for
   * the first end, 1 for the second. It has occupied the port for `busyPs`, `workPs` of that before the wire.
   */
  carry(side: 0 | 1, frame: number, busyPs: number, workPs = 0): void {
    const direction = side === 0 ? this.#forth : this.#back;
    direction.sent(busyPs, this.#frames.wireLength(frame));
    if (FrameTap.listened > 0 && this.tap.active) this.tap.see(side, frame, this.#engine.now);
    const lost = this.cut || (this.loss > 0 && this.#random.unit() < this.loss);
    const isBad = !lost && this.corruption > 0 && this.#random.unit() < this.corruption;
    const wirePs = busyPs - workPs;
    if (direction.trace !== null) direction.trace(frame, this.#engine.now - wirePs, wirePs, lost || isBad);
    if (lost) {
      if (this.tap.active) this.tap.lose(this.cut ? LOST_IN_CUT : LOST_BY_CHANCE);
      direction.lost++;
      this.#frames.free(frame);
      return;
    }
    const flight = this.latencyPs + this.extraDelayPs;
    const journey = this.#frames.journeyOf(frame);
    if (journey >= 0) this.#frames.journeys.work(journey, WIRE, wirePs + flight);
    const handler = isBad ? this.#corrupt(side) : direction.arrive;
    this.#engine.after(flight + direction.receiveLatencyPs, handler, frame);
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

/** A handler of the engine: a frame reaches the port at the end of its link. */
function arrive(frame: number, _: number, port: WirePort): void {
  port.receive(frame);
}
