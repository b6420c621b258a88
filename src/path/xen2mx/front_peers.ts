import type { PeerTable } from "../../mx/driver/peer_table.ts";
import type { Frontend } from "./frontend.ts";
import {
  FUNC_PEER_FROM_ADDR,
  FUNC_PEER_FROM_HOSTNAME,
  FUNC_PEER_FROM_INDEX,
  PEER_ADDRESS,
  PEER_HOSTNAME,
  PEER_INDEX,
  writeAddress,
  writeName,
} from "./peer_messages.ts";

/** A question about a peer that waits for its turn on the ring. */
export interface PeerQuestion {
  readonly func: number;
  /** Writes what is known of the peer into the request. */
  write(view: DataView, union: number): void;
}

/**
 * Look-ups of one endpoint in dom0's peer table. A question goes over the ring in the order of the library's commands,
 * so what the library sends on the strength of the answer leaves after dom0 has given it; what dom0 has once told of a
 * peer the device remembers. The value itself is read from dom0's table at once, as the library's calls do not wait.
 */
export class FrontPeers {
  readonly #device: Frontend;
  readonly #table: PeerTable;
  readonly #ask: (question: PeerQuestion) => void;

  /** `ask` puts a question behind the commands that the endpoint has been given. */
  constructor(device: Frontend, ask: (question: PeerQuestion) => void) {
    this.#device = device;
    this.#table = device.peers;
    this.#ask = ask;
  }

  byName(name: string): number {
    const index = this.#table.byName(name)?.index ?? -1;
    this.#learn(index, FUNC_PEER_FROM_HOSTNAME, (view, at) => writeName(view, at + PEER_HOSTNAME, name));
    return index;
  }

  byAddress(macHigh: number, macLow: number): number {
    const index = this.#table.byAddress(macHigh, macLow)?.index ?? -1;
    this.#learn(index, FUNC_PEER_FROM_ADDR, (view, at) => writeAddress(view, at + PEER_ADDRESS, macHigh, macLow));
    return index;
  }

  /** A peer's 48-bit address, -1 when there is none. */
  address(index: number): number {
    const peer = this.#table.at(index);
    this.#learnIndex(index);
    return peer === undefined ? -1 : peer.macHigh * 2 ** 32 + (peer.macLow >>> 0);
  }

  name(index: number): string | null {
    this.#learnIndex(index);
    return this.#table.at(index)?.name ?? null;
  }

  #learnIndex(index: number): void {
    const known = this.#table.at(index) === undefined ? -1 : index;
    this.#learn(known, FUNC_PEER_FROM_INDEX, (view, at) => view.setUint32(at + PEER_INDEX, index, true));
  }

  /** Asks, unless dom0 has told of this peer before; of one that it does not know it is asked each time. */
  #learn(index: number, func: number, write: (view: DataView, union: number) => void): void {
    if (this.#device.knownPeers.has(index)) return;
    this.#ask({ func, write });
  }
}
