import type { Engine } from "../sim/engine.ts";
import { E2BIG, EAGAIN, EEXIST, EINVAL, ENOENT, ENOSPC } from "./errno.ts";
import {
  type Change,
  CHILDLESS,
  isAtOrBelow,
  type Node,
  parentOf,
  perform,
  Transaction,
  type Tree,
} from "./xenstore_tree.ts";

/** State of one half of a split driver, as its `state` node holds it in decimal (io/xenbus.h). */
export const XenbusState = {
  Unknown: 0,
  Initialising: 1,
  InitWait: 2,
  Initialised: 3,
  Connected: 4,
  Closing: 5,
  Closed: 6,
  Reconfiguring: 7,
  Reconfigured: 8,
} as const;
export type XenbusState = typeof XenbusState[keyof typeof XenbusState];

/** No transaction: the operation takes effect at once (XBT_NIL). */
export const XBT_NIL = 0;
/** Longest value, bytes (io/xs_wire.h). */
export const XENSTORE_PAYLOAD_MAX = 4096;
/** Longest absolute path (io/xs_wire.h). */
export const XENSTORE_ABS_PATH_MAX = 3072;
/** Transactions that may be open at a time; xenstored allows 10 for each guest. */
export const XENSTORE_TRANSACTIONS_MAX = 1024;

/** The home of a domain's nodes. */
export function domainPath(domid: number): string {
  return `/local/domain/${domid}`;
}

/** Called when a node at or below the watched path changed: with the path that changed, and the watch's token. */
export type WatchCallback = (path: string, token: string) => void;

interface Watch {
  /** Counts registrations: watches fire in their order. */
  readonly number: number;
  readonly path: string;
  readonly token: string;
  readonly callback: WatchCallback;
}

/**
 * The store through which domains find each other while they set devices up. Control plane: operations cost no CPU and
 * permissions are not modelled; watches fire from an event of their own, in the order of the changes. Operations answer
 * 0, or an error number negated.
 */
