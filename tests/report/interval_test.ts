import assert from "node:assert/strict";
import fc from "fast-check";
import { cutAt, type Interval, stretchOf } from "../../src/report/interval.ts";

/** A message: when it was complete, picoseconds, and its latency, nanoseconds. */
type Delivery = readonly [atPs: number, ns: number];

const deliveries = fc.array(fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 20 })), {
  maxLength: 60,
});
const ends = fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { maxLength: 12 });

/** Bytes that are there of messages under way. */
const underWay = (ps: number) => 7 * (ps % 50);

/** What a run with these messages did between looks at `ends`, from 0 to 1000. */
function intervalsOf(messages: readonly Delivery[], at: readonly number[]): Interval[] {
  const bounds = [0, ...[...at].sort((a, b) => a - b), 1000];
  return bounds.slice(1).map((toPs, i) => {
    const fromPs = bounds[i];
    const mine = messages.filter(([ps]) => ps > fromPs && ps <= toPs);
    const counts = new Map<number, number>();
    for (const [, ns] of mine) counts.set(ns, (counts.get(ns) ?? 0) + 1);
    return {
      fromPs,
      toPs,
      events: toPs,
      inputs: 0,
      said: 0,
      completed: messages.filter(([ps]) => ps <= toPs).length,
      messages: mine.length,
      bytes: 100 * mine.length,
      arrived: underWay(toPs) - underWay(fromPs),
      retransmits: mine.filter(([, ns]) => ns > 15).length,
      hostCpuPs: 3 * (toPs - fromPs),
      guestCpuPs: 0.5 * (toPs - fromPs),
      latencies: [...counts].sort(([a], [b]) => a - b).flat(),
    };
  });
}

/** The slow and obvious way: sort and count. */
function expected(messages: readonly Delivery[], from: number, to: number) {
  const mine = messages.filter(([ps]) => ps > from && ps <= to).map(([, ns]) => ns).sort((a, b) => a - b);
  const percentile = (p: number) => mine.length === 0 ? null : mine[Math.ceil(mine.length * p / 100) - 1] / 1000;
  return {
    fromPs: from,
    toPs: to,
    messages: mine.length,
    retransmits: mine.filter((ns) => ns > 15).length,
    throughput_MBps: (Math.max(0, 100 * mine.length + underWay(to) - underWay(from)) / (to - from)) * 1e6,
    p50_us: percentile(50),
    p99_us: percentile(99),
    hostCpus: 3,
    guestCpus: 0.5,
  };
}

Deno.test("a stretch has the figures of all messages between its ends, percentiles included", () => {
  fc.assert(fc.property(deliveries, ends, fc.nat(), fc.nat(), (messages, at, a, b) => {
    const intervals = intervalsOf(messages, at);
    const bounds = [0, ...intervals.map(({ toPs }) => toPs)];
    const [from, to] = [bounds[a % bounds.length], bounds[b % bounds.length]];
    assert.deepEqual(stretchOf(intervals, from, to), from < to ? expected(messages, from, to) : null);
  }));
});

Deno.test("a stretch that does not begin and end at a look is not known", () => {
  const intervals = intervalsOf([[5, 1]], [100, 200]);
  assert.equal(stretchOf(intervals, 50, 200), null);
  assert.equal(stretchOf(intervals, 100, 150), null);
  assert.equal(stretchOf([], 0, 1000), null);
});

Deno.test("an interval is cut where another turn was looked at, as if it had been looked at there too", () => {
  fc.assert(fc.property(deliveries, ends, ends, fc.integer({ min: 1, max: 999 }), (messages, at, others, cut) => {
    const intervals = intervalsOf(messages, at);
    // A view that comes back begins at a look of the one before, and ends an interval at the cut.
    const start = Math.max(0, ...at.filter((ps) => ps < cut));
    const other = intervalsOf(messages, [...new Set([...others, start, cut].filter((ps) => ps > 0))]);
    assert.deepEqual(cutAt(intervals, cut, other), intervalsOf(messages, [...new Set([...at, cut])]));
  }));
});

Deno.test("an interval that the other turn does not know is left whole", () => {
  const intervals = intervalsOf([[5, 1], [150, 2]], [100, 200]);
  assert.equal(cutAt(intervals, 150, intervalsOf([[5, 1]], [300])), intervals);
  assert.equal(cutAt(intervals, 100, intervals), intervals);
});
