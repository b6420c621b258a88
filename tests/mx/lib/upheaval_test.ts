import fc from "fast-check";
import { Prng } from "../../../src/base/prng.ts";
import { SECOND, US } from "../../../src/base/units.ts";
import type { Process, Wait } from "../../../src/hw/thread.ts";
import type { Mx, MxAddress, MxEndpoint, MxRequest } from "../../../src/mx/api.ts";
import { UNEXP_CONTINUE, UNEXP_FINISHED } from "../../../src/mx/api.ts";
import { CMD_PULL } from "../../../src/mx/driver/contract.ts";
import { equal, ok } from "./expect.ts";
import { linger } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";
import type { ToyDriver } from "./toy_driver.ts";

const LENGTHS = [0, 20, 100, 5000, 32768, 40000];

/** A program that does anything at any time: opens, connects, sends, cancels, forgets, disconnects, closes, starts anew. */
function* rogue(
  cluster: ToyCluster,
  random: Prng,
  mx: Mx,
  host: string,
  index: number,
  others: [string, number][],
): Process {
  const driver = () => cluster.hosts.find((h) => h.name === host)!.drivers.get(index)!;
  const memory = cluster.alloc(1 << 17);
  for (let life = 0; life < 3; life++) {
    const ep = yield* mx.openEndpoint(index, 1, { resendsMax: 2 });
    ok(ep !== null);
    yield* ruin(ep, driver(), memory, random, mx, others);
    yield* ep.close();
    yield random.below(300) * US;
  }
}

function* ruin(
  ep: MxEndpoint,
  driver: ToyDriver,
  memory: number,
  random: Prng,
  mx: Mx,
  others: [string, number][],
): Generator<Wait, void> {
  const addresses: MxAddress[] = [];
  const requests: MxRequest[] = [];
  const any = <T>(list: T[]): T => list[random.below(list.length)];
  for (let i = 0; i < 40; i++) {
    const length = any(LENGTHS);
    const mode = random.below(2) === 0 ? "poll" as const : "block" as const;
    const timeoutPs = random.below(100) * US;
    const what = random.below(14);
    if (what === 0 || addresses.length === 0) {
      const [host, endpoint] = any(others);
      const { address } = yield* ep.connect(host, endpoint, random.below(8) === 0 ? 2 : 1, 1 * SECOND, { mode });
      if (address !== null) addresses.push(address);
    } else if (what < 4) requests.push(yield* ep.isend(memory, length, any(addresses), 0, random.below(3)));
    else if (what === 4) requests.push(yield* ep.issend(memory, length, any(addresses), 0, random.below(3)));
    else if (what < 8) requests.push(yield* ep.irecv(memory + 65536, length, 0, random.below(3), 0, 3));
    else if (what === 8 && requests.length > 0) {
      const request = any(requests);
      if (yield* ep.wait(request, { mode, timeoutPs })) {
        requests.splice(requests.indexOf(request), 1);
        ep.release(request);
      }
    } else if (what === 9 && requests.length > 0) {
      const at = random.below(requests.length);
      if (random.below(2) === 0) {
        if (yield* ep.cancel(requests[at])) requests.splice(at, 1);
      } else {
        yield* ep.forget(requests[at]);
        requests.splice(at, 1);
      }
    } else if (what === 10 && random.below(3) === 0) yield* ep.disconnect(any(addresses));
    else if (what === 11) {
      ep.setUnexpectedHandler(random.below(2) === 0 ? null : () => any([UNEXP_CONTINUE, UNEXP_FINISHED]));
      yield* ep.iconnect(any(others)[0], any(others)[1], 1);
    } else if (what === 12) {
      hostile(driver, random);
    } else yield* ep.probe(9, 9, 0xffffffff, 0xffffffff, { mode, timeoutPs });
    if (random.below(20) === 0) yield random.below(700_000) * US;
  }
  // Without partners, everything must come back: slots and credits when the driver is through with what it has.
  for (const partner of ep.library.core.partners.all.slice()) yield* ep.disconnect(partner);
  yield* linger(ep, mx, mx.now + 4 * SECOND);
  const { sendSlots, eventCredits, regions, unacked, early, zombies } = ep.occupancy();
  if (ep.library.core.partners.all.length > 0) return; // somebody has connected meanwhile
  let forgotten = 0; // receives that still wait for a message
  for (let link = ep.library.core.matcher.posted.first; link !== null; link = link.next) {
    if (link.of.zombie) forgotten++;
  }
  equal([sendSlots, eventCredits, regions, unacked, early, zombies], [0, 13, 0, 0, 0, forgotten]);
  equal(ep.library.core.buffers.used, 0);
  checked++;
}

let checked = 0;

/** An event that a broken or hostile peer might cause: any type, numbers close to those in use. */
function hostile(driver: ToyDriver, random: Prng): void {
  for (let i = 0; i < 4; i++) {
    driver.inject(0x11 + random.below(10), {
      peer: random.below(3),
      endpoint: 1 + random.below(2),
      seq: random.below(8) | (random.below(3) << 14),
      piggyack: random.below(8) | (random.below(3) << 14),
      extra: (random.below(16) << 16) | [23, 24, 100, 8192, 40000][random.below(5)],
      length: [0, 20, 5000, 8192, 30000, 0xffffffff][random.below(6)],
      small: random.below(6),
      session: random.below(2) === 0 ? driver.queues!.session : random.u32(),
    });
  }
}

Deno.test("whatever programs do, nothing breaks and no journey is left", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1 << 30 }),
      fc.boolean(),
      fc.constantFrom(0, 10),
      fc.constantFrom(0, 5, 30),
      (seed, slow, refusePercent, lossPercent) => {
        const cluster = new ToyCluster(2, { entries: 16 });
        const random = new Prng(seed, "upheaval");
        cluster.fate = (frame) => ({
          drop: frame.command.kind !== CMD_PULL && random.below(100) < lossPercent,
          copies: frame.command.kind !== CMD_PULL && random.below(10) === 0 ? 2 : 1,
          extraPs: random.below(40) * US,
        });
        const places: [string, number][] = [["a", 1], ["a", 2], ["b", 1]];
        let ended = 0;
        for (const [host, index] of places) {
          const owner = cluster.hosts[host.charCodeAt(0) - 97];
          owner.slow = slow;
          owner.refuse = () => random.below(100) < refusePercent;
          owner.start(function* (mx) {
            yield* rogue(cluster, random, mx, host, index, places);
            ended++;
          });
        }
        ok(cluster.engine.run(1000 * SECOND, 3_000_000), "time goes on");
        equal(ended, places.length);
        equal(cluster.journeys.live, 0);
      },
    ),
    { numRuns: 150 },
  );
  ok(checked > 0);
});
