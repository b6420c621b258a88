import { SoftwareBridge } from "../../src/hw/bridge.ts";
import { FramePool } from "../../src/hw/frame.ts";
import type { FrameReceiver } from "../../src/hw/nic_driver.ts";
import type { Processor } from "../../src/hw/processor.ts";
import { KERNEL } from "../../src/metrics/stage.ts";
import type { Domain } from "../../src/xen/domain.ts";
import { Netfront } from "../../src/xen/netfront.ts";
import { Host } from "./support.ts";

export const GUEST_MAC = { macHigh: 0x024d, macLow: 0x57000001 };
export const OUTSIDE_MAC = { macHigh: 0x024d, macLow: 0x58000001 };
export type Mac = typeof GUEST_MAC;

/** Everything up to 192 bytes is linear; of longer frames the first 64 bytes are. */
export const splitAt64 = (_view: DataView, _at: number, length: number) => length <= 192 ? length : 64;

/** A network stack that keeps the bytes of what it gets. */
export class Stack implements FrameReceiver {
  readonly received: Uint8Array[] = [];
  readonly sent: number[] = [];
  readonly #frames: FramePool;

  constructor(frames: FramePool) {
    this.#frames = frames;
  }

  receive(_cpu: Processor, frame: number): void {
    this.received.push(bytesOf(this.#frames, frame));
  }

  frameSent(_cpu: Processor, cookie: number): void {
    this.sent.push(cookie);
  }
}

/** The bridge's way out: keeps the bytes of what leaves, and frees the frame. */
export class Outside {
  readonly name = "outside";
  readonly left: Uint8Array[] = [];
  readonly #frames: FramePool;

  constructor(frames: FramePool) {
    this.#frames = frames;
  }

  transmit(_cpu: Processor, frame: number): boolean {
    this.left.push(bytesOf(this.#frames, frame));
    this.#frames.free(frame);
    return true;
  }
}

export function bytesOf(frames: FramePool, frame: number): Uint8Array {
  const bytes = new Uint8Array(frames.frameLength(frame));
  const { memory } = frames;
  const linear = frames.linearOf(frame);
  bytes.set(memory.bytes(frames.at(frame), linear));
  if (bytes.length > linear) bytes.set(memory.bytes(frames.payloadOf(frame), bytes.length - linear), linear);
  return bytes;
}

/** A Xen host with dom0, a bridge with a way out, and one guest that has a netfront. */
export class NetHost extends Host {
  readonly frames = new FramePool(this.memory, this.journeys, 1024);
  readonly dom0: Domain;
  readonly guest: Domain;
  readonly bridge: SoftwareBridge;
  readonly outside = new Outside(this.frames);
  readonly stack = new Stack(this.frames);
  readonly front: Netfront;
  /** Guest memory that payload is sent from. */
  readonly payload: number;
  #seed = 1;

  constructor(cpus = 4, queueLimit = 64) {
    super(cpus);
    this.dom0 = this.domain("dom0", 2);
    this.guest = this.domain("guest");
    this.bridge = new SoftwareBridge(this.frames, this.xen.costs);
    this.bridge.addPort(this.outside);
    this.bridge.learn(OUTSIDE_MAC.macLow, 0);
    this.payload = this.guest.allocPages(64);
    for (let i = 0; i < 64 * 4096; i++) this.memory.u8[this.payload + i] = (i * 7 + (i >> 8)) & 0xff;
    this.front = new Netfront({
      domain: this.guest,
      frames: this.frames,
      receiver: this.stack,
      ...GUEST_MAC,
      split: splitAt64,
      queueLimit,
    });
  }

  /** A frame of `length` bytes; what does not fit the linear part is attached from guest memory at `offset`. */
  frame(to: Mac, from: Mac, length: number, offset = 0): number {
    const linear = length <= 192 ? length : 64;
    const frame = this.frames.take(linear);
    const { view, u8 } = this.memory;
    const at = this.frames.at(frame);
    view.setUint16(at, to.macHigh);
    view.setUint32(at + 2, to.macLow);
    view.setUint16(at + 6, from.macHigh);
    view.setUint32(at + 8, from.macLow);
    for (let i = 12; i < linear; i++) u8[at + i] = (this.#seed = (this.#seed * 75 + 74) % 65537) & 0xff;
    if (length > linear) this.frames.attach(frame, this.payload + offset, length - linear);
    return frame;
  }

  /** The guest sends frames in one burst, in CPU time of class `cls`; returns their bytes. */
  send(at: number, frames: number[], port: Pick<Netfront, "transmit"> = this.front, cls = KERNEL): Uint8Array[] {
    const bytes = frames.map((frame) => bytesOf(this.frames, frame));
    this.burst(this.guest.processors[0], at, (cpu) => {
      for (const frame of frames) port.transmit(cpu, frame, cls);
    });
    return bytes;
  }

  /** Frames come in from outside, on dom0's first VCPU; returns their bytes. */
  arrive(at: number, frames: number[]): Uint8Array[] {
    const bytes = frames.map((frame) => bytesOf(this.frames, frame));
    this.burst(this.dom0.processors[0], at, (cpu) => {
      for (const frame of frames) this.bridge.forward(cpu, KERNEL, 0, frame);
    });
    return bytes;
  }
}
