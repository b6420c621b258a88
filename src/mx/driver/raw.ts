import { LINEAR_BYTES } from "../../hw/frame.ts";
import type { Processor } from "../../hw/processor.ts";
import { KERNEL } from "../../metrics/stage.ts";
import { RAW_FRAME_MAX } from "../wire/mod.ts";
import * as count from "./counters.ts";
import type { OmxDriver } from "./driver.ts";

/** Received packets that wait for whoever has opened the raw endpoint (omx_io.h:105-107). */
const QUEUE_LENGTH = 32;

/**
 * The raw endpoint of a board: whole frames, as the discovery daemon sends and receives them (omx_raw.c). Packets are
 * queued whether or not somebody has opened it; one process at a time may.
 */
export class RawEndpoint {
  readonly #driver: OmxDriver;
  readonly #queue: Uint8Array[] = [];
  /** Engine handler that wakes the process that has opened it; -1 while none has. */
  #waker = -1;

  constructor(driver: OmxDriver) {
    this.#driver = driver;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get isFull(): boolean {
    return this.#queue.length >= QUEUE_LENGTH;
  }

  /** Opens it for a process, which is woken by every packet; false when another one has it. */
  open(wake: () => void): boolean {
    if (this.#waker >= 0) return false;
    this.#waker = this.#driver.engine.handler(`${this.#driver.hostname} raw packet`, wake);
    return true;
  }

  close(): void {
    this.#waker = -1;
  }

  /** Sends a whole frame, from its Ethernet header on; false when there is no buffer, or it is too long. */
  send(cpu: Processor, bytes: Uint8Array): boolean {
    const driver = this.#driver;
    const { frames, memory } = driver;
    if (bytes.length > RAW_FRAME_MAX) return false;
    const linear = Math.min(bytes.length, LINEAR_BYTES);
    const frame = frames.take(linear);
    if (frame < 0) {
      driver.counters[count.BUFFER_ALLOC_FAILED]++;
      return false;
    }
    memory.u8.set(bytes.subarray(0, linear), frames.at(frame));
    if (linear < bytes.length) {
      const rest = frames.attachOwn(frame, bytes.length - linear, driver.payloadBuffers);
      memory.write(rest, bytes.subarray(linear));
    }
    driver.emit(cpu, KERNEL, frame, count.SEND_RAW);
    return true;
  }

  /** A RAW frame has come in, of 1024 bytes at most: queued, or dropped and counted. */
  receive(cpu: Processor, frame: number): void {
    const driver = this.#driver;
    if (this.isFull) {
      driver.counters[count.DROP_RAW_QUEUE_FULL]++;
      return;
    }
    const { frames, memory } = driver;
    const packet = new Uint8Array(frames.frameLength(frame));
    const linear = frames.linearOf(frame);
    packet.set(memory.u8.subarray(frames.at(frame), frames.at(frame) + linear));
    const from = frames.payloadOf(frame);
    packet.set(memory.bytes(from, frames.payloadLengthOf(frame)), linear);
    this.#queue.push(packet);
    driver.counters[count.RECV_RAW]++;
    if (this.#waker >= 0) cpu.post(this.#waker);
  }

  /** The oldest packet, or null. */
  take(): Uint8Array | null {
    return this.#queue.shift() ?? null;
  }
}
