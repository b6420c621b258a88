import { fileURLToPath } from "node:url";

/** The dissector. */
const SCRIPT = fileURLToPath(new URL("../../wireshark/mxoe.lua", import.meta.url));

/** Whether Wireshark's command line is here; its tests are left out where it is not. */
export const HAS_TSHARK = (() => {
  try {
    return new Deno.Command("tshark", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
})();
if (!HAS_TSHARK) console.error("tshark is not installed: the tests of the Wireshark dissector are left out");

/** What tshark makes of one frame. */
export interface Dissected {
  /** Those of the wanted fields that it has, by name. */
  readonly fields: Readonly<Record<string, string>>;
  readonly protocols: string;
  /** The info column. */
  readonly info: string;
  /** Messages of experts, and the worst of their severities. */
  readonly remarks: readonly string[];
  readonly severity: number;
  readonly isMalformed: boolean;
}

/** `_ws.expert.severity` of an error. */
export const SEVERITY_ERROR = 0x800000;
const ABOUT = ["frame.protocols", "_ws.col.Info", "_ws.expert.message", "_ws.expert.severity", "_ws.malformed"];

/**
 * Dissects a file with our script and gives the `wanted` fields of each frame. In an empty home, so that no plugin or
 * preference of the user's is read; Wireshark's own set-up lets root, as which CI often runs, load a script by option.
 */
export async function dissect(file: string, wanted: readonly string[], compat = false): Promise<Dissected[]> {
  const home = await Deno.makeTempDir();
  try {
    const columns = [...ABOUT, ...wanted.map((name) => `mxoe.${name}`)];
    const { success, stdout, stderr } = await new Deno.Command("tshark", {
      args: [
        ...["-n", "-X", `lua_script:${SCRIPT}`, "-o", `mxoe.compat:${compat ? "TRUE" : "FALSE"}`, "-r", file],
        ...["-T", "fields", "-E", "separator=/t", "-E", "aggregator=;", ...columns.flatMap((name) => ["-e", name])],
      ],
      env: { HOME: home, XDG_CONFIG_HOME: home, LC_ALL: "C.UTF-8", TZ: "UTC" },
    }).output();
    const complaint = new TextDecoder().decode(stderr).replace(/^Running as user .*\n?/gm, "").trim();
    if (!success || complaint !== "") throw new Error(`tshark: ${complaint}`);
    const lines = new TextDecoder().decode(stdout).split("\n").slice(0, -1);
    return lines.map((line) => read(line.split("\t"), wanted));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function read([protocols, info, messages, severities, malformed, ...values]: string[], wanted: readonly string[]) {
  const present = wanted.map((name, i) => [name, values[i] ?? ""] as const).filter(([, value]) => value !== "");
  return {
    fields: Object.fromEntries(present),
    protocols,
    info,
    remarks: messages === "" ? [] : messages.split(";"),
    severity: Math.max(0, ...severities.split(";").map(Number)),
    isMalformed: malformed !== "",
  };
}
