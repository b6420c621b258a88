import type { InterruptLine } from "../hw/interrupt_line.ts";
import { copyTime } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import { BACKEND, KERNEL, WAKEUP } from "../metrics/stage.ts";
import { NetBackend, type NetBackendParts } from "./net_backend.ts";

/** Bytes that one way may move before the thread looks at other work (drivers/vhost/net.c). */
export const VHOST_NET_WEIGHT = 0x80000;

/**
 * vhost-net: the device's half as a thread of the host's kernel (drivers/vhost/net.c). A kick wakes it through an
 * eventfd (ioeventfd), and it interrupts the guest through another (irqfd), so that QEMU has no part in a packet.
 */
export class VhostNet extends NetBackend {
  constructor(parts: NetBackendParts) {
    super(parts);
    const vcpu = parts.vcpu;
    parts.net.wiring.chargeKick = (cpu) => vcpu.kick(cpu);
  }

  protected chargeWake(cpu: Processor): void {
    cpu.charge(WAKEUP, KERNEL, this.costs.workQueueWake);
  }

  /** The data was written by the guest's CPU, or by the NIC: it is not in this CPU's cache. */
  protected chargeTransmit(cpu: Processor, bytes: number): void {
    cpu.charge(BACKEND, KERNEL, this.costs.vhostTransmit);
    cpu.copy(KERNEL, copyTime(this.costs.copyUncachedByte, bytes), bytes, "guest memory > host frame");
  }

  protected chargeReceive(cpu: Processor, bytes: number): void {
    cpu.charge(BACKEND, KERNEL, this.costs.vhostReceive);
    cpu.copy(KERNEL, copyTime(this.costs.copyUncachedByte, bytes), bytes, "host frame > guest memory");
  }

  protected hasHadItsShare(_receives: boolean, _packets: number, bytes: number): boolean {
    return bytes >= VHOST_NET_WEIGHT;
  }

  protected signal(line: InterruptLine): void {
    line.signal();
  }
}
