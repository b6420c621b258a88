import { assert } from "../../base/assert.ts";
import { SparseList } from "../../base/sparse_list.ts";

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

/** What a mapper tells every board of a network: their names, no two alike, and addresses. One for all their tables. */
export class PeersFile {
  readonly boards: readonly { readonly hostname: string; readonly macHigh: number; readonly macLow: number }[];
  readonly byName = new Map<string, number>();
  readonly byAddress = new Map<number, number>();

  constructor(boards: PeersFile["boards"]) {
    this.boards = boards;
    for (const [i, { hostname, macHigh, macLow }] of boards.entries()) {
      this.byName.set(hostname, i);
      this.byAddress.set(macHigh * 2 ** 32 + (macLow >>> 0), i);
    }
    assert(this.byName.size === boards.length, "peers file: a name for each board");
  }
}

/**
 * The driver's peers by index, by address and by name. Look-ups are O(1). Those that a {@link PeersFile} has told of are
 * made when they are first asked for: where thousands of boards know each other, hardly one is.
 */
export class PeerTable {
  readonly #peers = new SparseList<Peer>();
  #size = 0;
  #file: PeersFile | null = null;
  /** The owner's line of the file. */
  #own = 0;
  /** Peers that found the table full. */
  refused = 0;
  readonly max: number;
  #byAddress = new Map<number, Peer>();
  #byName = new Map<string, Peer>();

  constructor(max: number = PEERS_DEFAULT) {
    assert(max >= 1 && max <= PEERS_MAX, "peer table: 1 to 65536 peers");
    this.max = max;
  }

  get isFull(): boolean {
    return this.size === this.max;
  }

  get size(): number {
    return this.#size;
  }

  /** All of them by index. */
  get peers(): readonly Peer[] {
    this.#makeAll();
    return Array.from({ length: this.#size }, (_, index) => this.#peers.at(index)!);
  }

  /** Adds all of a file but the table's owner, in its order; only to a table that has nobody else, and room for them. */
  addFile(file: PeersFile): void {
    const own = file.byAddress.get(this.#peers.at(0)!.mac);
    assert(own !== undefined && this.size === 1 && file.boards.length <= this.max, "peer table: a file for this board");
    this.#file = file;
    this.#own = own;
    this.#size = file.boards.length;
  }

  /** Adds a peer to a table that has room: see {@link tryAdd}. */
  add(name: string | null, macHigh: number, macLow: number, isLocal: boolean): Peer {
    assert(!this.isFull, "peer table: it is full");
    const peer = new Peer(this.size, name, macHigh, macLow, isLocal);
    this.#peers.set(this.#size++, peer);
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
    this.#makeAll();
    const old = peer.name;
    peer.name = name;
    for (const changed of [old, name]) {
      if (changed === null) continue;
      const first = this.#firstCalled(changed);
      if (first === undefined) this.#byName.delete(changed);
      else this.#byName.set(changed, first);
    }
  }

  #firstCalled(name: string): Peer | undefined {
    for (let index = 0; index < this.size; index++) {
      const peer = this.#peers.at(index);
      if (peer?.name === name) return peer;
    }
    return undefined;
  }

  /** The peer with an index from the wire, undefined when there is none. */
  at(index: number): Peer | undefined {
    const peer = this.#peers.at(index);
    return peer === undefined && this.#file !== null && index < this.size ? this.#make(index) : peer;
  }

  byAddress(macHigh: number, macLow: number): Peer | undefined {
    return this.byMac(macHigh * 2 ** 32 + (macLow >>> 0));
  }

  /** The same by 48-bit address in one number. */
  byMac(mac: number): Peer | undefined {
    return this.#byAddress.get(mac) ?? this.#inFile(this.#file?.byAddress.get(mac));
  }

  byName(name: string): Peer | undefined {
    return this.#byName.get(name) ?? this.#inFile(this.#file?.byName.get(name));
  }

  /** The peer that a line of the file tells of. The owner is the first of its table. */
  #inFile(line: number | undefined): Peer | undefined {
    if (line === undefined) return undefined;
    return this.at(line === this.#own ? 0 : line < this.#own ? line + 1 : line);
  }

  #make(index: number): Peer {
    const { hostname, macHigh, macLow } = this.#file!.boards[index <= this.#own ? index - 1 : index];
    const peer = new Peer(index, hostname, macHigh, macLow, false);
    this.#peers.set(index, peer);
    this.#byAddress.set(peer.mac, peer);
    this.#byName.set(hostname, peer);
    return peer;
  }

  #makeAll(): void {
    if (this.#file === null) return;
    for (let index = 0; index < this.size; index++) this.at(index);
    this.#file = null;
  }
}
