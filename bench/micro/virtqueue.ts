import { assert } from "../../src/base/assert.ts";
import { PAGE_SIZE } from "../../src/base/units.ts";
import { Memory } from "../../src/hw/memory.ts";
import { CHAIN_OK, DeviceQueue } from "../../src/kvm/device_queue.ts";
import { DriverQueue } from "../../src/kvm/driver_queue.ts";
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC, Virtqueue, WholeMemory } from "../../src/kvm/virtqueue.ts";
import { type Work, WorkHash } from "./work.ts";

const SIZE = 256;
const BURST = 4;

/** A virtqueue round: chains of a header and two buffers go to the device, four at a time, and come back used. */
export function virtqueue(operations: number): Work {
  const memory = new Memory(1 << 20);
  const buffers = memory.alloc(4 * PAGE_SIZE);
  const queue = new Virtqueue(memory, SIZE, VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC);
  const driver = new DriverQueue(queue, 4);
  const device = new DeviceQueue(queue, new WholeMemory(memory));
  const hash = new WorkHash();
  let done = 0;
  let notified = 0;
  while (done < operations) {
    for (let i = 0; i < BURST; i++) {
      driver.begin();
      driver.add(buffers, 12, false);
      driver.add(buffers + PAGE_SIZE, 1500 + (done & 63), false);
      driver.add(buffers + 2 * PAGE_SIZE, PAGE_SIZE, true);
      driver.finish();
    }
    if (driver.publish(driver.nextIndex)) notified++;
    while (device.waiting > 0) {
      const status = device.take();
      assert(status === CHAIN_OK, "bench: the driver's chain is a good one");
      device.giveBack(device.head, device.lengths[1]);
    }
    if (device.publish(device.nextIndex)) notified++;
    device.enableKicks();
    while (driver.waiting > 0) {
      driver.take();
      hash.add(driver.writtenBytes);
    }
    driver.enableInterrupts();
    done += BURST;
  }
  hash.add(notified);
  return { operations: done, hash: hash.text };
}
