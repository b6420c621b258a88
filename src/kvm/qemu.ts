import type { InterruptLine } from "../hw/interrupt_line.ts";
import { copyTime } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import { BACKEND, KERNEL, NOTIFICATION, SYSCALL, USER, WAKEUP } from "../metrics/stage.ts";
import { NetBackend, type NetBackendParts } from "./net_backend.ts";

/** Packets that a bottom half sends before others have their turn (hw/virtio-net.c); the tap is read until it is empty. */
export const TX_BURST = 256;

const NONE = -1;

/**
 * virtio-net in QEMU itself: a kick exits to user space, where the VCPU's thread leaves the work to the I/O thread; that
 * one reads and writes packets with system calls on the tap, and interrupts the guest with an ioctl (KVM_SIGNAL_MSI).
 */
export class QemuNet extends NetBackend {
  readonly #inject: number;
  readonly #lines: readonly InterruptLine[];
  // Numbers of the lines whose ioctls are due, in the order in which they were asked for: each is due once.
  #first = NONE;
  #second = NONE;

  constructor(parts: NetBackendParts) {
    super(parts);
    const { vcpu, engine, net } = parts;
    net.wiring.chargeKick = (cpu) => vcpu.kickUserSpace(cpu);
    this.#lines = [net.wiring.rxLine!, net.wiring.txLine!];
    this.#inject = engine.handler(`${parts.name} interrupt`, QemuNet.#onInject, this);
  }

  static readonly #onInject = (line: number, _b: number, of: QemuNet): void => of.#lines[line].signal();

  /** The I/O thread comes back from its poll system call. */
  protected chargeWake(cpu: Processor): void {
    cpu.charge(WAKEUP, KERNEL, this.costs.workQueueWake);
    cpu.charge(SYSCALL, KERNEL, this.costs.syscall);
  }

  /** `qemuPacket` has the system call on the tap in it. The kernel copies out of guest memory (writev). */
  protected chargeTransmit(cpu: Processor, bytes: number): void {
    cpu.charge(BACKEND, USER, this.costs.qemuPacket);
    cpu.copy(KERNEL, copyTime(this.costs.copyUncachedByte, bytes), bytes, "guest memory > tap");
  }

  /** The kernel copies into a buffer of QEMU's, and QEMU from there, cached, into guest memory (net/tap.c). */
  protected chargeReceive(cpu: Processor, bytes: number): void {
    cpu.charge(BACKEND, USER, this.costs.qemuPacket);
    cpu.copy(KERNEL, copyTime(this.costs.copyUncachedByte, bytes), bytes, "tap > QEMU's buffer");
    cpu.copy(USER, copyTime(this.costs.copyCachedByte, bytes), bytes, "QEMU's buffer > guest memory");
  }

  protected hasHadItsShare(receives: boolean, packets: number, _bytes: number): boolean {
    return !receives && packets >= TX_BURST;
  }

  protected signal(line: InterruptLine): void {
    const number = line === this.#lines[0] ? 0 : 1;
    if (this.#first === NONE) this.#first = number;
    else if (this.#first !== number) this.#second = number;
    this.thread.notify(); // remembered if it is busy; it runs again before it sleeps
  }

  protected override chargeSignals(cpu: Processor): boolean {
    if (this.#first === NONE) return false;
    this.#chargeIoctl(cpu, this.#first);
    if (this.#second !== NONE) this.#chargeIoctl(cpu, this.#second);
    this.#first = this.#second = NONE;
    return true;
  }

  #chargeIoctl(cpu: Processor, line: number): void {
    cpu.charge(SYSCALL, KERNEL, this.costs.syscall);
    cpu.charge(NOTIFICATION, KERNEL, this.costs.ioctl);
    cpu.post(this.#inject, line);
  }
}
