import assert from "node:assert/strict";
import fc from "fast-check";
import { Engine } from "../../src/sim/engine.ts";
import { E2BIG, EAGAIN, EEXIST, EINVAL, ENOENT } from "../../src/xen/errno.ts";
import { domainPath, XenbusState, Xenstore } from "../../src/xen/xenstore.ts";

function store(): { engine: Engine; xs: Xenstore } {
  const engine = new Engine();
  return { engine, xs: new Xenstore(engine, "host") };
}

Deno.test("a tree of values: parents appear by themselves, and go with all below them", () => {
  const { xs } = store();
  const front = `${domainPath(1)}/device/omx/0`;
  assert.equal(xs.read(front), null);
  assert.equal(xs.write(`${front}/state`, String(XenbusState.Initialising)), 0);
  assert.equal(xs.write(`${front}/backend-id`, "0"), 0);
  assert.equal(xs.read(front), "");
  assert.deepEqual(xs.list(front), ["state", "backend-id"]);
  assert.deepEqual(xs.list("/"), ["local"]);
  assert.equal(xs.remove(domainPath(1)), 0);
  assert.equal(xs.read(`${front}/state`), null);
  assert.equal(xs.list(front), null);
  assert.deepEqual(xs.list("/local/domain"), []);
  assert.equal(xs.remove(front), -ENOENT);
  assert.equal(xs.remove(domainPath(7)), 0, "it could have been there, and is not");
});

Deno.test("what a client can get wrong is an error number", () => {
  const { xs } = store();
  for (const path of ["", "a", "/a//b", "/a/", "/a b", "/", `/${"x".repeat(4000)}`]) {
    assert.equal(xs.write(path, ""), -EINVAL, path);
  }
  assert.equal(xs.write("/a", "x".repeat(4097)), -E2BIG);
  assert.equal(xs.write("/a", "", 99), -ENOENT);
  assert.equal(xs.commit(99), -ENOENT);
  assert.equal(xs.abort(99), -ENOENT);
  assert.equal(xs.watch("/a", "t", () => {}), 0);
  assert.equal(xs.watch("/a", "t", () => {}), -EEXIST);
});

Deno.test("a transaction is seen by others all at once, or not at all", () => {
  const { xs } = store();
  const t = xs.start();
  xs.write("/dev/ring-ref", "8", t);
  xs.write("/dev/event-channel", "3", t);
  assert.equal(xs.read("/dev/ring-ref"), null);
  assert.equal(xs.read("/dev/ring-ref", t), "8");
  assert.deepEqual(xs.list("/dev", t), ["ring-ref", "event-channel"]);
  assert.equal(xs.commit(t), 0);
  assert.equal(xs.read("/dev/event-channel"), "3");
  const aborted = xs.start();
  xs.write("/dev/ring-ref", "9", aborted);
  assert.equal(xs.abort(aborted), 0);
  assert.equal(xs.read("/dev/ring-ref"), "8");
  assert.deepEqual(xs.open, { watches: 0, transactions: 0 });
});

Deno.test("a transaction that looked at what another one changed is tried again", () => {
  const { xs } = store();
  xs.write("/n", "1");
  xs.write("/m", "1");
  const first = xs.start();
  const second = xs.start();
  const third = xs.start();
  for (const t of [first, second]) xs.write("/n", String(Number(xs.read("/n", t)) + 1), t);
  xs.write("/m", "2", third);
  assert.equal(xs.commit(first), 0);
  assert.equal(xs.commit(second), -EAGAIN);
  assert.equal(xs.commit(third), 0, "it looked at nothing that changed");
  assert.equal(xs.read("/n"), "2");
  const absent = xs.start();
  assert.equal(xs.read("/new", absent), null);
  xs.write("/new", "somebody else");
  assert.equal(xs.commit(absent), -EAGAIN, "what was not there is there now");
  const listing = xs.start();
  xs.list("/", listing);
  xs.remove("/new");
  assert.equal(xs.commit(listing), -EAGAIN);
  assert.equal(xs.counters.conflicts, 3);
});

Deno.test("watches: once for registering, then for every change at or below, and when a parent goes", () => {
  const { engine, xs } = store();
  const seen: string[] = [];
  xs.watch("/a/b", "tok", (path, token) => seen.push(`${token} ${path}`));
  assert.deepEqual(seen, [], "from an event of its own");
  engine.run(0);
  assert.deepEqual(seen.splice(0), ["tok /a/b"]);
  xs.write("/a/b/c", "1");
  xs.write("/a/bc", "1");
  xs.write("/a/b", "1");
  const t = xs.start();
  xs.write("/a/b/d", "1", t);
  engine.run(1);
  assert.deepEqual(seen.splice(0), ["tok /a/b/c", "tok /a/b"]);
  xs.commit(t);
  xs.remove("/a");
  engine.run(2);
  assert.deepEqual(seen.splice(0), ["tok /a/b/d", "tok /a/b"]);
  assert.equal(engine.pending, 0);
});

