import type { Call, mx_segment_t, MxLibrary } from "./mx_types.ts";

/** A stretch of a guest's memory. What is read and written here takes no virtual time. */
export interface GuestBuffer {
  readonly address: number;
  readonly length: number;
  /**
   * The bytes now. Valid until the next `yield*`: fetch it anew after that. Another view of them begins at its
   * `byteOffset`, which is not the address.
   */
  bytes(): Uint8Array;
  /** Writes bytes, or a text in UTF-8, at an offset. */
  write(data: Uint8Array | string, offset?: number): void;
  /** UTF-8 text of the first `length` bytes. */
  text(length?: number): string;
  /** The whole buffer, or a part, for a call of the library. */
  segment(offset?: number, length?: number): mx_segment_t;
}

/** What a guest program has at hand: one of these for each rank. Times are virtual. */
export interface Guest {
  /** Number of this program's guest, from 0, and how many there are. */
  readonly rank: number;
  readonly ranks: number;
  /** Name of the guest. */
  readonly name: string;
  readonly mx: MxLibrary;
  /** Boards (network interfaces) of this guest. */
  readonly boards: number;
  /** Host name of another rank's board, for mx_hostname_to_nic_id. */
  hostname(rank: number, board?: number): string;
  /** The endpoint number that a rank should open: guests that share a board share its numbers. */
  endpoint(rank: number): number;
  /**
   * Sets a variable of the process's environment, which mx_init reads: OMX_RNDV_THRESHOLD and the like, see
   * docs/mx-api.md. The scenario's `environment:` is there from the start.
   */
  setenv(name: string, value: string): void;
  /** Page-aligned memory of the guest, zeroed. */
  alloc(bytes: number): GuestBuffer;
  /** Virtual time that the program has reached, microseconds. */
  now(): number;
  /** Occupies the CPU for so many microseconds. */
  compute(microseconds: number): Call<void>;
  /** Sleeps for so many microseconds. */
  sleep(microseconds: number): Call<void>;
  /** Calls `action` after so many microseconds, as a signal would; it may call mx_wakeup and nothing else of MX. */
  alarm(microseconds: number, action: () => void): void;
  /** A line of output: it is part of the run's result, with time and guest. */
  print(text: string): void;
  /** Counts an integrity error, with the text, unless `ok`. Gives `ok` back. */
  check(ok: boolean, text: string): boolean;
  /** A random number in [0, 1), from the run's seed and the guest's name. */
  random(): number;
  /** What the scenario or the command line passes: `program: {file, args}`, `--program-arg key=value`. */
  readonly args: Readonly<Record<string, string | number | boolean>>;
  /** The run is over: a program that would go on for ever should close and return. */
  stopping(): boolean;
}

/** The program of a rank. */
export type GuestMain = (guest: Guest) => Generator<number, void, void>;
