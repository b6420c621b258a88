import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, NS, US } from "../../src/base/units.ts";
import { HYP, IRQ } from "../../src/metrics/stage.ts";
import { EEXIST, EINVAL } from "../../src/xen/errno.ts";
import { EVTCHN_PORTS } from "../../src/xen/shared_info.ts";
import { COSTS } from "./support.ts";
import { channel, conserves, listen, pair } from "./event_support.ts";

Deno.test("a send arrives at the instant its burst has reached, and the upcall runs on the bound VCPU", () => {
  const { host, dom0, guest } = pair();
  const { back, front } = channel(host, dom0, guest);
  let at = -1;
  const receiver = guest.processors[0];
  listen(host, guest, front, () => at = receiver.now);
  at = -1;
  const start = host.engine.now;
  let sent = 0;
  const before = [receiver.time[IRQ], dom0.processors[0].time[HYP]];
  host.burst(dom0.processors[0], start, (cpu) => {
    cpu.charge(0, 1, 300 * NS);
    assert.equal(dom0.eventChannels.send(cpu, back), 0);
    sent = cpu.now;
    cpu.charge(0, 1, 400 * NS);
  });
  host.engine.run(start + 100 * US);
  assert.equal(at, sent + COSTS.idleExit + COSTS.vcpuSwitch + COSTS.upcall, "the guest's CPU was idle");
  const spent = [receiver.time[IRQ] - before[0], dom0.processors[0].time[HYP] - before[1]];
  assert.deepEqual(spent, [COSTS.upcall, COSTS.eventSend]);
  assert.equal(guest.eventChannels.isPending(front), false);
  conserves(guest);
});

Deno.test("events merge while one is pending; mask holds the upcall back, unmask makes up for it", () => {
  const { host, dom0, guest } = pair();
  const { back, front } = channel(host, dom0, guest);
  let runs = 0;
  listen(host, guest, front, () => runs++);
  runs = 0;
  const channels = guest.eventChannels;
  const upcalls = channels.upcallCounters.upcalls;
  const merged = channels.counters.merged;
  channels.mask(front);
  const now = host.engine.now;
  host.burst(dom0.processors[0], now, (cpu) => {
    for (let i = 0; i < 3; i++) dom0.eventChannels.send(cpu, back);
  });
  host.engine.run(now + 1 * MS);
  assert.equal(runs, 0);
  assert.equal(channels.isPending(front), true);
  assert.equal(channels.counters.merged, merged + 2);
  assert.equal(channels.upcallCounters.upcalls, upcalls);
  let cost = 0;
  host.burst(guest.processors[0], host.engine.now, (cpu) => {
    const before = cpu.now;
    channels.unmask(cpu, front);
    cost = cpu.now - before;
  });
  host.engine.run(now + 2 * MS);
  assert.equal(runs, 1);
  assert.equal(cost, COSTS.hypercall);
  channels.unmask(null, front);
  host.engine.run(now + 3 * MS);
  assert.equal(runs, 1, "nothing was pending");
  conserves(guest);
});

Deno.test("unmasking a port of another VCPU takes a hypercall, one of one's own with nothing pending does not", () => {
  const { host, dom0, guest } = pair(2);
  const { front } = channel(host, dom0, guest);
  listen(host, guest, front, () => {});
  const costs = guest.processors.map((processor) => {
    let passed = -1;
    host.burst(processor, host.engine.now, (cpu) => {
      const before = cpu.now;
      guest.eventChannels.unmask(cpu, front);
      passed = cpu.now - before;
    });
    host.engine.run(host.engine.now + 1 * MS);
    return passed;
  });
  assert.deepEqual(costs, [0, COSTS.hypercall]);
});

