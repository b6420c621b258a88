import assert from "node:assert/strict";
import { boardFigures, countersText, overrunsOf } from "../../src/report/boards.ts";
import { COUNTER_LABELS } from "../../src/mx/driver/counters.ts";
import { FORMATS } from "../../src/report/formats.ts";
import { PATHS } from "../../src/path/registry.ts";
import { run } from "../support/scenario.ts";
import { sample } from "./sample.ts";

Deno.test("every path shows its boards with what their drivers counted: frames and counters agree", () => {
  for (const { name: path } of PATHS) {
    const session = run({ path, workload: { kind: "stream", size: "20000 B", messages: 4, outstanding: 2 } });
    const boards = session.cluster.hosts.flatMap(boardFigures);
    assert.equal(boards.length, 2, `${path}: a board for each of two hosts, or two guests`);
    const [sender, receiver] = boards;
    for (const { name, mac, peers, counters } of boards) {
      assert.match(mac, /^02:4d(:[0-9a-f]{2}){4}$/);
      assert.equal(peers, 2, name);
      assert.ok(Object.values(counters).every((value) => value > 0));
      assert.ok(Object.keys(counters).every((label) => (COUNTER_LABELS as readonly string[]).includes(label)));
    }
    // 20000 bytes are three fragments.
    assert.equal(sender.counters["send mediumsq frag"], 12, path);
    assert.equal(receiver.counters["recv medium frag"], 12, path);
    const sent = (of: typeof sender) =>
      Object.entries(of.counters).reduce((sum, [label, value]) => sum + (label.startsWith("send ") ? value : 0), 0);
    const [link] = session.cluster.links;
    assert.equal(sent(sender) + sent(receiver), link.directions.reduce((sum, { frames }) => sum + frames, 0), path);
  }
});

Deno.test("the text is that of omx_counters: number, value, label, and only what is not 0", () => {
  assert.equal(
    countersText(sample()),
    [
      "board a on host a   02:4d:58:00:00:01   2 peers",
      "000:      60001 send tiny",
      "016:      60000 recv tiny",
      "",
    ].join("\n"),
  );
});

Deno.test("packets that found an event queue full are summed over all boards, and in the forms that people read", async () => {
  const good = sample();
  assert.equal(overrunsOf(good), 0);
  const [host] = good.hosts;
  const boards = [7, 2].map((count) => ({ ...host.boards[0], counters: { "unexpected event queue full": count } }));
  const full = { ...good, hosts: [{ ...host, boards }, ...good.hosts.slice(1)] };
  assert.equal(overrunsOf(full), 9);
  const said = { table: / event queues full 9 /, markdown: /\| event queues full \| 9 \|/, html: /event queues full/ };
  for (const [form, wanted] of Object.entries(said)) {
    const render = await FORMATS[form]();
    assert.match(render(full), wanted);
    assert.doesNotMatch(render(good), /event queues full/);
  }
});
