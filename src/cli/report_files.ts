import type { ReportFile, ReportFiles } from "../tui/drive/export.ts";
import { UsageError } from "./exit.ts";

const DIRECTORY = "reports";
/** Files of one name, numbered, before it is no longer tried. */
const MOST = 1000;

/**
 * Files that the dashboard writes, into ./reports. It never asks for the permission: a question would stand over the
 * screen, and wait for an answer that nobody sees.
 */
export const REPORT_FILES: ReportFiles = {
  directory: `./${DIRECTORY}/`,
  missing() {
    const { state } = Deno.permissions.querySync({ name: "write", path: DIRECTORY });
    return state === "granted" ? null : `writing files needs: deno run --allow-write=${DIRECTORY} main.ts`;
  },
  create(name) {
    Deno.mkdirSync(DIRECTORY, { recursive: true });
    const dot = name.indexOf(".", name.lastIndexOf("s."));
    for (let number = 1; number <= MOST; number++) {
      const path = `${DIRECTORY}/${number === 1 ? name : `${name.slice(0, dot)}-${number}${name.slice(dot)}`}`;
      try {
        return reportFile(path, Deno.openSync(path, { write: true, createNew: true }));
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
    throw new UsageError(`${DIRECTORY}/${name}: there are ${MOST} of this name`);
  },
};

function reportFile(path: string, file: Deno.FsFile): ReportFile {
  const encoder = new TextEncoder();
  return {
    path,
    write(part) {
      const bytes = typeof part === "string" ? encoder.encode(part) : part;
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    },
    close: () => file.close(),
    discard() {
      file.close();
      Deno.removeSync(path);
    },
  };
}
