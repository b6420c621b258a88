import assert from "node:assert/strict";
import fc from "fast-check";
import { Memory } from "../../src/hw/memory.ts";
import {
  CHAIN_BAD_ADDRESS,
  CHAIN_BAD_HEAD,
  CHAIN_BAD_INDIRECT,
  CHAIN_BAD_ORDER,
  CHAIN_LOOP,
  CHAIN_NONE,
  CHAIN_OK,
  DeviceQueue,
} from "../../src/kvm/device_queue.ts";
import { DriverQueue, USED_BROKEN } from "../../src/kvm/driver_queue.ts";
import {
  needsEvent,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
  Virtqueue,
  WholeMemory,
  writeDescriptor,
} from "../../src/kvm/virtqueue.ts";

function pair(size: number, features: number, chainLimit = 4) {
  const memory = new Memory(1 << 20);
  const buffers = memory.alloc(64 * 1024);
  const queue = new Virtqueue(memory, size, features);
  return {
    memory,
    buffers,
    queue,
    driver: new DriverQueue(queue, chainLimit),
    device: new DeviceQueue(queue, new WholeMemory(memory)),
  };
}

Deno.test("the rings lie in memory as VIRTIO 1.1, 2.6 says", () => {
  const { memory, buffers, queue, driver } = pair(8, VIRTIO_F_EVENT_IDX);
  driver.begin();
  driver.add(buffers, 12, false);
  driver.add(buffers + 100, 1500, true);
  driver.finish();
  assert.equal(driver.publish(driver.nextIndex), true, "the first chain is announced");
  const bytes = (at: number, length: number) => [...memory.u8.subarray(at, at + length)];
  const low = (value: number, length: number) => Array.from({ length }, (_, i) => Math.floor(value / 256 ** i) % 256);
  assert.equal(queue.descriptors % 16, 0);
  assert.equal(queue.available, queue.descriptors + 8 * 16);
  assert.equal(queue.used % 4, 0);
  assert.deepEqual(bytes(queue.descriptors, 16), [...low(buffers, 8), 12, 0, 0, 0, 1, 0, 1, 0]);
  assert.deepEqual(bytes(queue.descriptors + 16, 16), [...low(buffers + 100, 8), 0xdc, 5, 0, 0, 2, 0, 0, 0]);
  assert.deepEqual(bytes(queue.available, 6), [0, 0, 1, 0, 0, 0], "flags, idx, ring[0]");
  driver.interruptAfter(0x1234);
  assert.deepEqual(bytes(queue.available + 4 + 2 * 8, 2), [0x34, 0x12], "used_event is behind the ring");
  assert.equal(queue.used + 4 + 8 * 8 + 2 <= memory.usedBytes, true);
});

Deno.test("the device reads what the driver wrote, direct or indirect, and gives it back", () => {
  for (const features of [0, VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX + VIRTIO_F_INDIRECT_DESC]) {
    const { buffers, driver, device, queue } = pair(4, features);
    const heads: number[] = [];
    for (let i = 0; driver.hasRoom(2); i++) {
      heads.push(driver.begin());
      driver.add(buffers + i * 100, 10 + i, false);
      driver.add(buffers + i * 100 + 50, 20 + i, true);
      driver.finish();
    }
    assert.equal(heads.length, (features & VIRTIO_F_INDIRECT_DESC) !== 0 ? 4 : 2, "indirect chains take one entry");
    assert.equal(device.take(), CHAIN_NONE, "nothing is seen before it is published");
    driver.publish(driver.nextIndex);
    for (let i = 0; i < heads.length; i++) {
      assert.equal(device.take(), CHAIN_OK);
      assert.equal(device.head, heads[i]);
      assert.deepEqual([device.buffers, device.readable], [2, 1]);
      assert.deepEqual([device.addresses[0], device.lengths[0]], [buffers + i * 100, 10 + i]);
      assert.deepEqual([device.addresses[1], device.lengths[1]], [buffers + i * 100 + 50, 20 + i]);
      device.giveBack(device.head, 7 + i);
    }
    assert.equal(driver.waiting, 0);
    device.publish(device.nextIndex);
    for (let i = 0; i < heads.length; i++) {
      assert.equal(driver.take(), heads[i]);
      assert.equal(driver.writtenBytes, 7 + i);
    }
    assert.equal(driver.freeDescriptors, queue.size);
    assert.equal(driver.outstanding, 0);
  }
});