Deno.test("an upcall serves ports in order, from one past the last one served", () => {
  const { host, dom0, guest } = pair();
  const served: number[] = [];
  const ends: { back: number; front: number }[] = [];
  for (let i = 0; i < 200; i++) ends.push(channel(host, dom0, guest));
  for (const { front } of ends) guest.eventChannels.listen(front, () => served.push(front));
  host.engine.run(1 * MS);
  served.length = 0;
  const send = (...which: number[]) => {
    for (const i of which) guest.eventChannels.mask(ends[i].front);
    host.burst(dom0.processors[0], host.engine.now, (cpu) => {
      for (const i of which) dom0.eventChannels.send(cpu, ends[i].back);
    });
    host.engine.run(host.engine.now + 1 * MS);
    const { upcalls } = guest.eventChannels.upcallCounters;
    host.burst(guest.processors[0], host.engine.now, (cpu) => {
      for (const i of which) guest.eventChannels.unmask(cpu, ends[i].front);
    });
    host.engine.run(host.engine.now + 1 * MS);
    return guest.eventChannels.upcallCounters.upcalls - upcalls;
  };
  send(70);
  served.length = 0;
  const upcalls = send(3, 40, 69, 70, 71, 150, 199);
  const order = [71, 150, 199, 3, 40, 69, 70].map((i) => ends[i].front);
  assert.deepEqual(served, order);
  assert.equal(upcalls, 1, "one upcall for all of them");
});

