import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { CreditAccounts } from "../../src/xen/credit_account.ts";
import { PRI_TS_BOOST, PRI_TS_OVER, PRI_TS_UNDER, RunQueues } from "../../src/xen/run_queue.ts";

function accounts(...weights: number[]): CreditAccounts {
  const result = new CreditAccounts();
  for (const weight of weights) result.add(weight);
  for (let vcpu = 0; vcpu < weights.length; vcpu++) result.tick(vcpu, 0);
  return result;
}

function credits(of: CreditAccounts, count: number): number[] {
  return Array.from({ length: count }, (_, vcpu) => of.credits(vcpu));
}

Deno.test("ten credits a millisecond: what runs pays, and 300 for each CPU are shared by weight", () => {
  const a = accounts(256, 512);
  a.burn(0, 10 * MS);
  assert.deepEqual(credits(a, 2), [-100, 0]);
  a.account(1, new RunQueues(1));
  assert.deepEqual(credits(a, 2), [0, 200]);
  a.burn(0, 30 * MS);
  a.account(1, new RunQueues(1));
  assert.deepEqual(credits(a, 2), [-100, 200], "its credits are halved");
  assert.deepEqual([a.priority(0), a.priority(1)], [PRI_TS_OVER, PRI_TS_UNDER]);
  assert.equal(a.active, 1, "the second used nothing and stopped earning");
});

Deno.test("nobody earns more than a CPU's worth; the rest goes to those after it", () => {
  const a = accounts(1000, 100, 100);
  a.account(2, new RunQueues(2));
  assert.deepEqual(credits(a, 3), [300, 150, 150]);
});

Deno.test("what is above a CPU's worth reaches those before it too, an accounting later", () => {
  const a = accounts(100, 100, 1000);
  a.account(2, new RunQueues(2));
  assert.deepEqual(credits(a, 3), [50, 50, 300]);
  a.account(2, new RunQueues(2));
  assert.deepEqual(credits(a, 3), [200, 200, 300], "600 of the last one are halved");
});

Deno.test("debt ends at one period, and can be earned back faster while all are in debt", () => {
  const a = accounts(256);
  a.burn(0, 500 * MS);
  a.account(2, new RunQueues(2));
  assert.deepEqual(credits(a, 1), [-300]);
  a.account(2, new RunQueues(2));
  assert.deepEqual(credits(a, 1), [300]);
});

Deno.test("what all owe together is shared out on top, so that they do not stay in debt", () => {
  const a = accounts(256, 256);
  for (const vcpu of [0, 1]) a.burn(vcpu, 500 * MS);
  a.account(1, new RunQueues(1));
  assert.deepEqual(credits(a, 2), [-300, -300]);
  a.account(1, new RunQueues(1));
  assert.deepEqual(credits(a, 2), [150, 150]);
  assert.deepEqual([a.priority(0), a.priority(1)], [PRI_TS_UNDER, PRI_TS_UNDER]);
});

Deno.test("whose priority an accounting changes keeps its place among those that wait", () => {
  const a = accounts(256, 256, 256, 256);
  const queues = new RunQueues(1);
  for (const vcpu of [0, 1, 2, 3]) a.burn(vcpu, 100 * MS);
  a.account(1, queues);
  for (const vcpu of [3, 1, 2]) queues.insert(vcpu, 0, a.priority(vcpu));
  assert.equal(a.priority(3), PRI_TS_OVER);
  a.account(1, queues);
  const order: number[] = [];
  for (let vcpu = queues.top(0); vcpu >= 0; vcpu = queues.top(0)) {
    order.push(vcpu);
    queues.remove(vcpu);
    assert.equal(a.priority(vcpu), PRI_TS_UNDER);
  }
  assert.deepEqual(order, [3, 1, 2], "first come, first served");
});

Deno.test("a boost is for those with credits, and ends at a tick or an accounting", () => {
  const a = accounts(256, 256);
  assert.equal(a.boost(0), true);
  assert.equal(a.boost(0), false);
  a.tick(0, 0);
  assert.equal(a.priority(0), PRI_TS_UNDER);
  a.boost(0);
  assert.equal(a.priority(0), PRI_TS_BOOST);
  const queues = new RunQueues(1);
  queues.insert(1, 0, PRI_TS_UNDER);
  queues.insert(0, 0, PRI_TS_BOOST);
  assert.equal(queues.top(0), 0);
  a.account(1, queues);
  assert.equal(a.priority(0), PRI_TS_UNDER);
  assert.equal(queues.top(0), 0, "it has its turn before those that it was put before");
  a.burn(0, 100 * MS);
  a.account(1, queues);
  assert.equal(a.boost(0), false, "not with credits used up");
});