Deno.test("two halves of a driver find each other through states", () => {
  const { engine, xs } = store();
  const log: string[] = [];
  const set = (path: string, state: number) => xs.write(path, String(state));
  xs.watch("/back/state", "front", () => {
    const state = Number(xs.read("/back/state") ?? XenbusState.Unknown);
    log.push(`back ${state}`);
    if (state === XenbusState.Initialised) set("/front/state", XenbusState.Initialised);
    if (state === XenbusState.Connected) set("/front/state", XenbusState.Connected);
  });
  xs.watch("/front/state", "back", () => {
    const state = Number(xs.read("/front/state") ?? XenbusState.Unknown);
    log.push(`front ${state}`);
    if (state === XenbusState.Initialised) set("/back/state", XenbusState.Connected);
  });
  set("/back/state", XenbusState.Initialised);
  engine.run(0);
  assert.equal(log.at(-1), "front 4");
});

Deno.test("any transactions that commit have the effect of running one after another", () => {
  // Each adds to counters that it reads first; retries are left out, so the sum is what committed.
  const step = fc.record({ client: fc.nat(2), what: fc.constantFrom("start", "add", "commit"), key: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const { xs } = store();
      const open: (number | null)[] = [null, null, null];
      const added = [0, 0, 0].map(() => [0, 0, 0]);
      const committed = [0, 0, 0];
      for (const { client, what, key } of steps) {
        const t = open[client];
        if (what === "start" && t === null) {
          open[client] = xs.start();
          added[client].fill(0);
        } else if (what === "add" && t !== null) {
          xs.write(`/n/${key}`, String(Number(xs.read(`/n/${key}`, t) ?? 0) + 1), t);
          added[client][key]++;
        } else if (what === "commit" && t !== null) {
          open[client] = null;
          if (xs.commit(t) === 0) added[client].forEach((count, i) => committed[i] += count);
        }
      }
      for (let key = 0; key < 3; key++) assert.equal(Number(xs.read(`/n/${key}`) ?? 0), committed[key]);
    }),
  );
});

Deno.test("a transaction sees the store as it was at its beginning, whatever others do meanwhile; watches fire in their order", () => {
  const paths = ["/a", "/a/b", "/a/b/c", "/a/d", "/e"];
  const step = fc.record({ who: fc.nat(2), what: fc.constantFrom("start", "end", "write", "remove"), at: fc.nat(4) });
  const watched = fc.shuffledSubarray(["/", ...paths]);
  fc.assert(
    fc.property(watched, fc.array(step, { maxLength: 60, size: "max" }), (watched, steps) => {
      const { engine, xs } = store();
      const fired: string[] = [];
      for (const path of watched) xs.watch(path, path, (changed, token) => fired.push(`${token} ${changed}`));
      engine.run(0);
      fired.length = 0;
      // Client 0 works without a transaction. The model has a whole copy of the store for each.
      const ids = [0, 0, 0];
      const models = [0, 0, 0].map(() => new Map<string, string>());
      for (const [n, { who, what, at }] of steps.entries()) {
        const model = models[who];
        const path = paths[at];
        if (what === "start" && who > 0 && ids[who] === 0) {
          ids[who] = xs.start();
          models[who] = new Map(models[0]);
        } else if (what === "end" && ids[who] > 0) {
          xs.abort(ids[who]);
          ids[who] = 0;
        } else if (who === 0 || ids[who] > 0) {
          const existed = model.has(path);
          if (what === "write") {
            xs.write(path, String(n), ids[who]);
            for (const above of ["/a", "/a/b"]) {
              if (path.startsWith(`${above}/`) && !model.has(above)) model.set(above, "");
            }
            model.set(path, String(n));
          } else if (what === "remove") {
            xs.remove(path, ids[who]);
            for (const below of [...model.keys()]) if (`${below}/`.startsWith(`${path}/`)) model.delete(below);
          }
          engine.run(n);
          const expected = watched.flatMap((watch) => {
            if (who > 0 || (what !== "write" && !(what === "remove" && existed))) return [];
            if (watch === "/" || `${path}/`.startsWith(`${watch}/`)) return [`${watch} ${path}`];
            return what === "remove" && watch.startsWith(`${path}/`) ? [`${watch} ${watch}`] : [];
          });
          assert.deepEqual(fired.splice(0), expected);
        }
        for (const [client, id] of ids.entries()) {
          if (client > 0 && id === 0) continue;
          for (const path of paths) assert.equal(xs.read(path, id), models[client].get(path) ?? null);
        }
      }
    }),
  );
});