Deno.test("an event index is passed once, also round the end of 16 bits", () => {
  assert.equal(needsEvent(5, 6, 5), true);
  assert.equal(needsEvent(5, 5, 4), false);
  assert.equal(needsEvent(5, 7, 6), false);
  assert.equal(needsEvent(0xffff, 0, 0xfffe), true);
  assert.equal(needsEvent(0xffff, 0, 0xffff), true);
  assert.equal(needsEvent(0, 0, 0xfffe), false);
});

Deno.test("a chain that is put back comes again, and no index is published beyond what the ring holds", () => {
  const { buffers, driver, device, queue } = pair(4, 0);
  const heads = [0, 1].map((i) => {
    const head = driver.begin();
    driver.add(buffers + i * 100, 10, false);
    driver.finish();
    return head;
  });
  driver.publish(driver.nextIndex);
  const take = () => [device.take(), device.head, device.addresses[0]];
  assert.deepEqual(take(), [CHAIN_OK, heads[0], buffers]);
  device.undo();
  assert.equal(device.waiting, 2);
  assert.deepEqual(take(), [CHAIN_OK, heads[0], buffers]);
  assert.deepEqual(take(), [CHAIN_OK, heads[1], buffers + 100]);
  for (const to of [0, 5, 0xffff]) assert.equal(device.publish(to), false, `${to}`);
  assert.equal(queue.usedIdx, 0);
});

Deno.test("notifications are held off both ways while the other side looks anyway", () => {
  for (const features of [0, VIRTIO_F_EVENT_IDX]) {
    const { buffers, driver, device } = pair(8, features);
    const send = () => {
      driver.begin();
      driver.add(buffers, 64, false);
      driver.finish();
      return driver.publish(driver.nextIndex);
    };
    const use = () => {
      assert.equal(device.take(), CHAIN_OK);
      device.giveBack(device.head, 0);
      return device.publish(device.nextIndex);
    };
    assert.equal(device.enableKicks(), false);
    assert.equal(send(), true, "it sleeps");
    device.disableKicks();
    assert.equal(send(), false, "it is at work");
    assert.equal(device.enableKicks(), true, "what came in between is seen");
    assert.equal(driver.enableInterrupts(), false);
    assert.equal(use(), true);
    driver.disableInterrupts();
    assert.equal(use(), false, "the driver polls");
    driver.take();
    assert.equal(driver.enableInterrupts(), true);
    driver.take();
    assert.equal(driver.enableInterrupts(), false);
    assert.equal(send(), true);
    assert.equal(use(), true);
  }
});

Deno.test("an interrupt can be asked for behind three quarters, or one chain", () => {
  const { buffers, driver, device } = pair(16, VIRTIO_F_EVENT_IDX);
  for (let i = 0; i < 8; i++) {
    driver.begin();
    driver.add(buffers, 64, false);
    driver.finish();
  }
  driver.publish(driver.nextIndex);
  const interruptsAt = () => {
    const at: number[] = [];
    for (let i = 0; device.take() === CHAIN_OK; i++) {
      device.giveBack(device.head, 0);
      if (device.publish(device.nextIndex)) at.push(i);
    }
    return at;
  };
  driver.interruptDelayed();
  assert.deepEqual(interruptsAt(), [6]);
});

// ---- a driver that is wrong

