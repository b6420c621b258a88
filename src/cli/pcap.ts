import { counted } from "../base/counted.ts";
import { formatSize, parseSize, QuantityError } from "../base/quantity.ts";
import type { Session } from "../cluster/session.ts";
import { Capture } from "../report/capture.ts";
import { choose, UnknownPlace } from "../report/capture_names.ts";
import { captureAbout } from "./about.ts";
import { optionText } from "./command_line.ts";
import { UsageError } from "./exit.ts";
import { OutputFile } from "./files.ts";
import { complain } from "./output.ts";
import { PCAP_LIMIT, type PcapOptions } from "./run_outputs.ts";

/** A capture that was asked for: its file is made sure of first, then it listens, then it is written. */
export class PcapOutput {
  readonly #file: OutputFile;
  readonly #at: readonly string[];
  readonly #snaplen: number;
  readonly #limit: number;
  #capture: Capture | null = null;

  private constructor(path: string, { pcapAt, pcapSnaplen, pcapLimit }: PcapOptions) {
    this.#at = pcapAt ?? [];
    this.#snaplen = sizeOption("--pcap-snaplen", pcapSnaplen, 0);
    this.#limit = sizeOption("--pcap-limit", pcapLimit, PCAP_LIMIT);
    this.#file = new OutputFile(path);
  }

  /** Null when no capture was asked for. Throws {@link UsageError} for a bad option or a place that cannot be written. */
  static of(options: PcapOptions): PcapOutput | null {
    if (options.pcap !== undefined) return new PcapOutput(options.pcap, options);
    const [alone] = (["pcapAt", "pcapSnaplen", "pcapLimit"] as const).filter((key) => options[key] !== undefined);
    if (alone === undefined) return null;
    throw new UsageError(`${optionText(alone)}: found it without --pcap; wanted --pcap <file> too`);
  }

  /** Listens from now on. Throws {@link UsageError} for a name that the scenario does not have. */
  start({ cluster }: Session): void {
    // Without a wire (one host) there are other places, which have to be named.
    const taps = this.#at.length === 0 ? cluster.links.map(({ tap }) => tap) : chosenTaps(cluster.taps, this.#at);
    if (taps.length === 0) {
      throw new UsageError(`--pcap: the scenario has no wire; wanted --pcap-at with a name of \`mxtop list taps\``);
    }
    this.#capture = new Capture(taps, cluster.world.frames, { snaplen: this.#snaplen, limitBytes: this.#limit });
  }

  /** The run is over, and what comes now is no part of its result. */
  stop(): void {
    this.#capture?.stop();
  }

  /** Writes the file and says on stderr what is not in it; whether it was written. */
  async write(session: Session, command: string, quiet: boolean): Promise<boolean> {
    const capture = this.#capture;
    if (capture === null) return false;
    try {
      this.#file.write(capture.file(captureAbout(session, command), session.now));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      await complain(`mxtop: ${error.message}`);
      return false;
    }
    if (capture.dropped > 0) {
      const limit = formatSize(this.#limit);
      await complain(`mxtop: ${this.#file.path}: ${capture.dropped} frames are not in it; --pcap-limit is ${limit}`);
    }
    if (!quiet) await complain(`mxtop: ${counted(capture.kept, "frame")} in ${this.#file.path}`);
    return true;
  }
}

function chosenTaps(taps: Session["cluster"]["taps"], names: readonly string[]) {
  try {
    return choose(taps, names);
  } catch (error) {
    throw error instanceof UnknownPlace ? new UsageError(`--pcap-at: ${error.message}`) : error;
  }
}

function sizeOption(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  try {
    const bytes = parseSize(text);
    if (bytes > 0) return bytes;
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    throw new UsageError(`${option}: ${error.message}`);
  }
  throw new UsageError(`${option}: found 0, wanted more`);
}
