import { BRIDGE } from "../metrics/stage.ts";
import type { FramePool } from "./frame.ts";
import { MacTable, UNKNOWN_MAC } from "./mac_table.ts";
import type { Costs } from "./machine_profile.ts";
import type { Processor } from "./processor.ts";

/** What a bridge sends frames out by: the host's NIC, or the host's end of a guest's interface. */
export interface BridgePort {
  readonly name: string;
  /**
   * Takes a frame at the instant that the burst has reached; it is gone either way, false when it was dropped. What that
   * takes the CPU is time of class `cls`.
   */
  transmit(cpu: Processor, frame: number, cls: number): boolean;
}

/**
 * A host kernel's software bridge (Linux br_forward): it runs on whichever CPU brings a frame, in that CPU's burst, and
 * costs `bridgeForward` for each frame. It learns where addresses are from the frames it sees. Entries do not age:
 * Linux's take 300 s, longer than any run.
 */
export class SoftwareBridge {
  readonly counters = {
    forwarded: 0,
    /** Destination not known, or all stations: to every port but the one it came by. */
    flooded: 0,
    /** The destination is where the frame came from. */
    hairpins: 0,
    /** Copies for flooding that could not be had, because no frame was free. */
    noFrame: 0,
    /** An address was seen at a port that it had not been at. */
    learned: 0,
    /** From a group address: no station has one, and Linux drops the frame (br_handle_frame). */
    badSource: 0,
  };
  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #ports: BridgePort[] = [];
  readonly #table = new MacTable();

  constructor(frames: FramePool, costs: Costs) {
    this.#frames = frames;
    this.#costs = costs;
  }

  /** Adds a port and returns its number. Port 0 is the way out of the host. */
  addPort(port: BridgePort): number {
    this.#ports.push(port);
    return this.#ports.length - 1;
  }

  /** Addresses that the bridge knows. */
  get size(): number {
    return this.#table.size;
  }

  /** Learns an address as from a frame: what a guest's interface does when it comes up (gratuitous ARP). */
  learn(macLow32: number, port: number): void {
    if (this.#table.put(macLow32 | 0, port)) this.counters.learned++;
  }

  /** Passes on a frame that came in by port `from`; `cls` is the class of CPU time. The frame is the bridge's. */
  forward(cpu: Processor, cls: number, from: number, frame: number): void {
    cpu.charge(BRIDGE, cls, this.#costs.bridgeForward);
    const { view } = this.#frames.memory;
    const at = this.#frames.at(frame);
    if ((view.getUint8(at + 6) & 1) === 1) {
      this.counters.badSource++;
      this.#frames.free(frame, cpu);
      return;
    }
    this.learn(view.getInt32(at + 8), from);
    // The lowest bit of the first byte marks a group address.
    const to = (view.getUint8(at) & 1) === 1 ? UNKNOWN_MAC : this.#table.get(view.getInt32(at + 2));
    if (to === UNKNOWN_MAC) {
      this.#flood(cpu, cls, from, frame);
    } else if (to === from) {
      this.counters.hairpins++;
      this.#frames.free(frame, cpu);
    } else {
      this.counters.forwarded++;
      this.#ports[to].transmit(cpu, frame, cls);
    }
  }

  /** The lowest port gets the frame itself, with the message it belongs to: a stranger is most likely outside. */
  #flood(cpu: Processor, cls: number, from: number, frame: number): void {
    this.counters.flooded++;
    const first = from === 0 ? 1 : 0;
    for (let port = first + 1; port < this.#ports.length; port++) {
      if (port === from) continue;
      const copy = this.#frames.copy(frame);
      if (copy >= 0) this.#ports[port].transmit(cpu, copy, cls);
      else this.counters.noFrame++;
    }
    if (first < this.#ports.length) this.#ports[first].transmit(cpu, frame, cls);
    else this.#frames.free(frame, cpu);
  }
}