Deno.test("an upcall serves what is pending and not masked when its turn comes, whatever handlers mask meanwhile", () => {
  const ports = 100; // of two words of the selector
  const round = fc.record({
    pending: fc.uniqueArray(fc.nat(ports - 1), { maxLength: 80, size: "max" }),
    masks: fc.dictionary(fc.nat(ports - 1).map(String), fc.nat(ports - 1), { maxKeys: 40, size: "max" }),
  });
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 4 }), (rounds) => {
      const { host, dom0, guest } = pair();
      const channels = guest.eventChannels;
      const ends = Array.from({ length: ports }, () => channel(host, dom0, guest));
      let masks: Record<string, number> = {};
      const served: number[] = [];
      for (const [i, { front }] of ends.entries()) {
        channels.listen(front, () => {
          served.push(front);
          if (i in masks) channels.mask(ends[masks[i]].front);
        });
      }
      host.engine.run(host.engine.now + 1 * MS);
      let next = served.at(-1)! + 1;
      for (const { pending, masks: asked } of rounds) {
        for (const { front } of ends) channels.mask(front);
        host.burst(dom0.processors[0], host.engine.now, (cpu) => {
          for (const i of pending) dom0.eventChannels.send(cpu, ends[i].back);
        });
        host.engine.run(host.engine.now + 1 * MS);
        masks = asked;
        served.length = 0;
        host.burst(guest.processors[0], host.engine.now, (cpu) => {
          for (const { front } of ends) channels.unmask(cpu, front);
        });
        host.engine.run(host.engine.now + 1 * MS);
        // Going round from one past the last one served; who has been masked by then waits.
        const all = pending.map((i) => ends[i].front).sort((a, b) => a - b);
        const turn = [...all.filter((port) => port >= next), ...all.filter((port) => port < next)];
        const masked = new Set<number>();
        const wanted: number[] = [];
        for (const port of turn) {
          if (masked.has(port)) continue;
          wanted.push(port);
          const i = ends.findIndex(({ front }) => front === port);
          if (i in asked) masked.add(ends[asked[i]].front);
        }
        assert.deepEqual(served, wanted);
        next = (served.at(-1) ?? next - 1) + 1;
        masks = {};
        for (const { front } of ends) channels.unmask(null, front);
        host.engine.run(host.engine.now + 1 * MS);
        next = (served.at(-1) ?? next - 1) + 1;
        conserves(guest);
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("a physical interrupt is charged as one, and shares an upcall with events", () => {
  const { host, dom0, guest } = pair();
  const { back, front } = channel(host, dom0, guest);
  assert.equal(dom0.eventChannels.raisePirq(16), -EINVAL);
  const port = dom0.eventChannels.bindPirq(16);
  assert.equal(dom0.eventChannels.bindPirq(16), -EEXIST);
  const ran: string[] = [];
  listen(host, dom0, port, () => ran.push("nic"));
  listen(host, dom0, back, () => ran.push("ring"));
  const receiver = dom0.processors[0];
  let before = receiver.time[IRQ];
  host.at(host.engine.now, () => assert.equal(dom0.eventChannels.raisePirq(16), 0));
  host.engine.run(host.engine.now + 1 * MS);
  assert.equal(receiver.time[IRQ] - before, COSTS.xenInterrupt);
  before = receiver.time[IRQ];
  // Both arrive while the CPU leaves its idle state.
  const start = host.engine.now;
  host.burst(guest.processors[0], start, (cpu) => guest.eventChannels.send(cpu, front));
  host.at(start + COSTS.idleExit + 500 * NS, () => dom0.eventChannels.raisePirq(16));
  host.engine.run(start + 1 * MS);
  assert.equal(receiver.time[IRQ] - before, COSTS.xenInterrupt + COSTS.upcall);
  assert.deepEqual(ran.sort(), ["nic", "nic", "ring"]);
  conserves(dom0);
});

Deno.test("each VCPU serves its own ports; rebinding moves what is pending", () => {
  const { host, dom0, guest } = pair(3);
  const { back, front } = channel(host, dom0, guest);
  const where: string[] = [];
  guest.eventChannels.listen(front, (cpu) => where.push(cpu.name), 2);
  host.engine.run(1 * MS);
  assert.deepEqual(where, [guest.processors[2].name], "the event of binding");
  guest.eventChannels.mask(front);
  host.burst(dom0.processors[0], host.engine.now, (cpu) => dom0.eventChannels.send(cpu, back));
  host.engine.run(2 * MS);
  assert.equal(guest.eventChannels.bindVcpu(front, 1), 0);
  assert.equal(guest.eventChannels.bindVcpu(front, 3), -EINVAL);
  guest.eventChannels.unmask(null, front);
  host.engine.run(3 * MS);
  assert.deepEqual(where, [guest.processors[2].name, guest.processors[1].name]);
  conserves(guest);
});

Deno.test("a guest of more than 32 VCPUs has its later ones in a page of their own", () => {
  const { host, dom0, guest } = pair(40);
  const { front } = channel(host, dom0, guest);
  let ran = "";
  guest.eventChannels.listen(front, (cpu) => ran = cpu.name, 39);
  host.engine.run(1 * MS);
  assert.equal(ran, guest.processors[39].name);
  assert.ok(guest.owns(Math.floor(guest.sharedInfo.vcpuInfo(39) / 4096)));
});

Deno.test("a sender runs right after the burst that a posted handler belongs to", () => {
  const { host, dom0, guest } = pair();
  const { back, front } = channel(host, dom0, guest);
  let arrived = 0;
  dom0.eventChannels.listen(back, (cpu) => arrived = cpu.now);
  const sender = guest.eventChannels.sender(front);
  const publish = host.engine.handler("publish", () => guest.processors[0].raise(sender));
  let end = 0;
  host.burst(guest.processors[0], 1 * MS, (cpu) => {
    cpu.charge(0, 1, 100 * NS);
    cpu.post(publish);
    cpu.charge(0, 1, 50 * NS);
    end = cpu.now;
  });
  host.engine.run(2 * MS);
  assert.equal(arrived, end + COSTS.eventSend + COSTS.idleExit + COSTS.vcpuSwitch + COSTS.upcall);
});

Deno.test("any sequence of sends, masks and closings loses and invents nothing", () => {
  const operation = fc.record({
    what: fc.constantFrom("send", "send", "send", "mask", "unmask", "reopen"),
    port: fc.nat(5),
    gap: fc.nat(4000),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80, size: "max" }), (sequence) => {
      const { host, dom0, guest } = pair(2);
      const runs = new Int32Array(6);
      const ends = Array.from({ length: 6 }, () => channel(host, dom0, guest));
      const attach = (i: number) =>
        guest.eventChannels.listen(ends[i].front, (cpu) => {
          runs[i]++;
          assert.equal(cpu, guest.processors[i % 2]);
          cpu.charge(0, 1, 700 * NS);
        }, i % 2);
      for (let i = 0; i < 6; i++) attach(i);
      let time = 0;
      for (const { what, port, gap } of sequence) {
        time += gap * NS;
        if (what === "send") {
          host.burst(dom0.processors[0], time, (cpu) => dom0.eventChannels.send(cpu, ends[port].back));
        } else {
          host.at(time, () => {
            if (what === "mask") guest.eventChannels.mask(ends[port].front);
            else if (what === "unmask") guest.eventChannels.unmask(null, ends[port].front);
            else {
              guest.eventChannels.close(ends[port].front);
              dom0.eventChannels.close(ends[port].back);
              ends[port].back = dom0.eventChannels.allocUnbound(guest.id);
              ends[port].front = guest.eventChannels.bindInterdomain(dom0.id, ends[port].back);
              attach(port);
            }
          });
        }
      }
      host.engine.run(time + 10 * MS);
      conserves(guest);
      for (const { front } of ends) guest.eventChannels.unmask(null, front);
      host.engine.run(time + 20 * MS);
      conserves(guest);
      for (const { front } of ends) assert.equal(guest.eventChannels.isPending(front), false);
      const { sent } = dom0.eventChannels.counters;
      const { arrived, late } = guest.eventChannels.counters;
      const bindings = 6 + sequence.filter((step) => step.what === "reopen").length;
      assert.equal(arrived + late, sent + bindings);
      assert.equal(runs.reduce((sum, count) => sum + count, 0), guest.eventChannels.upcallCounters.delivered);
    }),
    { numRuns: 100 },
  );
});

