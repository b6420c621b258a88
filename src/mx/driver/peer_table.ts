import { assert } from "../../base/assert.ts";

/** Unknown index, as it stands on the wire. */
export const PEER_UNKNOWN = 0xffff;
/** Peers of a table unless it is told otherwise, and at most (omx_main.c:74, omx_wire.h:116). */
export const PEERS_DEFAULT = 1024;
export const PEERS_MAX = 65536;

/** A host that this driver knows, itself included (omx_peer.c:228-300). */
export class Peer {
  readonly index: number;
  /** Host name, null until a HOST_REPLY has said it. Set by the table. */
  name: string | null;
  readonly macHigh: number;
  readonly macLow: number;
  readonly isLocal: boolean;
  /** The index that this peer uses for us: stamped into every frame to it. Learnt from its CONNECT and HOST frames. */
  reverse: number = PEER_UNKNOWN;

  constructor(index: number, name: string | null, macHigh: number, macLow: number, isLocal: boolean) {
    this.index = index;
    this.name = name;
    this.macHigh = macHigh;
    this.macLow = macLow;
    this.isLocal = isLocal;
    if (isLocal) this.reverse = index;
  }

  /** The 48-bit address in one number. */
  get mac(): number {
    return this.macHigh * 2 ** 32 + (this.macLow >>> 0);
  }
}

/** The driver's peers by index, by address and by name. Look-ups are O(1). */
export class PeerTable {
  readonly peers: Peer[] = [];
  /** A mapper (a peers file, or the discovery daemon) has filled the table. */
  configured = false;
  /** Peers that found the table full. */
  refused = 0;
  readonly #max: number;
  #byAddress = new Map<number, Peer>();
  #byName = new Map<string, Peer>();

  constructor(max: number = PEERS_DEFAULT) {
    assert(max >= 1 && max <= PEERS_MAX, "peer table: 1 to 65536 peers");
    this.#max = max;
  }

  get isFull(): boolean {
    return this.peers.length === this.#max;
  }

  /** Adds a peer to a table that has room: see {@link tryAdd}. */
  add(name: string | null, macHigh: number, macLow: number, isLocal: boolean): Peer {
    assert(!this.isFull, "peer table: it is full");
    const peer = new Peer(this.peers.length, name, macHigh, macLow, isLocal);
    this.peers.push(peer);
    this.#byAddress.set(macHigh * 2 ** 32 + (macLow >>> 0), peer);
    if (name !== null) this.#byName.set(name, peer);
    return peer;
  }

  /** Adds a remote peer; null when the table is full (counted). */
  tryAdd(name: string | null, macHigh: number, macLow: number): Peer | null {
    if (!this.isFull) return this.add(name, macHigh, macLow, false);
    this.refused++;
    return null;
  }

  /** Gives a peer another name, or none. Of several with one name that with the lowest index is found. */
  rename(peer: Peer, name: string | null): void {
    const old = peer.name;
    peer.name = name;
    for (const changed of [old, name]) {
      if (changed === null) continue;
      const first = this.peers.find((known) => known.name === changed);
      if (first === undefined) this.#byName.delete(changed);
      else this.#byName.set(changed, first);
    }
  }

  /** The peer with an index from the wire, undefined when there is none. */
  at(index: number): Peer | undefined {
    return this.peers[index];
  }

  byAddress(macHigh: number, macLow: number): Peer | undefined {
    return this.#byAddress.get(macHigh * 2 ** 32 + (macLow >>> 0));
  }

  /** The same by 48-bit address in one number. */
  byMac(mac: number): Peer | undefined {
    return this.#byAddress.get(mac);
  }

  byName(name: string): Peer | undefined {
    return this.#byName.get(name);
  }
}
