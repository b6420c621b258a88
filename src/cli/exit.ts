/** Exit codes of every command. */
export const EXIT_OK = 0;
/** A threshold or an integrity check failed, or a run had no samples. */
export const EXIT_FAILED = 1;
/** Wrong use: an unknown name, a bad scenario, a file that cannot be read or written. */
export const EXIT_USAGE = 2;
/** A fault of mxtop itself. */
export const EXIT_FAULT = 70;
/** Stopped by SIGINT: 128 and the signal's number, as a shell says it. */
export const EXIT_INTERRUPTED = 130;
/** Stopped by SIGTERM. */
export const EXIT_TERMINATED = 143;

/** Wrong use of the command line; the message is ready to print. */
export class UsageError extends Error {
  override name = "UsageError";
}