Deno.test("after the last port of all, an upcall goes on with the first", () => {
  const { host, dom0, guest } = pair();
  const first = channel(host, dom0, guest);
  let last = first;
  for (let free = guest.eventChannels.allocUnbound(0); free < EVTCHN_PORTS - 2;) {
    free = guest.eventChannels.allocUnbound(0);
  }
  last = channel(host, dom0, guest);
  assert.equal(last.front, EVTCHN_PORTS - 1);
  const served: number[] = [];
  listen(host, guest, first.front, () => served.push(first.front));
  listen(host, guest, last.front, () => served.push(last.front));
  served.length = 0;
  for (const { back } of [last, first, last]) {
    host.burst(dom0.processors[0], host.engine.now, (cpu) => void dom0.eventChannels.send(cpu, back));
    host.engine.run(host.engine.now + 100 * US);
  }
  assert.deepEqual(served, [last.front, first.front, last.front]);
});

Deno.test("an upcall is paid for, also when its port is masked before it runs", () => {
  const { host, dom0, guest } = pair();
  const { back, front } = channel(host, dom0, guest);
  let runs = 0;
  listen(host, guest, front, () => runs++);
  const { time } = guest.processors[0];
  const [start, ran, spent] = [host.engine.now, runs, time[IRQ]];
  host.burst(dom0.processors[0], start, (cpu) => void dom0.eventChannels.send(cpu, back));
  // The event has come, and the guest's CPU is still leaving its idle state.
  host.at(start + COSTS.idleExit + COSTS.eventSend + COSTS.idleExit / 2, () => guest.eventChannels.mask(front));
  host.engine.run(start + 1 * MS);
  assert.deepEqual([runs - ran, time[IRQ] - spent, guest.eventChannels.isPending(front)], [0, COSTS.upcall, true]);
  guest.eventChannels.unmask(null, front);
  host.engine.run(start + 2 * MS);
  assert.deepEqual([runs - ran, time[IRQ] - spent], [1, 2 * COSTS.upcall]);
  conserves(guest);
});