const MISTAKES: readonly (readonly [string, number, (q: Virtqueue, buffers: number) => void])[] = [
  ["a loop", CHAIN_LOOP, (q, at) => {
    writeDescriptor(q.memory, q.descriptors, at, 10, VIRTQ_DESC_F_NEXT, 1);
    writeDescriptor(q.memory, q.descriptors + 16, at, 10, VIRTQ_DESC_F_NEXT, 0);
  }],
  ["a next beyond the table", CHAIN_LOOP, (q, at) => {
    writeDescriptor(q.memory, q.descriptors, at, 10, VIRTQ_DESC_F_NEXT, 8);
  }],
  ["an address beyond memory", CHAIN_BAD_ADDRESS, (q) => {
    writeDescriptor(q.memory, q.descriptors, 2 ** 40, 10, 0, 0);
  }],
  ["address 0", CHAIN_BAD_ADDRESS, (q) => writeDescriptor(q.memory, q.descriptors, 0, 10, 0, 0)],
  ["a length that runs out of memory", CHAIN_BAD_ADDRESS, (q, at) => {
    writeDescriptor(q.memory, q.descriptors, at, 0xffffffff, 0, 0);
  }],
  ["a length of zero", CHAIN_BAD_INDIRECT, (q, at) => writeDescriptor(q.memory, q.descriptors, at, 0, 0, 0)],
  ["reading behind writing", CHAIN_BAD_ORDER, (q, at) => {
    writeDescriptor(q.memory, q.descriptors, at, 10, VIRTQ_DESC_F_WRITE + VIRTQ_DESC_F_NEXT, 1);
    writeDescriptor(q.memory, q.descriptors + 16, at, 10, 0, 0);
  }],
  ["a table of one descriptor and a half", CHAIN_BAD_INDIRECT, (q, at) => {
    writeDescriptor(q.memory, at, at + 64, 10, 0, 0); // the one is good
    writeDescriptor(q.memory, q.descriptors, at, 24, VIRTQ_DESC_F_INDIRECT, 0);
  }],
  ["a table within a table", CHAIN_BAD_INDIRECT, (q, at) => {
    writeDescriptor(q.memory, q.descriptors, at, 16, VIRTQ_DESC_F_INDIRECT, 0);
    writeDescriptor(q.memory, at, at, 16, VIRTQ_DESC_F_INDIRECT, 0);
  }],
  ["a table with a next", CHAIN_BAD_INDIRECT, (q, at) => {
    writeDescriptor(q.memory, q.descriptors, at, 16, VIRTQ_DESC_F_INDIRECT + VIRTQ_DESC_F_NEXT, 1);
  }],
  ["a table outside memory", CHAIN_BAD_ADDRESS, (q) => {
    writeDescriptor(q.memory, q.descriptors, 2 ** 40, 16, VIRTQ_DESC_F_INDIRECT, 0);
  }],
  ["a loop in a table", CHAIN_LOOP, (q, at) => {
    writeDescriptor(q.memory, q.descriptors, at, 16, VIRTQ_DESC_F_INDIRECT, 0);
    writeDescriptor(q.memory, at, at + 64, 16, VIRTQ_DESC_F_NEXT, 0);
  }],
];

Deno.test("whatever is wrong with a chain is a status and a counter", () => {
  for (const [what, status, write] of MISTAKES) {
    const { buffers, queue, device } = pair(8, VIRTIO_F_INDIRECT_DESC);
    write(queue, buffers);
    queue.setAvailableHead(0, 0);
    queue.availableIdx = 1;
    assert.equal(device.take(), status, what);
    assert.equal(device.counts[status], 1, what);
    assert.equal(device.errors, 1, what);
    device.giveBack(device.head, 0);
    assert.equal(device.nextIndex, 1, `${what}: the chain can be given back`);
  }
});

Deno.test("an impossible head or index is refused and cannot be given back", () => {
  const { queue, device } = pair(8, 0);
  queue.setAvailableHead(0, 8);
  queue.availableIdx = 1;
  assert.equal(device.take(), CHAIN_BAD_HEAD);
  device.giveBack(device.head, 0);
  assert.equal(device.nextIndex, 0);
  queue.availableIdx = 100; // 99 chains in a queue of 8
  assert.equal(device.take(), CHAIN_BAD_HEAD);
  assert.equal(device.take(), CHAIN_NONE);
});

Deno.test("indirect descriptors that were not negotiated are refused", () => {
  const { buffers, queue, device } = pair(8, 0);
  writeDescriptor(queue.memory, queue.descriptors, buffers, 16, VIRTQ_DESC_F_INDIRECT, 0);
  queue.setAvailableHead(0, 0);
  queue.availableIdx = 1;
  assert.equal(device.take(), CHAIN_BAD_INDIRECT);
});

Deno.test("a used ring that names what is not outstanding is counted, not believed", () => {
  const { memory, buffers, queue, driver } = pair(8, 0);
  driver.begin();
  driver.add(buffers, 64, true);
  driver.finish();
  driver.publish(driver.nextIndex);
  memory.view.setUint32(queue.usedElement(0), 5, true);
  queue.usedIdx = 1;
  assert.equal(driver.take(), USED_BROKEN);
  queue.usedIdx = 7;
  assert.equal(driver.take(), USED_BROKEN);
  assert.equal(driver.broken, 2);
  assert.equal(driver.waiting, 0);
});

