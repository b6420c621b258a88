/**
 * A guest program has ended by its own fault: MX's default error handler prints what went wrong and exits
 * (omx_error.c:38-68). Whoever runs the program reports it; nothing of mxtop is broken.
 */
export class MxFatalError extends Error {
  override name = "MxFatalError";
  /** Name of the guest, and the MX function that it had called. */
  readonly guest: string;
  readonly call: string;
  /** The return code that went to the error handler. */
  readonly code: number;

  constructor(guest: string, call: string, code: number, text: string) {
    super(text);
    this.guest = guest;
    this.call = call;
    this.code = code;
  }
}
