import type { Engine } from "../sim/engine.ts";
import { E2BIG, EAGAIN, EEXIST, EINVAL, ENOENT, ENOSPC } from "./errno.ts";

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

/** Never changed once it is in a tree: a changed node is a new one, so copies of a tree can share nodes. */
interface Node {
  readonly value: string;
  /** Stamp of the last change of its value or of its set of children. */
  readonly generation: number;
  readonly children: ReadonlySet<string>;
}

/** One version of the tree; a transaction works on a copy of it. */
class Tree {
  readonly nodes: Map<string, Node>;

  constructor(nodes: Iterable<[string, Node]>) {
    this.nodes = new Map(nodes);
  }

  perform(change: Change, generation: number): void {
    if (change.value === null) this.#remove(change.path, generation);
    else this.#write(change.path, change.value, generation);
  }

  #write(path: string, value: string, generation: number): void {
    const node = this.nodes.get(path);
    if (node !== undefined) {
      this.nodes.set(path, { ...node, value, generation });
      return;
    }
    const above = parentOf(path);
    if (!this.nodes.has(above)) this.#write(above, "", generation);
    const parent = this.nodes.get(above)!;
    this.nodes.set(above, { ...parent, generation, children: new Set(parent.children).add(nameOf(path)) });
    this.nodes.set(path, { value, generation, children: new Set() });
  }

  #remove(path: string, generation: number): void {
    for (const child of this.nodes.get(path)!.children) this.#remove(childOf(path, child), generation);
    this.nodes.delete(path);
    const above = parentOf(path);
    const parent = this.nodes.get(above)!;
    const children = new Set(parent.children);
    children.delete(nameOf(path));
    this.nodes.set(above, { ...parent, generation, children });
  }
}

interface Change {
  readonly path: string;
  /** Null when the node was removed. */
  readonly value: string | null;
}

interface Transaction {
  /** The store as it was when the transaction began, and as the transaction has made it. */
  readonly before: Tree;
  readonly tree: Tree;
  /** Paths that it has read or changed. */
  readonly seen: Set<string>;
  readonly changes: Change[];
}

/** Called when a node at or below the watched path changed: with the path that changed, and the watch's token. */
export type WatchCallback = (path: string, token: string) => void;

interface Watch {
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
  readonly #tree = new Tree([["/", { value: "", generation: 0, children: new Set() }]]);
  #generation = 0;
  readonly #watches: Watch[] = [];
  readonly #transactions = new Map<number, Transaction>();
  #lastTransaction = XBT_NIL;
  #pending: { watch: Watch; path: string }[] = [];

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

  /** Removes a node with everything below it. */
  remove(path: string, transaction = XBT_NIL): number {
    if (!isValidPath(path) || path === "/") return -EINVAL;
    if (this.#look(path, transaction) === undefined) return -ENOENT;
    return this.#change({ path, value: null }, transaction);
  }

  /** Opens a transaction: a private view of the store as it is now. Returns its id. */
  start(): number {
    if (this.#transactions.size >= XENSTORE_TRANSACTIONS_MAX) return -ENOSPC;
    const id = ++this.#lastTransaction;
    const before = new Tree(this.#tree.nodes);
    this.#transactions.set(id, { before, tree: new Tree(before.nodes), seen: new Set(), changes: [] });
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
      if (this.#tree.nodes.get(path)?.generation === transaction.before.nodes.get(path)?.generation) continue;
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
    if (this.#watches.some((watch) => watch.path === path && watch.token === token)) return -EEXIST;
    const watch = { path, token, callback };
    this.#watches.push(watch);
    this.#queue(watch, path);
    return 0;
  }

  unwatch(path: string, token: string): number {
    const at = this.#watches.findIndex((watch) => watch.path === path && watch.token === token);
    if (at < 0) return -ENOENT;
    const [watch] = this.#watches.splice(at, 1);
    this.#pending = this.#pending.filter((event) => event.watch !== watch);
    return 0;
  }

  /** Watches and transactions that are open, for leak checks. */
  get open(): { watches: number; transactions: number } {
    return { watches: this.#watches.length, transactions: this.#transactions.size };
  }

  #look(path: string, id: number): Node | undefined {
    if (id === XBT_NIL) return this.#tree.nodes.get(path);
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return undefined;
    transaction.seen.add(path);
    return transaction.tree.nodes.get(path);
  }

  #change(change: Change, id: number): number {
    if (id === XBT_NIL) {
      this.#apply(change);
      return 0;
    }
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return -ENOENT;
    transaction.seen.add(change.path);
    transaction.tree.perform(change, this.#generation);
    transaction.changes.push(change);
    return 0;
  }

  #apply(change: Change): void {
    this.#tree.perform(change, ++this.#generation);
    for (const watch of this.#watches) {
      if (isAtOrBelow(change.path, watch.path)) this.#queue(watch, change.path);
      else if (change.value === null && isAtOrBelow(watch.path, change.path)) this.#queue(watch, watch.path);
    }
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

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === 0 ? "/" : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function childOf(path: string, name: string): string {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

function isAtOrBelow(path: string, top: string): boolean {
  return path === top || top === "/" || path.startsWith(`${top}/`);
}
