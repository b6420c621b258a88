import { WIRE } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import type { Link, PortQueue, WirePort } from "./link.ts";
import { type Sender, Serialiser } from "./serialiser.ts";
import { FrameTap, INBOUND, LOST_QUEUE_FULL, OUTBOUND } from "./tap.ts";

/** Frames that an output port can hold: 2 MB of packet buffer at 9 kB a frame, a usual 10GbE top-of-rack figure. */
const PORT_QUEUE = 256;

/** One port of a switch: receives from its cable, and queues what leaves by it. */
class SwitchPort implements WirePort, Sender {
  readonly name: string;
  readonly receiveLatencyPs: number;
  readonly serialiser: Serialiser;
  /** Frames that found its queue full. */
  drops = 0;
  /** Shows frames that have come in by the port, those that have left by it, and those that found its queue full. */
  readonly tap: FrameTap;
  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #owner: Switch;
  readonly #index: number;

  constructor(owner: Switch, index: number, far: string, engine: Engine, frames: FramePool, latencyPs: number) {
    this.name = `${owner.name}.${index}`;
    this.tap = new FrameTap(`${owner.name}/${far}`, "port of a switch");
    this.#engine = engine;
    this.#frames = frames;
    this.receiveLatencyPs = latencyPs;
    this.#owner = owner;
    this.#index = index;
    this.serialiser = new Serialiser(engine, frames, this.name, PORT_QUEUE, 0, this);
  }

  get queue(): PortQueue {
    return { used: this.serialiser.count, size: PORT_QUEUE, drops: this.drops };
  }

  /** Called by its serialiser. */
  frameSent(frame: number): void {
    if (FrameTap.listened > 0 && this.tap.active) this.tap.see(OUTBOUND, frame, this.#engine.now);
  }

  receive(frame: number): void {
    if (FrameTap.listened > 0 && this.tap.active) this.tap.see(INBOUND, frame, this.#engine.now);
    this.#owner.forward(this.#index, frame);
  }

  /** It stores before it forwards, so that it knows before it forwards (a cut-through switch would pass it on). */
  receiveBad(frame: number): void {
    this.#owner.crcErrors++;
    this.#frames.free(frame);
  }
}

/**
 * An Ethernet switch that learns addresses. Forwarding takes a fixed latency after the last bit has come in; each
 * output port queues and serialises on its own. A frame that would go back where it came from is dropped, as the
 * standard requires (802.1D 7.7.1), and a full output queue drops: both are counted.
 */
export class Switch {
  readonly name: string;
  readonly ports: SwitchPort[] = [];
  drops = 0;
  /** Frames that came in with a wrong check sequence. */
  crcErrors = 0;
  hairpins = 0;
  flooded = 0;
  /** Copies for flooding that could not be had, because no frame was free. */
  noFrame = 0;
  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #latencyPs: number;
  /** Port by the low 32 bits of a MAC address: unique within an emulated cluster. */
  readonly #table = new Map<number, number>();

  constructor(engine: Engine, frames: FramePool, name: string, latencyPs: number) {
    this.name = name;
    this.#engine = engine;
    this.#frames = frames;
    this.#latencyPs = latencyPs;
  }

  /** `far` is what its cable will lead to. */
  addPort(far = String(this.ports.length)): WirePort {
    const port = new SwitchPort(this, this.ports.length, far, this.#engine, this.#frames, this.#latencyPs);
    this.ports.push(port);
    return port;
  }

  connect(port: number, link: Link, side: 0 | 1): void {
    this.ports[port].serialiser.connect(link, side);
  }

  forward(from: number, frame: number): void {
    const view = this.#frames.memory.view;
    const at = this.#frames.at(frame);
    this.#frames.journeys.until(this.#frames.journeyOf(frame), WIRE, this.#engine.now);
    // The lowest bit of an address's first byte marks a group, which is no station to learn, and goes to all (802.1D 7.8).
    if ((view.getUint8(at + 6) & 1) === 0) this.#table.set(view.getInt32(at + 8), from);
    const to = (view.getUint8(at) & 1) === 1 ? undefined : this.#table.get(view.getInt32(at + 2));
    if (to === from) {
      this.hairpins++;
      this.#frames.free(frame);
    } else if (to === undefined) {
      this.#flood(from, frame);
    } else {
      this.#send(to, frame);
    }
  }

  /** Teaches where an address is, as a frame from there would. */
  learn(macLow32: number, port: number): void {
    this.#table.set(macLow32 | 0, port);
  }

  /** All stations, or an address that is not known: to every port but the one it came by. The last has the frame itself. */
  #flood(from: number, frame: number): void {
    this.flooded++;
    const last = from === this.ports.length - 1 ? from - 1 : this.ports.length - 1;
    for (let port = 0; port < last; port++) {
      if (port === from) continue;
      const copy = this.#frames.copy(frame);
      if (copy >= 0) this.#send(port, copy);
      else this.noFrame++;
    }
    if (last >= 0) this.#send(last, frame);
    else this.#frames.free(frame);
  }

  #send(port: number, frame: number): void {
    const { serialiser, tap } = this.ports[port];
    if (serialiser.isFull) {
      this.ports[port].drops++;
      if (tap.active) {
        tap.see(OUTBOUND, frame, this.#engine.now);
        tap.lose(LOST_QUEUE_FULL);
      }
      this.drops++;
      this.#frames.free(frame);
      return;
    }
    serialiser.push(frame, 0);
  }
}
