import assert from "node:assert/strict";
import { CHILDLESS, isAtOrBelow, type Node, parentOf, perform, Transaction } from "../../src/xen/xenstore_tree.ts";

/** A store of nodes that tells its transactions what is about to change, as the store does. */
function store() {
  const nodes = new Map<string, Node>([["/", { value: "", generation: 0, children: CHILDLESS }]]);
  const open: Transaction[] = [];
  let generation = 0;
  const put = (path: string, node: Node | undefined) => {
    for (const transaction of open) transaction.keep(path, nodes.get(path));
    if (node === undefined) nodes.delete(path);
    else nodes.set(path, node);
  };
  const tree = { get: (path: string) => nodes.get(path), put };
  return {
    paths: () => [...nodes.keys()].sort(),
    set: (path: string, value: string | null) => perform(tree, { path, value }, ++generation),
    begin: () => {
      const transaction = new Transaction(nodes);
      open.push(transaction);
      return transaction;
    },
  };
}

Deno.test("a written node has nodes above it, a removed one takes those below; parents know their children", () => {
  const { set, paths, begin } = store();
  set("/a/b/c", "1");
  set("/a/b/d", "2");
  assert.deepEqual(paths(), ["/", "/a", "/a/b", "/a/b/c", "/a/b/d"]);
  assert.deepEqual([...begin().get("/a/b")!.children], ["c", "d"]);
  set("/a/b", null);
  assert.deepEqual(paths(), ["/", "/a"]);
  assert.deepEqual([...begin().get("/a")!.children], []);
});

Deno.test("a transaction sees the store as it was, and its own changes alone", () => {
  const { set, paths, begin } = store();
  set("/a", "old");
  set("/gone", "here");
  const transaction = begin();
  set("/a", "new");
  set("/gone", null);
  set("/later", "1");
  const seen = ["/a", "/gone", "/later"].map((path) => transaction.get(path)?.value);
  assert.deepEqual(seen, ["old", "here", undefined]);
  assert.deepEqual([...transaction.get("/")!.children], ["a", "gone"]);
  perform(transaction, { path: "/a", value: "mine" }, 9);
  perform(transaction, { path: "/gone", value: null }, 9);
  assert.deepEqual([transaction.get("/a")!.value, transaction.get("/gone")], ["mine", undefined]);
  assert.deepEqual([transaction.before("/a")!.value, transaction.before("/gone")!.value], ["old", "here"]);
  assert.deepEqual([paths(), begin().get("/a")!.value], [["/", "/a", "/later"], "new"]);
});

Deno.test("paths: above, and below at whole components only", () => {
  assert.deepEqual(["/", "/a", "/a/b"].map(parentOf), ["/", "/", "/a"]);
  const below = [["/a", "/a"], ["/a/b", "/a"], ["/ab", "/a"], ["/a", "/a/b"], ["/x", "/"]];
  assert.deepEqual(below.map(([path, top]) => isAtOrBelow(path, top)), [true, true, false, false, true]);
});
