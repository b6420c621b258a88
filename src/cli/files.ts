import { basename, isAbsolute, normalize } from "node:path";
import { hash64 } from "../base/hash.ts";
import { formatSize } from "../base/quantity.ts";
import { MIB } from "../base/units.ts";
import { UsageError } from "./exit.ts";

/*
 * Files of the user: scenarios that are read, results that are written. mxtop starts without any permission and asks
 * for the one file that it needs, on a terminal; elsewhere it says which permission to give. A prompt must never wait
 * for an answer that nobody can give.
 */

/** Scenarios and programs are small; whatever is larger is another kind of file. */
const TEXT_LIMIT_BYTES = 1 * MIB;

/** Reads a user's text file. Throws {@link UsageError} when it is unreadable, too large, or no text. */
export function readUserFile(path: string, wanted = "a scenario in YAML", limit = TEXT_LIMIT_BYTES): string {
  demand("read", path, path);
  let bytes: Uint8Array;
  try {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile) throw new UsageError(`${path}: not a file; wanted ${wanted}`);
    if (size > limit) throw new UsageError(`${path}: found ${size} bytes, wanted at most ${formatSize(limit)}`);
    bytes = Deno.readFileSync(path);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${path}: ${reason(error)}`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // YAML allows no control characters but tab and line ends; a NUL is the sure sign of a binary file.
    if (!text.includes("\0")) return text;
  } catch {
    // Not UTF-8: the same message.
  }
  throw new UsageError(`${path}: a binary file, or not UTF-8; wanted ${wanted}`);
}

/** Captures are read as a whole. */
const CAPTURE_LIMIT_BYTES = 1024 * 1024 * 1024;

/** Reads a user's capture. Throws {@link UsageError} when it is unreadable or too large. */
export function readUserCapture(path: string): Uint8Array {
  demand("read", path, path);
  try {
    const { isDirectory, size } = Deno.statSync(path);
    if (isDirectory) throw new UsageError(`${path}: a directory; wanted a capture`);
    if (size > CAPTURE_LIMIT_BYTES) throw new UsageError(`${path}: found ${size} bytes, wanted at most 1 GiB`);
    return Deno.readFileSync(path);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${path}: ${reason(error)}`);
  }
}

/**
 * Throws {@link UsageError} when two options name one file to write, or one of them a file that is read: the later of
 * the two would be all that is left; and when one names none, as `--out "$unset"` does in a script. Options are named as
 * commander does it (`out`); a device can be named twice. Other names of a file (a link, an absolute path) are known as
 * far as the permissions let it be looked at.
 */
export function demandApart(
  outputs: Readonly<Record<string, string | undefined>>,
  inputs: readonly string[] = [],
): void {
  const taken = new Map(inputs.map((path) => [identityOf(path), "is read"]));
  for (const [option, path] of Object.entries(outputs)) {
    if (path === "") throw new UsageError(`--${option}: found an empty name, wanted a file`);
    if (path === undefined || isDevice(path)) continue;
    const identity = identityOf(path);
    const use = taken.get(identity);
    if (use !== undefined) throw new UsageError(`--${option}: found ${path}, which ${use}; wanted another file`);
    taken.set(identity, `--${option} writes`);
  }
}

function isDevice(path: string): boolean {
  const info = look(path);
  return info === null ? path.startsWith("/dev/") && !path.startsWith("/dev/shm/") : !info.isFile && !info.isDirectory;
}

/** Links that one path is followed through, at most, as Linux does it. */
const LINK_LIMIT = 40;

/** The same for all names of a file: of one that is not there yet, by its directory. */
function identityOf(path: string, links = 0): string {
  const info = look(path);
  if (info !== null && info.ino !== null) return `${info.dev}:${info.ino}`;
  // A link to a file that is not there yet: it is that file which will be made.
  const target = links < LINK_LIMIT ? targetOf(path) : null;
  if (target !== null) return identityOf(target, links + 1);
  const directory = look(directoryOf(path));
  if (directory === null || directory.ino === null) return normalize(path);
  return `${directory.dev}:${directory.ino}/${basename(path)}`;
}

/** What a path leads to; null when that cannot be seen, or is not to be. */
function look(path: string): Deno.FileInfo | null {
  if (!granted("read", path)) return null;
  try {
    return Deno.statSync(path);
  } catch {
    return null;
  }
}

/** Where a symbolic link leads; null when it is none, or is not to be seen. */
function targetOf(path: string): string | null {
  if (!granted("read", path)) return null;
  try {
    const target = Deno.readLinkSync(path);
    return isAbsolute(target) ? target : `${directoryOf(path)}/${target}`;
  } catch {
    return null;
  }
}

/** A file that a result will be written to; made before a run, so that a long run does not end in a refusal. */
export class OutputFile {
  readonly path: string;
  readonly #temporary: string;
  #atomic: boolean;
  /** Null while it is not written in pieces. */
  #growing: Deno.FsFile | null = null;

