import { MIB, US } from "../../src/base/units.ts";
import { SoftwareBridge } from "../../src/hw/bridge.ts";
import { OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FairScheduler } from "../../src/hw/fair_scheduler.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { type Costs, resolveCosts } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import type { NetBackend, NetBackendParts } from "../../src/kvm/net_backend.ts";
import { Vcpu } from "../../src/kvm/vcpu.ts";
import { VhostNet } from "../../src/kvm/vhost.ts";
import { DEFAULT_FEATURES, VirtioNet } from "../../src/kvm/virtio_net.ts";
import { WholeMemory } from "../../src/kvm/virtqueue.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { IRQ } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

export const COSTS: Costs = resolveCosts(vhpc12);
/** The last four bytes of MAC addresses whose first two are 0: the guest, and who is beyond the bridge. */
export const GUEST_MAC = 0x57000000;
export const OUTSIDE_MAC = 0x58000002;

/** One guest with virtio-net on a bridge whose way out is a list. */
export class Bench {
  readonly engine = new Engine(1);
  readonly journeys = new Journeys();
  readonly memory = new Memory(16 * MIB);
  readonly frames = new FramePool(this.memory, this.journeys, 4096);
  readonly bridge: SoftwareBridge;
  readonly guest: Processor;
  readonly kernel: Processor[];
  readonly vcpu: Vcpu;
  readonly net: VirtioNet;
  readonly backend: NetBackend;
  /** What left by the bridge, and what the guest received: bytes of each frame. */
  readonly out: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  readonly receivedAt: number[] = [];
  readonly sent: number[] = [];

  constructor(
    features = DEFAULT_FEATURES,
    txQueueLength = 1000,
    costs = COSTS,
    BackEnd: new (parts: NetBackendParts) => NetBackend = VhostNet,
  ) {
    const { engine, journeys, frames } = this;
    this.bridge = new SoftwareBridge(frames, costs);
    const cpus = [0, 1, 2].map((i) => new PhysicalCpu(engine, i));
    const scheduler = new FairScheduler(engine, "host", cpus, costs);
    this.kernel = cpus.map((cpu) => {
      const processor = new Processor(engine, `cpu${cpu.index}`, OWNER_HOST, costs, journeys, scheduler, null);
      scheduler.addHost(processor, cpu.index);
      return processor;
    });
    this.guest = new Processor(engine, "vcpu", OWNER_GUEST, costs, journeys, scheduler, null);
    scheduler.add(this.guest);
    this.vcpu = new Vcpu(this.guest, costs);
    this.net = new VirtioNet({
      engine,
      frames,
      costs,
      name: "net",
      vcpu: this.vcpu,
      macHigh: 0,
      macLow: GUEST_MAC,
      mtu: 9000,
      txQueueLength,
      features,
    });
    this.net.receiver = {
      receive: (cpu, frame) => {
        this.received.push(this.bytesOf(frame));
        this.receivedAt.push(cpu.now);
      },
      frameSent: (_cpu, cookie) => void this.sent.push(cookie),
    };
    this.bridge.addPort({
      name: "out",
      transmit: (_cpu, frame) => {
        this.out.push(this.bytesOf(frame));
        frames.free(frame);
        return true;
      },
    });
    this.backend = new BackEnd({
      engine,
      frames,
      costs,
      name: "back end",
      processor: this.kernel[1],
      bridge: this.bridge,
      net: this.net,
      vcpu: this.vcpu,
      table: new WholeMemory(this.memory),
      mtu: 9000,
      split: (_view, _at, length) => Math.min(length, 60),
    });
    this.bridge.learn(GUEST_MAC, this.backend.bridgePort);
    this.bridge.learn(OUTSIDE_MAC, 0);
  }

  /** A port for a station, which notes how many receive chains were used when each packet left by it. */
  usedWhenSentTo(station: number): number[] {
    const { bridge, frames, backend } = this;
    const used: number[] = [];
    const port = bridge.addPort({
      name: "far",
      transmit: (_cpu, frame) => {
        used.push(backend.rx.nextIndex);
        frames.free(frame);
        return true;
      },
    });
    bridge.learn(station, port);
    return used;
  }

  bytesOf(frame: number): Uint8Array {
    const { frames, memory } = this;
    const at = frames.at(frame);
    const linear = memory.u8.slice(at, at + frames.linearOf(frame));
    const length = frames.payloadLengthOf(frame);
    return length === 0 ? linear : Uint8Array.from([...linear, ...memory.bytes(frames.payloadOf(frame), length)]);
  }

  /** A frame of `length` bytes, its first 60 linear, filled by `seed`. */
  frame(to: number, length: number, seed: number): number {
    const { frames, memory } = this;
    const linear = Math.min(length, 60);
    const frame = frames.take(linear);
    for (let i = 0; i < linear; i++) memory.u8[frames.at(frame) + i] = (i * 7 + seed) & 0xff;
    memory.u8.fill(0, frames.at(frame), frames.at(frame) + 12);
    memory.view.setUint32(frames.at(frame) + 2, to);
    if (length > linear) {
      const payload = frames.attachOwn(frame, length - linear);
      for (let i = 0; i < length - linear; i++) memory.u8[payload + i] = (i * 13 + seed) & 0xff;
    }
    return frame;
  }

  /** Runs code in a burst of a processor. */
  burst(processor: Processor, at: number, run: (cpu: Processor) => void): void {
    const interrupt = new Interrupt("test", 0, (cpu) => {
      run(cpu);
      return false;
    });
    this.engine.at(at, this.engine.handler("test", () => processor.raise(interrupt)));
  }

  /** Sends a frame to the guest, as the NIC's softirq does. */
  deliver(cpu: Processor, length: number, seed: number, to = GUEST_MAC): Uint8Array {
    const frame = this.frame(to, length, seed);
    const bytes = this.bytesOf(frame);
    this.bridge.forward(cpu, IRQ, 0, frame);
    return bytes;
  }

  run(): void {
    this.engine.run(this.engine.now + 50_000 * US);
  }
}
