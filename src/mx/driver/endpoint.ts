import type { Processor } from "../../hw/processor.ts";
import type { PullHandle } from "./pull_handle.ts";
import type { Region } from "./region.ts";
import type { SlotArea } from "./slot_area.ts";

/**
 * Where a driver puts events for the library of one endpoint: its own event queues in a native driver, a ring to the
 * guest in a backend. A slot is reserved, filled by the driver, and committed, all in one burst.
 */
export interface EventSink {
  /**
   * Reserves an event slot, and with `withData` a receive-queue slot; returns the address of its 64 bytes, or -1 when
   * the queue is full. {@link recvSlot} and {@link recvAddress} are then the receive-queue slot's number and address.
   */
  reserve(cpu: Processor, expected: boolean, withData: boolean): number;
  readonly recvSlot: number;
  readonly recvAddress: number;
  /** Publishes the slot reserved last, at the instant that the burst has reached. Takes over the journey. */
  commit(cpu: Processor, type: number, journey: number): void;
}

/** An endpoint as the kernel driver knows it (omx_endpoint.c). */
export class DriverEndpoint {
  readonly index: number;
  readonly session: number;
  readonly sink: EventSink;
  /** The send queue as this driver reaches it. */
  readonly sendQueue: SlotArea;
  /** By id, as far as ids have been used. */
  readonly regions: (Region | null)[] = [];
  /** Pulls of this endpoint that are under way, by slot. */
  readonly pulls: (PullHandle | null)[] = [];
  /** Bytes of all that have ended well, as told to the library. */
  pulled = 0;
  isOpen = true;
  /** Frames that refer to its send queue, or to its program's pages, and have not left the NIC. */
  framesOut = 0;
  #free: ((cpu: Processor) => void) | null = null;

  constructor(index: number, session: number, sink: EventSink, sendQueue: SlotArea) {
    this.index = index;
    this.session = session;
    this.sink = sink;
    this.sendQueue = sendQueue;
  }

  /** One of {@link framesOut} has left. */
  frameLeft(cpu: Processor): void {
    this.framesOut--;
    if (this.framesOut > 0 || this.#free === null) return;
    this.#free(cpu);
    this.#free = null;
  }

  /** Of a closed endpoint: has `free` give its queues back as soon as no frame refers to them, now if none does. */
  whenLeft(cpu: Processor, free: (cpu: Processor) => void): void {
    if (this.framesOut === 0) free(cpu);
    else this.#free = free;
  }
}
