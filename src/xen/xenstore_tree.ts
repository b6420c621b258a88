/* The nodes of the store as a tree, and what a transaction sees of it. */

/** Never changed: a changed node is a new one, so what a transaction still sees can be kept. */
export interface Node {
  readonly value: string;
  /** Stamp of the last change of its value or of its set of children. */
  readonly generation: number;
  readonly children: ReadonlySet<string>;
}

export const CHILDLESS: ReadonlySet<string> = new Set();

/** What changes are made to: the store itself, or what a transaction makes of it. */
export interface Tree {
  get(path: string): Node | undefined;
  /** Undefined takes the node away. */
  put(path: string, node: Node | undefined): void;
}

/** Makes a change with the stamp `generation`: what is missing above a written node too; a removed one takes all below. */
export function perform(tree: Tree, change: Change, generation: number): void {
  if (change.value === null) removeNode(tree, change.path, generation);
  else writeNode(tree, change.path, change.value, generation);
}

function writeNode(tree: Tree, path: string, value: string, generation: number): void {
  const node = tree.get(path);
  if (node !== undefined) {
    tree.put(path, { value, generation, children: node.children });
    return;
  }
  const above = parentOf(path);
  if (tree.get(above) === undefined) writeNode(tree, above, "", generation);
  const parent = tree.get(above)!;
  const children = new Set(parent.children).add(nameOf(path));
  tree.put(above, { value: parent.value, generation, children });
  tree.put(path, { value, generation, children: CHILDLESS });
}

function removeNode(tree: Tree, path: string, generation: number): void {
  for (const child of tree.get(path)!.children) removeNode(tree, childOf(path, child), generation);
  tree.put(path, undefined);
  const above = parentOf(path);
  const parent = tree.get(above)!;
  const children = new Set(parent.children);
  children.delete(nameOf(path));
  tree.put(above, { value: parent.value, generation, children });
}

/** Of one node, as whoever makes it says it. */
export interface Change {
  readonly path: string;
  /** Null when the node was removed. */
  readonly value: string | null;
}

/** A private view of the store as it was at the beginning. Only what has changed since, on either side, is kept. */
export class Transaction implements Tree {
  readonly #store: ReadonlyMap<string, Node>;
  /** Nodes that others have changed since, as they were at the beginning. */
  readonly #before = new Map<string, Node | undefined>();
  /** Nodes as the transaction has made them. */
  readonly #own = new Map<string, Node | undefined>();
  /** Paths that it has read or changed. */
  readonly seen = new Set<string>();
  readonly changes: Change[] = [];

  constructor(store: ReadonlyMap<string, Node>) {
    this.#store = store;
  }

  /** Somebody else is about to change a node. */
  keep(path: string, node: Node | undefined): void {
    if (!this.#before.has(path)) this.#before.set(path, node);
  }

  /** A node at the beginning. */
  before(path: string): Node | undefined {
    return this.#before.has(path) ? this.#before.get(path) : this.#store.get(path);
  }

  get(path: string): Node | undefined {
    return this.#own.has(path) ? this.#own.get(path) : this.before(path);
  }

  put(path: string, node: Node | undefined): void {
    this.#own.set(path, node);
  }
}

/** The path above; of the root, the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === 0 ? "/" : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function childOf(path: string, name: string): string {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

/** Whether a path is `top` or below it. */
export function isAtOrBelow(path: string, top: string): boolean {
  return path === top || top === "/" || path.startsWith(`${top}/`);
}
