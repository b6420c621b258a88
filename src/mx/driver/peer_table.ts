/** Unknown index, as it stands on the wire. */
export const PEER_UNKNOWN = 0xffff;

/** A host that this driver knows, itself included (omx_peer.c:228-300). */
export class Peer {
  readonly index: number;
  readonly name: string;
  readonly macHigh: number;
  readonly macLow: number;
  readonly isLocal: boolean;
  /** The index that this peer uses for us: stamped into every frame to it. Learnt from its CONNECT and HOST frames. */
  reverse: number = PEER_UNKNOWN;

  constructor(index: number, name: string, macHigh: number, macLow: number, isLocal: boolean) {
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
  #byAddress = new Map<number, Peer>();
  #byName = new Map<string, Peer>();

  add(name: string, macHigh: number, macLow: number, isLocal: boolean): Peer {
    const peer = new Peer(this.peers.length, name, macHigh, macLow, isLocal);
    this.peers.push(peer);
    this.#byAddress.set(macHigh * 2 ** 32 + (macLow >>> 0), peer);
    this.#byName.set(name, peer);
    return peer;
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
