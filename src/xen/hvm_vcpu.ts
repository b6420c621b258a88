import { assert } from "../base/assert.ts";
import type { IoRequests, TrappingVcpu } from "../hw/device_model.ts";
import { InterruptLine, type InterruptTarget } from "../hw/interrupt_line.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import { HYP, HYPERVISOR, NOTIFICATION } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";

/**
 * The first VCPU of a fully virtualised domain whose device model is a process in dom0. An access to a register of a
 * device exits to Xen, which writes a request and notifies dom0 by the event channel of that VCPU (hvm_send_ioreq); the
 * VCPU does not run until the answer. `hvmIoreq` is all of that time for the guest, whatever else dom0 has to do; what
 * dom0 does meanwhile is charged to dom0.
 */
export class HvmVcpu implements TrappingVcpu, IoRequests, InterruptTarget {
  readonly processor: Processor;
  /** Register accesses that went to the device model. */
  requests = 0;
  injected = 0;
  merged = 0;
  onRequest: () => void = () => {};
  readonly pinPs: number;
  readonly #domain: Domain;
  readonly #costs: Costs;
  readonly #port: number;

  /** Requests are served on dom0's VCPU of this number. */
  constructor(domain: Domain, dom0: Domain, dom0Vcpu: number) {
    const { costs } = domain.hypervisor;
    this.processor = domain.processors[0];
    this.#domain = domain;
    this.#costs = costs;
    this.pinPs = costs.ioctl + costs.hypercall; // privcmd, HVMOP_set_pci_intx_level
    this.#port = domain.eventChannels.allocUnbound(dom0.id);
    const port = dom0.eventChannels.bindInterdomain(domain.id, this.#port);
    assert(port > 0, "hvm: dom0 can bind the request port");
    dom0.eventChannels.listen(port, () => this.onRequest(), dom0Vcpu);
  }

  registerAccess(cpu: Processor): void {
    this.requests++;
    cpu.charge(HYPERVISOR, HYP, this.#costs.vmExit);
    this.#domain.eventChannels.send(cpu, this.#port);
  }

  resume(cpu: Processor): void {
    const { hvmIoreq, vmExit, eventSend } = this.#costs;
    cpu.charge(HYPERVISOR, HYP, Math.max(0, hvmIoreq - vmExit - eventSend));
  }

  /** The notification back is Xen's own to take: the guest sees no event. */
  answer(cpu: Processor): void {
    cpu.charge(NOTIFICATION, HYP, this.#costs.eventSend);
  }

  line(name: string, handler: (cpu: Processor) => void, message: () => number): InterruptLine {
    return new InterruptLine(this, name, handler, message);
  }

  /** It is made to leave and comes back with the vector, or has left already and that exit was not charged. */
  injectionPs(): number {
    return this.#costs.vmExit;
  }

  /** The virtual APIC is Xen's: an exit that goes no further. */
  endOfInterrupt(cpu: Processor): void {
    cpu.charge(HYPERVISOR, HYP, this.#costs.vmExit);
  }
}
