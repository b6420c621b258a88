import assert from "node:assert/strict";
import { MS, US } from "../../src/base/units.ts";
import { IRQ } from "../../src/metrics/stage.ts";
import { EINVAL, ENOSPC, ESRCH } from "../../src/xen/errno.ts";
import { ECS_FREE, ECS_INTERDOMAIN, ECS_UNBOUND } from "../../src/xen/event_channel.ts";
import { EVTCHN_PORTS } from "../../src/xen/shared_info.ts";
import { COSTS, openPorts } from "./support.ts";
import { channel, conserves, listen, pair } from "./event_support.ts";

/* Ports: who may bind them, how many there are, and what is left of one that is closed. */

Deno.test("binding checks who may bind; closing frees, unbinds the other end and loses what was under way", () => {
  const { host, dom0, guest } = pair();
  const { eventChannels: back } = dom0;
  const { eventChannels: front } = guest;
  assert.equal(back.allocUnbound(7), -ESRCH);
  assert.equal(front.bindInterdomain(7, 1), -ESRCH);
  const port = back.allocUnbound(guest.id);
  assert.equal(back.bindInterdomain(dom0.id, port), -EINVAL, "it waits for somebody else");
  assert.equal(front.bindInterdomain(dom0.id, 99), -EINVAL);
  const local = front.bindInterdomain(dom0.id, port);
  assert.equal(front.bindInterdomain(dom0.id, port), -EINVAL, "bound already");
  assert.deepEqual([back.state(port), front.state(local)], [ECS_INTERDOMAIN, ECS_INTERDOMAIN]);
  host.engine.run(0);
  host.burst(guest.processors[0], 10 * US, (cpu) => {
    front.send(cpu, local);
    assert.equal(front.send(cpu, 4000), -EINVAL);
    assert.equal(front.send(cpu, -5), -EINVAL);
    assert.equal(front.send(cpu, 1 << 20), -EINVAL);
  });
  host.at(10 * US + COSTS.idleExit + COSTS.vcpuSwitch + 1, () => assert.equal(back.close(port), 0)); // the send is under way
  host.engine.run(1 * MS);
  assert.equal(back.counters.late, 1);
  assert.deepEqual([back.state(port), front.state(local)], [ECS_FREE, ECS_UNBOUND]);
  assert.equal(back.close(port), -EINVAL);
  assert.equal(back.close(0), -EINVAL);
  host.burst(guest.processors[0], host.engine.now, (cpu) => assert.equal(front.send(cpu, local), 0));
  host.engine.run(2 * MS);
  assert.equal(front.counters.unbound, 1);
  assert.equal(front.close(local), 0);
  assert.equal(front.counters.discarded, 1, "the event of binding was never served");
  assert.deepEqual([...openPorts(back), ...openPorts(front)], []);
  conserves(guest);
  conserves(dom0);
});

Deno.test("4095 ports can be open", () => {
  const { dom0, guest } = pair();
  for (let i = 1; i < EVTCHN_PORTS; i++) assert.equal(dom0.eventChannels.allocUnbound(guest.id), i);
  assert.equal(dom0.eventChannels.allocUnbound(guest.id), -ENOSPC);
  dom0.eventChannels.close(17);
  assert.equal(dom0.eventChannels.allocUnbound(guest.id), 17);
});

Deno.test("a port that is used again has neither the handler nor the VCPU of who had it before", () => {
  const { host, dom0, guest } = pair(2);
  const { eventChannels } = guest;
  const first = channel(host, dom0, guest);
  let runs = 0;
  listen(host, guest, first.front, () => runs++, 1);
  assert.equal(runs, 1);
  assert.equal(eventChannels.close(first.front), 0);
  const second = channel(host, dom0, guest);
  assert.equal(second.front, first.front);
  assert.equal(eventChannels.isMasked(second.front), true, "as every port that nobody listens to");
  const spent = () => guest.processors.map(({ time }) => time[IRQ]);
  const before = spent();
  eventChannels.unmask(null, second.front); // nobody has said yet what runs for it
  host.engine.run(host.engine.now + 1 * MS);
  assert.deepEqual([runs, eventChannels.upcallCounters.unhandled], [1, 1]);
  assert.deepEqual(spent().map((time, i) => time - before[i]), [COSTS.upcall, 0]);
  conserves(guest);
});