Deno.test("any descriptors and heads: the device returns, and reads nothing outside memory", () => {
  // Of bytes by chance no address would be one of the memory: half of these are, and most lengths fit.
  const descriptor = fc.record({
    place: fc.nat(),
    far: fc.integer({ min: 0, max: 7 }),
    length: fc.oneof(fc.constantFrom(0, 16, 32, 48, 0xffffffff), fc.nat(5000)),
    flags: fc.oneof(fc.constantFrom(0, VIRTQ_DESC_F_NEXT), fc.nat(7)),
    next: fc.nat(9),
  });
  const seen = { chains: 0, buffers: 0 };
  fc.assert(
    fc.property(
      fc.array(descriptor, { minLength: 12, maxLength: 12 }),
      fc.array(fc.nat(9), { minLength: 8, maxLength: 8 }),
      fc.nat(11),
      (descriptors, heads, idx) => {
        const { memory, buffers, queue, device } = pair(8, VIRTIO_F_INDIRECT_DESC + VIRTIO_F_EVENT_IDX);
        for (const [i, { place, far, length, flags, next }] of descriptors.entries()) {
          // The last four are a table for those that are indirect.
          const isTable = i < 8 && (flags & VIRTQ_DESC_F_INDIRECT) !== 0 && far > 1;
          const address = isTable ? buffers : far === 0 ? 2 ** 40 + place : place % (memory.usedBytes + 2 ** 12);
          const at = i < 8 ? queue.descriptors + i * 16 : buffers + (i - 8) * 16;
          writeDescriptor(memory, at, address, length, flags, next);
        }
        for (const [i, head] of heads.entries()) queue.setAvailableHead(i, head);
        queue.availableIdx = idx;
        for (let i = 0; i < 12; i++) {
          const status = device.take();
          if (status === CHAIN_NONE) break;
          if (status === CHAIN_OK) seen.chains++;
          for (let b = 0; b < device.buffers; b++) {
            seen.buffers++;
            assert.ok(device.addresses[b] > 0 && device.addresses[b] + device.lengths[b] <= memory.usedBytes);
          }
          device.giveBack(device.head, 0);
        }
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(seen.chains > 30 && seen.buffers > seen.chains, JSON.stringify(seen));
});

Deno.test("any traffic: chains come back once, in order, and no descriptor is lost", () => {
  const operation = fc.record({ send: fc.boolean(), buffers: fc.integer({ min: 1, max: 4 }) });
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 400 }),
      fc.constantFrom(0, VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX + VIRTIO_F_INDIRECT_DESC),
      (operations, features) => {
        const { buffers, queue, driver, device } = pair(8, features);
        const sent: number[] = [];
        let number = 0;
        let taken = 0;
        const give = () => {
          assert.equal(device.take(), CHAIN_OK);
          assert.equal(device.addresses[0], buffers + (taken % 64) * 256);
          device.giveBack(device.head, taken++);
          device.publish(device.nextIndex);
          assert.equal(driver.take(), sent.shift());
          assert.equal(driver.writtenBytes, taken - 1);
        };
        for (const { send, buffers: count } of operations) {
          if (send && driver.hasRoom(count)) {
            sent.push(driver.begin());
            for (let i = 0; i < count; i++) driver.add(buffers + (number % 64) * 256 + i, 1, false);
            driver.finish();
            driver.publish(driver.nextIndex);
            number++;
          } else if (sent.length > 0) {
            give();
          }
        }
        while (sent.length > 0) give();
        assert.equal(driver.freeDescriptors, queue.size);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("a driver that writes the used index holds up nobody: the device knows what it has published", () => {
  const { buffers, driver, device, queue } = pair(8, VIRTIO_F_EVENT_IDX);
  for (const written of [0, 7, 1000, 0xffff]) {
    driver.begin();
    driver.add(buffers, 64, false);
    driver.finish();
    driver.publish(driver.nextIndex);
    assert.equal(device.take(), CHAIN_OK);
    device.giveBack(device.head, 0);
    driver.enableInterrupts();
    queue.usedIdx = written;
    assert.equal(device.publish(device.nextIndex), true, `${written}`);
    assert.equal(queue.usedIdx, device.nextIndex);
    assert.ok(driver.take() >= 0);
  }
});
