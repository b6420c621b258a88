import { FramePool } from "../../src/hw/frame.ts";
import { Memory } from "../../src/hw/memory.ts";
import { FrameTap } from "../../src/hw/tap.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { Capture, type CaptureOptions } from "../../src/report/capture.ts";
import { type ReadCapture, readCapture } from "../../src/report/pcap_reader.ts";

export const ABOUT = {
  hardware: "hardware",
  os: "system",
  application: "mxtop test",
  comment: "a comment\nof two lines",
};
export const ALL: CaptureOptions = { snaplen: 0, limitBytes: 1e9 };

/** A capture at places of a test's own, which the test shows frames of its own. */
export class CaptureBench {
  readonly frames = new FramePool(new Memory(8 << 20), new Journeys(), 64);
  readonly taps: FrameTap[];
  readonly capture: Capture;

  constructor(names: readonly string[], options: CaptureOptions = ALL) {
    this.taps = names.map((name) => new FrameTap(name, `place ${name}`, 10e9));
    this.capture = new Capture(this.taps, this.frames, options);
  }

  /** Shows a frame with these bytes; what is beyond `linear` of them is referred to where it lies. */
  show(tap: number, way: 0 | 1, at: number, bytes: Uint8Array, linear = Math.min(bytes.length, 192)): void {
    const { frames } = this;
    const frame = frames.take(linear);
    frames.memory.u8.set(bytes.subarray(0, linear), frames.at(frame));
    if (bytes.length > linear) {
      frames.memory.u8.set(bytes.subarray(linear), frames.attachOwn(frame, bytes.length - linear));
    }
    this.taps[tap].see(way, frame, at);
    frames.free(frame);
  }

  file(endPs = 1e9): Uint8Array {
    return join(this.capture.file(ABOUT, endPs));
  }

  read(endPs?: number): ReadCapture {
    return readCapture(this.file(endPs));
  }
}

export function join(pieces: Iterable<Uint8Array>): Uint8Array {
  const all = [...pieces];
  const whole = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of all) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
