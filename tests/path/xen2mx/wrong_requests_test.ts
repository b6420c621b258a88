import assert from "node:assert/strict";
import { PAGE_SIZE, US } from "../../../src/base/units.ts";
import { RESULT_OK, type Segment } from "../../../src/mx/driver/contract.ts";
import { KERNEL } from "../../../src/metrics/stage.ts";
import { encodeCreate } from "../../../src/path/xen2mx/control_messages.ts";
import { GrantedRegion } from "../../../src/path/xen2mx/grants.ts";
import {
  FUNC_CREATE_REGION,
  REGION_COUNT,
  REGION_SEGMENTS,
  SLOT_RET,
  SLOT_UNION,
} from "../../../src/path/xen2mx/layout.ts";
import { FUNC_BOARD_INFO } from "../../../src/path/xen2mx/peer_messages.ts";
import { EINVAL } from "../../../src/xen/errno.ts";
import { Raw } from "./raw.ts";
import { Stage } from "./support.ts";

/* Single requests that a guest's driver would not make, pushed past it, and what dom0 makes of them. */

class Wrong extends Raw {
  readonly stage: Stage;

  constructor(stage: Stage) {
    super(stage, stage.actors[0]);
    this.stage = stage;
  }

  get domain() {
    return this.actor.guest.site.domain!;
  }

  /** Notifies dom0, asked or not: in a burst of the guest. */
  notify(): void {
    this.domain.processors[0].raise(this.domain.eventChannels.sender(this.driver.device.port));
  }

  /** Pages of the guest that dom0 maps. */
  get mapped(): number {
    return this.stage.cluster.hosts[0].hypervisor!.domain(0)!.mappings.mappingsOf(this.domain.id);
  }
}

Deno.test("a region whose number is taken is refused with its pages unmapped: the guest can take its grants back", () => {
  const stage = new Stage({ path: "xen2mx-plain", hosts: 1, guests: 1 });
  const raw = new Wrong(stage);
  const cpu = raw.actor.guest.site.processor;
  raw.play(function* () {
    yield* raw.open(0, 1);
    const buffer: Segment[] = [{ address: raw.actor.alloc(3 * PAGE_SIZE), length: 3 * PAGE_SIZE }];
    assert.equal(yield* raw.create(0, buffer), RESULT_OK);
    const before = raw.mapped;
    const { device } = raw.driver;
    const region = GrantedRegion.create(cpu, raw.domain, device.pages, device.nextMapping++, buffer)!;
    region.grantSome(cpu, 3);
    const slot = device.claim(cpu, FUNC_CREATE_REGION, 0);
    encodeCreate(stage.memory.view, slot, 0, 1, region, 0);
    device.ring.pushRequests();
    raw.notify();
    yield 100 * US;
    assert.equal(stage.memory.view.getInt32(slot + SLOT_RET, true), -EINVAL);
    assert.equal(raw.mapped, before);
    assert.deepEqual([region.revokeSome(cpu, 16), region.isRevoked], [3, true]);
    assert.equal(raw.domain.grantTable.counters.busy, 0);
    device.takeAnswers(cpu, raw.driver);
    assert.equal(yield* raw.destroy(0), RESULT_OK);
    yield* raw.close();
  });
  stage.run();
  assert.ok(raw.finished);
  stage.nothingLeft();
});

Deno.test("a notification that finds the worker awake does not wake it again", () => {
  /** Kernel time of dom0 for 15 requests and one notification, and perhaps another while it works on them. */
  const busy = (again: boolean) => {
    const stage = new Stage({ path: "xen2mx-plain", hosts: 1, guests: 1 });
    const raw = new Wrong(stage);
    const cpu = raw.actor.guest.site.processor;
    const dom0 = stage.cluster.hosts[0].kernel;
    let before = 0;
    const kernelTime = () =>
      dom0.reduce((sum, processor) => {
        processor.settle();
        return sum + processor.time[KERNEL];
      }, 0);
    raw.play(function* () {
      yield* raw.open(0, 1);
      yield 100 * US;
      before = kernelTime();
      for (let i = 0; i < 15; i++) raw.driver.device.claim(cpu, FUNC_BOARD_INFO, 0);
      yield 10 * US; // the claims have taken time: now they are published
      raw.driver.device.ring.pushRequests();
      raw.notify();
      yield 5 * US;
      assert.ok(raw.driver.device.counters.strayAnswers < 15, "it is at work");
      if (again) raw.notify();
      yield 100 * US;
      assert.equal(raw.driver.device.counters.strayAnswers, 15);
    });
    stage.run(1);
    assert.ok(raw.finished);
    return kernelTime() - before;
  };
  assert.equal(busy(true), busy(false));
});

Deno.test("a region message that claims more segments than fit into it, or than a region may have, maps nothing", () => {
  const stage = new Stage({ path: "xen2mx-plain", hosts: 1, guests: 1 });
  const raw = new Wrong(stage);
  const cpu = raw.actor.guest.site.processor;
  raw.play(function* () {
    yield* raw.open(0, 1);
    const before = raw.mapped;
    const { device } = raw.driver;
    const { view } = stage.memory;
    for (const [count, total] of [[3, 3], [255, 255], [1, 513], [1, 1000]]) {
      const buffer: Segment[] = [{ address: raw.actor.alloc(PAGE_SIZE), length: PAGE_SIZE }];
      const region = GrantedRegion.create(cpu, raw.domain, device.pages, device.nextMapping++, buffer)!;
      region.grantSome(cpu, 1);
      const slot = device.claim(cpu, FUNC_CREATE_REGION, 0);
      encodeCreate(view, slot, 0, 1, region, 0);
      view.setUint8(slot + SLOT_UNION + REGION_COUNT, count);
      view.setUint32(slot + SLOT_UNION + REGION_SEGMENTS, total, true);
      device.ring.pushRequests();
      raw.notify();
      yield 100 * US;
      assert.equal(view.getInt32(slot + SLOT_RET, true), -EINVAL, `${count} of ${total}`);
      assert.equal(raw.mapped, before);
      device.takeAnswers(cpu, raw.driver);
      assert.equal(region.revokeSome(cpu, 16), 1);
    }
    yield* raw.close();
  });
  stage.run();
  assert.ok(raw.finished);
  stage.nothingLeft();
});