export class Xenstore {
  readonly #engine: Engine;
  readonly #fireHandler: number;
  readonly #nodes = new Map<string, Node>([["/", { value: "", generation: 0, children: CHILDLESS }]]);
  readonly #tree: Tree = {
    get: (path) => this.#nodes.get(path),
    put: (path, node) => this.#put(path, node),
  };
  #generation = 0;
  /** By path, each in the order of registration. */
  readonly #watches = new Map<string, Watch[]>();
  #registered = 0;
  readonly #transactions = new Map<number, Transaction>();
  #lastTransaction = XBT_NIL;
  readonly #pending: { watch: Watch; path: string }[] = [];

  /** What happened, for reports. */
  readonly counters = { reads: 0, writes: 0, commits: 0, conflicts: 0, watchEvents: 0 };

  constructor(engine: Engine, name: string) {
    this.#engine = engine;
    this.#fireHandler = engine.handler(`${name} xenstore watches`, () => this.#fire());
  }

  /** A node's value; null when it does not exist. */
  read(path: string, transaction = XBT_NIL): string | null {
    this.counters.reads++;
    return this.#look(path, transaction)?.value ?? null;
  }

  /** Names of a node's children, in the order of their creation; null when it does not exist. */
  list(path: string, transaction = XBT_NIL): string[] | null {
    const node = this.#look(path, transaction);
    return node === undefined ? null : [...node.children];
  }

  /** Writes a node and creates what is missing above it. */
  write(path: string, value: string, transaction = XBT_NIL): number {
    if (!isValidPath(path) || path === "/") return -EINVAL;
    if (value.length > XENSTORE_PAYLOAD_MAX) return -E2BIG;
    this.counters.writes++;
    return this.#change({ path, value }, transaction);
  }

  /** Removes a node with everything below it. One that is not there is no error where there could be one (do_rm). */
  remove(path: string, transaction = XBT_NIL): number {
    if (!isValidPath(path) || path === "/") return -EINVAL;
    if (this.#look(path, transaction) === undefined) {
      return this.#look(parentOf(path), transaction) === undefined ? -ENOENT : 0;
    }
    return this.#change({ path, value: null }, transaction);
  }

  /** Opens a transaction: a private view of the store as it is now. Returns its id. */
  start(): number {
    if (this.#transactions.size >= XENSTORE_TRANSACTIONS_MAX) return -ENOSPC;
    const id = ++this.#lastTransaction;
    this.#transactions.set(id, new Transaction(this.#nodes));
    return id;
  }

  /**
   * Ends a transaction. -EAGAIN when a node that it read or changed was changed by somebody else since it began: nothing
   * of it has happened then, and the caller starts over.
   */
  commit(id: number): number {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return -ENOENT;
    this.#transactions.delete(id);
    for (const path of transaction.seen) {
      if (this.#nodes.get(path)?.generation === transaction.before(path)?.generation) continue;
      this.counters.conflicts++;
      return -EAGAIN;
    }
    this.counters.commits++;
    for (const change of transaction.changes) this.#apply(change);
    return 0;
  }

  /** Ends a transaction without any effect. */
  abort(id: number): number {
    return this.#transactions.delete(id) ? 0 : -ENOENT;
  }

  /** Watches a path and all below it. The watch fires once for its registration, whether the path exists or not. */
  watch(path: string, token: string, callback: WatchCallback): number {
    if (!isValidPath(path)) return -EINVAL;
    const here = this.#watches.get(path) ?? [];
    if (here.some((watch) => watch.token === token)) return -EEXIST;
    const watch = { number: this.#registered++, path, token, callback };
    here.push(watch);
    this.#watches.set(path, here);
    this.#queue(watch, path);
    return 0;
  }

  /** Watches and transactions that are open, for leak checks. */
  get open(): { watches: number; transactions: number } {
    const watches = [...this.#watches.values()].reduce((sum, { length }) => sum + length, 0);
    return { watches, transactions: this.#transactions.size };
  }

  #look(path: string, id: number): Node | undefined {
    if (id === XBT_NIL) return this.#nodes.get(path);
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return undefined;
    transaction.seen.add(path);
    return transaction.get(path);
  }

  #change(change: Change, id: number): number {
    if (id === XBT_NIL) {
      this.#apply(change);
      return 0;
    }
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return -ENOENT;
    transaction.seen.add(change.path);
    perform(transaction, change, this.#generation);
    transaction.changes.push(change);
    return 0;
  }

  #apply(change: Change): void {
    const { path } = change;
    perform(this.#tree, change, ++this.#generation);
    const concerned: Watch[] = [];
    for (let top = path; top !== "/"; top = parentOf(top)) concerned.push(...this.#watches.get(top) ?? []);
    concerned.push(...this.#watches.get("/") ?? []);
    if (change.value === null) {
      // Those of nodes that went with it.
      for (const [below, watches] of this.#watches) {
        if (below !== path && isAtOrBelow(below, path)) concerned.push(...watches);
      }
    }
    concerned.sort((a, b) => a.number - b.number);
    for (const watch of concerned) this.#queue(watch, isAtOrBelow(path, watch.path) ? path : watch.path);
  }

  #put(path: string, node: Node | undefined): void {
    for (const transaction of this.#transactions.values()) transaction.keep(path, this.#nodes.get(path));
    if (node === undefined) this.#nodes.delete(path);
    else this.#nodes.set(path, node);
  }

  #queue(watch: Watch, path: string): void {
    if (this.#pending.length === 0) this.#engine.after(0, this.#fireHandler);
    this.#pending.push({ watch, path });
  }

  /** Fires one watch event; callbacks may change the store, which queues further ones behind. */
  #fire(): void {
    const event = this.#pending.shift();
    if (event === undefined) return; // its watch was taken back
    if (this.#pending.length > 0) this.#engine.after(0, this.#fireHandler);
    this.counters.watchEvents++;
    event.watch.callback(event.path, event.watch.token);
  }
}

/** Absolute, of plain characters, without an empty component (io/xs_wire.h). */
function isValidPath(path: string): boolean {
  return path.length <= XENSTORE_ABS_PATH_MAX && (path === "/" || /^(\/[A-Za-z0-9_@:.-]+)+$/.test(path));
}
