import assert from "node:assert/strict";
import { WORK_COUNTS, workBetween, type WorkCounts, workCounts } from "../../bench/cluster/work_counts.ts";
import { PATHS } from "../../src/path/registry.ts";
import { run } from "../support/scenario.ts";

/*
 * Work per message on every path, counted, against a table that a person can read: work_per_message.txt. It is exact,
 * and the same on every machine: what a run of some messages more has counted at its end, for each of these. After a
 * change that is meant to change the work:
 *
 *   deno test -A --no-check tests/bench/work_counts_test.ts -- --update
 */

const GOLDEN = new URL("work_per_message.txt", import.meta.url);
const UPDATE = Deno.args.includes("--update");

interface Traffic {
  readonly title: string;
  readonly workload: (messages: number) => { readonly kind: string } & Record<string, unknown>;
  /** Messages of the shorter run, and those that the longer one has beyond: so many that two decimals are exact. */
  readonly first: number;
  readonly more: number;
}

const TRAFFIC: readonly Traffic[] = [
  {
    title: "ping-pong of 16 B",
    workload: (messages) => ({ kind: "pingpong", sizes: ["16 B"], warmup_iterations: 0, iterations: messages / 2 }),
    first: 100,
    more: 100,
  },
  {
    title: "stream of 1 MiB, 4 outstanding",
    workload: (messages) => ({ kind: "stream", size: "1 MiB", outstanding: 4, messages }),
    first: 6,
    more: 5,
  },
];

/** What a run of so many messages between two guests on two hosts has counted when both have ended. */
function countWork(path: string, mtu: number, { workload }: Traffic, messages: number): WorkCounts {
  const session = run({ path, mtu, workload: workload(messages) });
  assert.deepEqual([session.finished, session.messages], [true, messages]);
  const counts = workCounts(session.cluster);
  session.release();
  return counts;
}

function table(): string {
  const names = Object.keys(WORK_COUNTS) as (keyof WorkCounts)[];
  const lines = ["Counted work per message, by path and MTU: two guests on two hosts.", ""];
  for (const name of names) lines.push(`${name.padEnd(13)}${WORK_COUNTS[name]}`);
  for (const traffic of TRAFFIC) {
    lines.push("", `${traffic.title}; mean of ${traffic.more} messages`, "");
    lines.push(["path".padEnd(13), "mtu ", ...names.map((name) => name.padStart(width(name)))].join(" "));
    for (const mtu of [1500, 9000]) {
      for (const { name: path } of PATHS) {
        const [less, all] = [0, traffic.more].map((more) => countWork(path, mtu, traffic, traffic.first + more));
        const counts = workBetween(less, all);
        const cells = names.map((name) => (counts[name] / traffic.more).toFixed(2).padStart(width(name)));
        lines.push([path.padEnd(13), mtu, ...cells].join(" "));
      }
    }
  }
  return lines.join("\n") + "\n";
}

const width = (name: string) => name.endsWith("opied") ? 10 : Math.max(8, name.length);

Deno.test("work per message is what it was, count by count", () => {
  const found = table();
  if (UPDATE) Deno.writeTextFileSync(GOLDEN, found);
  else assert.equal(found, Deno.readTextFileSync(GOLDEN), "meant to change? renew it: see this file");
});