  /**
   * Asks for the permissions, and tries the place, which leaves nothing there. Throws {@link UsageError} when they are
   * refused, or the place cannot be written to.
   */
  constructor(path: string) {
    if (path === "") throw new UsageError("found an empty name of a file to write, wanted a file");
    this.path = path;
    const directory = directoryOf(path);
    // Whatever the length of a name may be, that of another beside it is not too long.
    this.#temporary = `${directory}/.${hash64(basename(path))}.${Deno.pid}.part`;
    if (!granted("write", path)) demand("write", directory, path);
    if (canAsk() && !granted("read", directory)) Deno.permissions.requestSync({ name: "read", path: directory });
    // A complete file or none: written beside its place, then renamed. That takes permission for both names.
    this.#atomic = granted("write", this.#temporary) && granted("read", directory) && this.#isReplaceable();
    // A file may be writable where its directory is not.
    if (this.#atomic && refusal(this.#temporary) !== null) this.#atomic = false;
    const problem = this.#atomic ? null : refusal(path);
    if (problem !== null) throw new UsageError(`${path}: ${problem}`);
  }

  /**
   * Writes the whole content: a text, or pieces of texts or bytes, so that a large file is never in memory as a whole.
   * Throws {@link UsageError} with the reason when that fails.
   */
  write(content: string | Iterable<string | Uint8Array>): void {
    const pieces = typeof content === "string" ? [content] : content;
    try {
      writePieces(this.#atomic ? this.#temporary : this.path, pieces);
      if (this.#atomic) Deno.renameSync(this.#temporary, this.path);
    } catch (error) {
      this.#discard();
      throw new UsageError(`${this.path}: ${reason(error)}`);
    }
  }

  /**
   * Writes a piece behind those before it, at once and in its own place: the file, which begins with the first piece, can
   * be read while it grows. Throws {@link UsageError} with the reason when that fails.
   */
  append(piece: string): void {
    try {
      this.#growing ??= Deno.openSync(this.path, { write: true, create: true, truncate: true });
      writeBytes(this.#growing, encoder.encode(piece));
    } catch (error) {
      throw new UsageError(`${this.path}: ${reason(error)}`);
    }
  }

  /** Ends a file of pieces. */
  close(): void {
    this.#growing?.close();
    this.#growing = null;
  }

  /** A device or a pipe is written to; only a regular file may be replaced by another. */
  #isReplaceable(): boolean {
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw new UsageError(`${this.path}: ${reason(error)}`);
      this.#checkDirectory();
      return true;
    }
    if (info.isDirectory) throw new UsageError(`${this.path}: a directory; wanted a file`);
    return info.isFile;
  }

  #checkDirectory(): void {
    const directory = directoryOf(this.path);
    try {
      if (Deno.statSync(directory).isDirectory) return;
    } catch (error) {
      throw new UsageError(`${directory}: ${reason(error)}`);
    }
    throw new UsageError(`${directory}: not a directory`);
  }

  #discard(): void {
    try {
      if (this.#atomic) Deno.removeSync(this.#temporary);
    } catch {
      // It was never made.
    }
  }
}

/** Why a file cannot be opened for writing, null when it can. One that is not there is made, and removed again. */
function refusal(path: string): string | null {
  try {
    Deno.openSync(path, { write: true, createNew: true }).close();
    Deno.removeSync(path);
    return null;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) return reason(error);
  }
  // A pipe that nobody reads would be waited for.
  if (look(path)?.isFile !== true) return null;
  try {
    Deno.openSync(path, { write: true }).close();
    return null;
  } catch (error) {
    return reason(error);
  }
}

const encoder = new TextEncoder();

function writePieces(path: string, pieces: Iterable<string | Uint8Array>): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  for (const piece of pieces) writeBytes(file, typeof piece === "string" ? encoder.encode(piece) : piece);
}

function writeBytes(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

type Access = "read" | "write";

function granted(name: Access, path: string): boolean {
  return Deno.permissions.querySync({ name, path }).state === "granted";
}

/** Deno asks on the controlling terminal: without one it would refuse in the user's name. */
function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

function demand(name: Access, path: string, file: string): void {
  if (granted(name, path)) return;
  if (canAsk() && Deno.permissions.requestSync({ name, path }).state === "granted") return;
  throw new UsageError(`${file}: no permission to ${name} it; wanted: deno run --allow-${name}=${path} main.ts ...`);
}

function directoryOf(path: string): string {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}

/** The system's reason, in one line and without its own prefix. */
function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is not a directory";
  if (error instanceof Deno.errors.IsADirectory) return "a directory; wanted a file";
  // The runtime adds the call and the path: the path is said already.
  return String(error instanceof Error ? error.message : error).split("\n")[0].replace(/: \w+ '.*'$/, "");
}
