import { Command, Option } from "@commander-js/extra-typings";
import { didYouMean } from "../base/suggest.ts";
import { PACKET_TYPES } from "../mx/wire/mod.ts";
import { UnknownPlace } from "../report/capture_names.ts";
import { decodeJson, type DecodeOptions, decodeText, limitsOf } from "../report/decode.ts";
import { NoCapture, type ReadCapture, readCapture } from "../report/pcap_reader.ts";
import { EXIT_OK, UsageError } from "./exit.ts";
import { readUserCapture } from "./files.ts";
import { collect } from "./options.ts";
import { complain, print } from "./output.ts";

interface Options {
  readonly at?: string[];
  readonly type?: string;
  readonly format: string;
  readonly wire?: string;
  readonly mtu?: string;
}

/** Lines that are printed at once. */
const BATCH = 1000;

/** `mxtop decode`: the frames of a capture, one line each. */
export function decodeCommand(finish: (exitCode: number) => void) {
  return new Command("decode")
    .summary("print the frames of a capture, one line each")
    .description("Prints the frames of a capture (pcapng or pcap), one line each.")
    .argument("<file>", "a capture of mxtop's, or of anything else that has seen MXoE")
    .option("--at <name>", "frames of this interface only, such as a-b or vm*/eth0; repeatable", collect)
    .option("--type <types>", "packets of these types only, such as RNDV,PULL,NOTIFY")
    .addOption(new Option("--format <format>", "form of the output").choices(["text", "json"]).default("text"))
    .addOption(new Option("--wire <layout>", "layout of the packets (default: as the file says, or open-mx)")
      .choices(["open-mx", "mx"]))
    .addOption(new Option("--mtu <bytes>", "largest frame (default: as the file says, or 9000)")
      .choices(["1500", "9000"]))
    .action(async (file, options) => finish(await decode(file, options)));
}

async function decode(file: string, options: Options): Promise<number> {
  const types = typesOf(options.type);
  const capture = read(file);
  const mtu = options.mtu === undefined ? undefined : Number(options.mtu);
  const decoding = { limits: limitsOf(capture, { wire: options.wire, mtu }), at: options.at ?? [], types };
  await printFrames(capture, decoding, options.format === "json");
  if (capture.problem !== null) await complain(`mxtop: ${file}: ${capture.problem}; what comes before is shown`);
  return EXIT_OK;
}

function read(file: string): ReadCapture {
  try {
    return readCapture(readUserCapture(file));
  } catch (error) {
    if (!(error instanceof NoCapture)) throw error;
    throw new UsageError(`${file}: found ${error.message}; wanted a capture, pcapng or pcap`);
  }
}

/** JSON is one array with one frame on each line. */
async function printFrames(capture: ReadCapture, options: DecodeOptions, isJson: boolean): Promise<void> {
  const lines = isJson ? decodeJson(capture, options) : decodeText(capture, options);
  let batch: string[] = [];
  let first = true;
  const flush = async () => {
    if (batch.length === 0) return;
    await print(isJson ? `${first ? "[\n" : ",\n"}${batch.join(",\n")}` : `${batch.join("\n")}\n`);
    first = false;
    batch = [];
  };
  try {
    for (const line of lines) {
      batch.push(line);
      if (batch.length === BATCH) await flush();
    }
  } catch (error) {
    throw error instanceof UnknownPlace ? new UsageError(`--at: ${error.message}`) : error;
  }
  await flush();
  if (isJson) await print(first ? "[]\n" : "\n]\n");
}

function typesOf(text: string | undefined): number[] {
  if (text === undefined) return [];
  const names = PACKET_TYPES.map(([, name]) => name);
  return text.split(",").map((word) => {
    const name = word.trim().toUpperCase();
    const known = PACKET_TYPES.find(([, candidate]) => candidate === name);
    if (known !== undefined) return known[0];
    throw new UsageError(`--type: unknown type '${word}'${didYouMean(name, names)}; wanted ${names.join(", ")}`);
  });
}
