import { PAGE_SIZE } from "../base/units.ts";
import { type FramePool, LINEAR_BYTES } from "../hw/frame.ts";
import { type DriverQueue, USED_BROKEN } from "./driver_queue.ts";
import { NET_HEADER_BYTES, netBuffers, netHeaderLength } from "./net_header.ts";

// Here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const PAGE_BYTES = PAGE_SIZE;
const HEADER = NET_HEADER_BYTES;
const BROKEN = USED_BROKEN;
/** Buffers that a packet takes at most. */
const MOST_BUFFERS = 64;
/** Those of the packet that is being taken, of whichever guest: at hand each time, as a guest's own would not be. */
const PACKET = new Float64Array(MOST_BUFFERS);
const HEADS = new Int32Array(MOST_BUFFERS);

/**
 * A guest driver's receive buffers: pages that several of make a packet (VIRTIO_NET_F_MRG_RXBUF), or chains of pages
 * that hold any packet. Either way they lie one behind another in memory and go round in that order, so that a packet's
 * payload is one stretch and can be handed on where it lies, but for the one that goes round the end, which is put
 * together.
 */
export class ReceiveBuffers {
  /** Buffers in all: each is the device's, or being taken. */
  count = 0;
  readonly counters = {
    /** Chains that the device filled with something impossible. */
    rxBroken: 0,
    /** No frame could be had for a received packet. */
    rxNoFrame: 0,
  };
  readonly #frames: FramePool;
  readonly #rx: DriverQueue;
  /** Each chain is one buffer. */
  readonly #isSingle: boolean;
  readonly #bufferBytes: number;
  readonly #address: Float64Array; // by head
  readonly #scratch: number;
  /** How many the packet that is being taken has. */
  #taken = 0;

  /** Gives every buffer to the device; the largest packet takes `pages` pages. */
  constructor(frames: FramePool, rx: DriverQueue, pages: number) {
    this.#frames = frames;
    this.#rx = rx;
    const { size } = rx.queue;
    this.#isSingle = rx.chainLimit === 1;
    this.#bufferBytes = rx.chainLimit * PAGE_SIZE;
    this.#address = new Float64Array(size);
    const { memory } = frames;
    this.#scratch = memory.alloc(pages * PAGE_SIZE);
    memory.defer(this.#scratch, pages * PAGE_SIZE);
    const base = memory.alloc(this.#bufferBytes * size);
    memory.deferPackets(base, this.#bufferBytes * size);
    while (this.count < size && rx.hasRoom(rx.chainLimit)) this.#supply(base + this.count++ * this.#bufferBytes);
    rx.publish(rx.nextIndex);
    rx.enableInterrupts();
  }

  /**
   * Takes the next packet and returns a frame for it, -1 when there is no frame or no packet. Its payload stays in the
   * buffers, which the device sees again when the queue is published: after the packet has been dealt with.
   */
  take(): number {
    const total = this.#takeBuffers();
    const frame = total < 0 ? -1 : this.#frameOf(total);
    this.#giveBack(this.#taken);
    return frame;
  }

  /** Lets the device have the first buffers of {@link PACKET} again. */
  #giveBack(count: number): void {
    if (!this.#isSingle) {
      for (let i = 0; i < count; i++) this.#supply(PACKET[i]);
      return;
    }
    const rx = this.#rx;
    let last = count;
    for (let i = 0; i < count; i = (i + 1) | 0) {
      last = (last - 1) | 0;
      const head = HEADS[last]; // what was freed last is used first, as a list of free descriptors has it
      this.#address[head] = PACKET[i];
      rx.supplyAgain(head, PACKET[i]);
    }
  }

  /**
   * A packet has been dealt with: nobody reads its payload again before the device writes there. Else the copies that
   * were put off would be remembered of every packet that the buffers have room for, and moved about for each new one.
   */
  discard(frame: number): void {
    const frames = this.#frames;
    const length = frames.payloadLengthOf(frame);
    if (length > 0) frames.memory.discard(frames.payloadOf(frame), length);
  }

  #supply(address: number): void {
    const rx = this.#rx;
    if (this.#isSingle) {
      this.#address[rx.supply(address, PAGE_BYTES)] = address;
      return;
    }
    this.#address[rx.begin()] = address;
    for (let i = 0; i < rx.chainLimit; i++) rx.add(address + i * PAGE_BYTES, PAGE_BYTES, true);
    rx.finish();
  }

  /** Takes the buffers of one packet; returns its bytes with the header, -1 when the device did something impossible. */
  #takeBuffers(): number {
    const rx = this.#rx;
    const isSingle = this.#isSingle;
    const bufferBytes = this.#bufferBytes;
    const { waiting } = rx;
    let total = 0;
    let wanted = 1;
    let taken = 0;
    let broken = false;
    for (; taken < wanted; taken = (taken + 1) | 0) {
      broken = taken >= waiting;
      if (broken) break;
      const head = isSingle ? rx.takeToSupply() : rx.take();
      broken = head === BROKEN;
      if (broken) break;
      HEADS[taken] = head;
      const address = this.#address[head];
      PACKET[taken] = address;
      const { writtenBytes } = rx;
      const written = writtenBytes < bufferBytes ? writtenBytes : bufferBytes;
      total = (total + written) | 0;
      if (taken > 0 || written < HEADER) continue;
      const { memory } = this.#frames;
      wanted = netBuffers(memory, memory.headAt(address));
      if (wanted > MOST_BUFFERS) wanted = MOST_BUFFERS;
    }
    this.#taken = taken;
    // 5.1.6.4.2: the device fills every buffer of a packet but the last one.
    broken ||= wanted === 0 || total <= (wanted - 1) * bufferBytes || total <= HEADER;
    if (!broken) return total;
    this.counters.rxBroken++;
    return -1;
  }

  #frameOf(total: number): number {
    const frames = this.#frames;
    const { memory } = frames;
    const length = total - HEADER;
    const linear = Math.min(netHeaderLength(memory, memory.headAt(PACKET[0])), length, LINEAR_BYTES);
    const frame = linear === 0 ? -1 : frames.take(linear);
    if (frame < 0) {
      this.counters.rxNoFrame++;
      return -1;
    }
    const at = this.#contiguous(total) + HEADER;
    memory.takeHeader(frames.at(frame), at, linear); // what the device had in a linear part it has really written
    if (length > linear) frames.attach(frame, at + linear, length - linear);
    return frame;
  }

  /** Where the packet lies in one stretch: in its buffers, or put together where these go round the end. */
  #contiguous(total: number): number {
    const bytes = this.#bufferBytes;
    const taken = this.#taken;
    let i = 1;
    while (i < taken && PACKET[i] === PACKET[i - 1] + bytes) i = (i + 1) | 0;
    if (i >= taken) return PACKET[0];
    const { memory } = this.#frames;
    for (i = 0; i < taken; i++) {
      memory.copy(this.#scratch + i * bytes, PACKET[i], Math.min(bytes, total - i * bytes));
      memory.discard(PACKET[i], bytes);
    }
    return this.#scratch;
  }
}
