import { PtyScreen } from "../tests/tui/pty.ts";

/*
 * How long until there is something to see: `deno run -A bench/start_up.ts [rounds]`. Wall time, warm: what is read from
 * disk has been read before. The dashboard runs in a pseudo-terminal with a terminal emulator behind it; its first
 * picture with data is the one that shows figures of a guest. Prints milliseconds as JSON, every round.
 */

const MAIN = new URL("../main.ts", import.meta.url).pathname;

async function dashboard(): Promise<number> {
  const start = performance.now();
  const screen = new PtyScreen({ columns: 120, rows: 40, args: [MAIN] });
  try {
    await screen.until("figures", (text) => /(?:vm|node)\d+ .*\d+\.\d+/.test(text));
    const ms = performance.now() - start;
    screen.type("q");
    await screen.ended();
    return ms;
  } finally {
    screen.dispose();
  }
}

async function headless(): Promise<number> {
  const start = performance.now();
  const args = ["run", "-q", MAIN, "run", "pingpong-tiny", "--quiet", "--format", "json"];
  const { success } = await new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "inherit" }).output();
  if (!success) throw new Error("the headless run has failed");
  return performance.now() - start;
}

if (import.meta.main) {
  const rounds = Number(Deno.args[0] ?? 5);
  Deno.env.delete("DENO_V8_FLAGS"); // as the two commands of the README are given
  const times = { dashboard: [] as number[], headless: [] as number[] };
  await headless(); // warm
  for (let i = 0; i < rounds; i++) {
    times.headless.push(await headless());
    times.dashboard.push(await dashboard());
  }
  console.log(JSON.stringify(times));
}