Deno.test("ports keep their VCPU and their kind, however many there are later", () => {
  const { host, dom0, guest } = pair(2);
  const [first, second] = [channel(host, dom0, guest), channel(host, dom0, guest)];
  const served: [number, string][] = [];
  for (const [vcpu, { front }] of [first, second].entries()) {
    guest.eventChannels.listen(front, (cpu) => served.push([front, cpu.name]), vcpu);
  }
  const pirq = dom0.eventChannels.bindPirq(16);
  let interrupts = 0;
  listen(host, dom0, pirq, () => interrupts++);
  let last = first;
  for (let i = 0; i < 300; i++) last = channel(host, dom0, guest);
  guest.eventChannels.listen(last.front, (cpu) => served.push([last.front, cpu.name]), 1);
  host.engine.run(host.engine.now + 1 * MS);
  served.length = 0;
  host.burst(dom0.processors[0], host.engine.now, (cpu) => {
    dom0.eventChannels.send(cpu, first.back);
    dom0.eventChannels.send(cpu, second.back);
    dom0.eventChannels.send(cpu, last.back);
  });
  host.engine.run(host.engine.now + 1 * MS);
  const [one, two] = guest.processors;
  served.sort(([a], [b]) => a - b);
  assert.deepEqual(served, [[first.front, one.name], [second.front, two.name], [last.front, two.name]]);
  const { time } = dom0.processors[0];
  const before = time[IRQ];
  host.at(host.engine.now, () => dom0.eventChannels.raisePirq(16));
  host.engine.run(host.engine.now + 1 * MS);
  assert.deepEqual([interrupts, time[IRQ] - before], [1, COSTS.xenInterrupt]);
});

Deno.test("who has no free port binds nothing, and leaves the other end and the interrupt to be bound later", () => {
  const { dom0, guest } = pair();
  const { eventChannels } = guest;
  const back = dom0.eventChannels.allocUnbound(guest.id);
  for (let i = 1; i < EVTCHN_PORTS; i++) assert.equal(eventChannels.allocUnbound(dom0.id), i);
  assert.equal(eventChannels.bindInterdomain(dom0.id, back), -ENOSPC);
  assert.equal(dom0.eventChannels.state(back), ECS_UNBOUND);
  assert.equal(eventChannels.bindPirq(16), -ENOSPC);
  assert.equal(eventChannels.portsInUse, EVTCHN_PORTS - 1);
  for (const port of [20, 21]) assert.equal(eventChannels.close(port), 0);
  assert.deepEqual([eventChannels.bindInterdomain(dom0.id, back), eventChannels.bindPirq(16)], [20, 21]);
  assert.equal(eventChannels.portsInUse, EVTCHN_PORTS - 1);
});

Deno.test("a physical interrupt is free again when its port is closed; nobody can listen to a closed port", () => {
  const { host, dom0 } = pair();
  const { eventChannels } = dom0;
  const ports = [16, 17].map((pirq) => eventChannels.bindPirq(pirq));
  const ran: number[] = [];
  for (const port of ports) eventChannels.listen(port, () => ran.push(port));
  assert.equal(eventChannels.close(ports[0]), 0);
  assert.equal(eventChannels.raisePirq(16), -EINVAL);
  assert.equal(eventChannels.raisePirq(17), 0, "the other one stays bound");
  assert.equal(eventChannels.listen(ports[0], () => ran.push(-1)), -EINVAL);
  assert.equal(eventChannels.isMasked(ports[0]), true);
  assert.equal(eventChannels.bindPirq(16), ports[0]);
  eventChannels.listen(ports[0], () => ran.push(ports[0]));
  assert.equal(eventChannels.raisePirq(16), 0);
  host.engine.run(1 * MS);
  assert.deepEqual(ran, ports);
});
