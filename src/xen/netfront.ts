import { PAGE_SIZE } from "../base/units.ts";
import type { FramePool } from "../hw/frame.ts";
import type { FrameReceiver } from "../hw/nic_driver.ts";
import type { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import { FrameTap } from "../hw/tap.ts";
import { IRQ } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import { type HeaderSplit, NetJourneys, RX_SLOTS, TX_SLOTS } from "./net_layout.ts";
import { NetfrontRx } from "./netfront_rx.ts";
import { NetfrontTx } from "./netfront_tx.ts";
import { initSharedRing } from "./shared_ring.ts";

export interface NetfrontParts {
  readonly domain: Domain;
  readonly frames: FramePool;
  /** The guest's network stack. */
  readonly receiver: FrameReceiver;
  readonly macHigh: number;
  readonly macLow: number;
  readonly split: HeaderSplit;
  /** Frames that the kernel's transmit queue holds. */
  readonly queueLimit: number;
  /** Shows what goes into and comes out of the rings; queues of one device share theirs. */
  readonly tap?: FrameTap;
}

/**
 * The guest's half of a split network device (Linux drivers/net/xen-netfront.c): two rings in pages of the guest and one
 * event channel for both. An Ethernet port for the guest's kernel; everything runs on the guest's first VCPU.
 */
export class Netfront {
  readonly domain: Domain;
  readonly macHigh: number;
  readonly macLow: number;
  readonly tx: NetfrontTx;
  readonly rx: NetfrontRx;
  readonly journeys = new NetJourneys();
  /** Grant references of the transmit and the receive ring's page. */
  readonly ringRefs = new Int32Array(2);
  /** Interrupts of the device. */
  interrupts = 0;
  #sender: Interrupt | null = null;

  constructor(parts: NetfrontParts) {
    const { domain, frames, receiver } = parts;
    this.domain = domain;
    this.macHigh = parts.macHigh;
    this.macLow = parts.macLow;
    const pages = domain.allocPages(2);
    domain.grantTable.reserve(null, 2, this.ringRefs);
    for (let i = 0; i < 2; i++) {
      initSharedRing(domain.memory, pages + i * PAGE_SIZE);
      domain.grantTable.grantAccess(null, this.ringRefs[i], 0, pages / PAGE_SIZE + i, false);
    }
    const notify = () => domain.processors[0].raise(this.#sender!);
    const { tap = new FrameTap(`${domain.name}/vif`, "netfront") } = parts;
    const half = { domain, frames, receiver, journeys: this.journeys, tap, notify };
    this.tx = new NetfrontTx({ ...half, page: pages }, parts.queueLimit);
    this.rx = new NetfrontRx({ ...half, page: pages + PAGE_SIZE }, parts, parts.split);
  }

  /** Opens the event channel's guest end, before anything is sent. */
  bind(port: number): void {
    this.#sender = this.domain.eventChannels.sender(port);
    this.domain.eventChannels.listen(port, (cpu) => this.#interrupt(cpu));
  }

  /** EtherPort: a frame of the guest's kernel, in CPU time of class `cls`; gone either way, false when it was dropped. */
  transmit(cpu: Processor, frame: number, cls: number): boolean {
    return this.tx.transmit(cpu, frame, cls);
  }

  /** One interrupt for both rings (xennet_interrupt). */
  #interrupt(cpu: Processor): void {
    this.interrupts++;
    this.tx.collect(cpu, IRQ);
    this.rx.interrupt(cpu);
  }

  /** Slots of both rings that hold something: frames on their way out, and frames that the guest has not taken. */
  get slotsUsed(): number {
    return this.tx.slotsInUse + Math.max(0, this.rx.ring.unconsumedResponses());
  }

  get slots(): number {
    return TX_SLOTS + RX_SLOTS;
  }
}
