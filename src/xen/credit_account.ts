import { assert } from "../base/assert.ts";
import { MS } from "../base/units.ts";
import { PRI_TS_BOOST, PRI_TS_OVER, PRI_TS_UNDER, type RunQueues } from "./run_queue.ts";

/** Weight of a VCPU that has none of its own. */
export const DEFAULT_WEIGHT = 256;
export const TICK_PS = 10 * MS;
export const TICKS_PER_ACCOUNT = 3;
/** A CPU's worth of credits between two accountings; also what a VCPU can save up or owe. */
const ACCOUNT_PS = TICK_PS * TICKS_PER_ACCOUNT;
/** Credits are kept as picoseconds of CPU time; one of Xen's is a tenth of a millisecond. */
const CREDIT_PS = MS / 10;

/**
 * Credits and priorities of all VCPUs of a host. A VCPU takes part in the accounting from the first tick that finds it
 * running until it has saved up more than a period's worth, so what sleeps does not dilute the shares of what runs.
 */
export class CreditAccounts {
  readonly #weight: number[] = [];
  readonly #priority: number[] = [];
  readonly #credit: number[] = []; // picoseconds
  readonly #burnedUntil: number[] = [];
  readonly #isActive: boolean[] = [];
  readonly #order: number[] = []; // in which they are given their shares
  #active = 0;
  #balance = 0; // sum of the credits at the last accounting

  /** Opens the account of the next VCPU. */
  add(weight: number): void {
    assert(weight > 0, "credit scheduler: a weight is above zero");
    this.#order.push(this.#weight.push(weight) - 1);
    this.#priority.push(PRI_TS_UNDER);
    this.#credit.push(0);
    this.#burnedUntil.push(0);
    this.#isActive.push(false);
  }

  /** VCPUs that take part in the accounting. */
  get active(): number {
    return this.#active;
  }

  /** PRI_TS_OVER, PRI_TS_UNDER or PRI_TS_BOOST. */
  priority(vcpu: number): number {
    return this.#priority[vcpu];
  }

  /** Credits in Xen's unit, as last counted. */
  credits(vcpu: number): number {
    return Math.trunc(this.#credit[vcpu] / CREDIT_PS);
  }

  /** Boosts a VCPU that wakes; false when it has used up its credits or is boosted already. */
  boost(vcpu: number): boolean {
    if (this.#priority[vcpu] !== PRI_TS_UNDER) return false;
    this.#priority[vcpu] = PRI_TS_BOOST;
    return true;
  }

  /** A VCPU begins to run. */
  start(vcpu: number, now: number): void {
    this.#burnedUntil[vcpu] = now;
  }

  /** Takes the credits for what a VCPU has run since it began or since they were last taken. */
  burn(vcpu: number, now: number): void {
    this.#credit[vcpu] -= now - this.#burnedUntil[vcpu];
    this.#burnedUntil[vcpu] = now;
  }

  /** A tick finds a VCPU running: it pays, its boost is over, and it takes part in the accounting. */
  tick(vcpu: number, now: number): void {
    if (this.#priority[vcpu] === PRI_TS_BOOST) this.#priority[vcpu] = PRI_TS_UNDER;
    this.burn(vcpu, now);
    if (this.#isActive[vcpu]) return;
    this.#isActive[vcpu] = true;
    this.#active++;
  }

  /** Shares out the credits of `cpus` CPUs among the active VCPUs by weight (csched_acct). */
  account(cpus: number, queues: RunQueues): void {
    if (this.#active === 0) return;
    const vcpus = this.#weight.length;
    let weightTotal = 0;
    for (let vcpu = 0; vcpu < vcpus; vcpu++) if (this.#isActive[vcpu]) weightTotal += this.#weight[vcpu];
    // What all owe together is forgiven: otherwise they would stay in debt for good, as nobody earns more than is used.
    const owed = this.#balance < 0 ? -this.#balance : 0;
    let total = cpus * ACCOUNT_PS + owed;
    let weightLeft = weightTotal;
    let balance = 0;
    let someoneWants = false;
    let changed = false;
    for (let turn = 0; turn < vcpus; turn++) {
      const vcpu = this.#order[turn];
      if (!this.#isActive[vcpu]) continue;
      const weight = this.#weight[vcpu];
      weightLeft -= weight;
      // Nobody can use more than one CPU; what is above that goes to those that come after.
      const peak = ACCOUNT_PS + Math.ceil(owed * weight / weightTotal);
      let fair = Math.ceil(total * weight / weightTotal);
      if (fair < peak) someoneWants = true;
      else {
        if (weightLeft > 0) total += Math.ceil((fair - peak) * weightTotal / weightLeft);
        if (someoneWants) this.#goesFirst(turn);
        fair = peak;
      }
      const before = this.#priority[vcpu];
      balance += this.#earn(vcpu, fair);
      if (this.#priority[vcpu] !== before) changed = true;
    }
    this.#balance = balance;
    if (changed && queues.waiting > 0) queues.sort((vcpu) => this.#priority[vcpu]);
  }

  /** Who leaves something goes first from the next time on, so that those get it that were before it now. */
  #goesFirst(turn: number): void {
    this.#order.unshift(...this.#order.splice(turn, 1));
  }

  /** Gives a VCPU credits and the priority that goes with what it has then; returns what it has. */
  #earn(vcpu: number, earned: number): number {
    let credit = this.#credit[vcpu] + earned;
    let priority = PRI_TS_UNDER; // a boost ends here too
    if (credit < 0) {
      priority = PRI_TS_OVER;
      credit = Math.max(credit, -ACCOUNT_PS);
    } else if (credit > ACCOUNT_PS) {
      // It does not use its share: it stops earning until a tick finds it running, and starts a little ahead then.
      this.#isActive[vcpu] = false;
      this.#active--;
      credit = Math.floor(credit / 2);
    }
    this.#credit[vcpu] = credit;
    this.#priority[vcpu] = priority;
    return credit;
  }
}
