import { ANY_NUMBER, type LibraryOptions, type MxAddress, UNEXP_CONTINUE, UNEXP_FINISHED } from "../mx/api.ts";
import { readEnvironment } from "../mx/environment.ts";
import { MxFatalError } from "../mx/fatal.ts";
import * as mx from "../mx/status.ts";
import { EndpointHandle } from "./mx_handles.ts";
import { MxMessages } from "./mx_messages.ts";
import {
  type Call,
  type mx_endpoint_t,
  type mx_error_handler_t,
  MX_PARAM_CONTEXT_ID,
  MX_PARAM_ERROR_HANDLER,
  type mx_param_t,
  MX_PARAM_UNEXP_QUEUE_MAX,
  MX_RECV_FINISHED,
  type mx_return_t,
  type mx_unexp_handler_t,
} from "./mx_types.ts";
import { isU32, shown, wide } from "./mx_values.ts";

/** What the parameters of an endpoint come to. */
interface Parameters {
  errorHandler: mx_error_handler_t | null;
  library: LibraryOptions;
}

/** The library itself and its endpoints (omx_init.c:43-247, omx_endpoint.c:227-702, omx_lib.c:310-380). */
export class MxEndpoints extends MxMessages {
  readonly #open = new Set<EndpointHandle>();

  // deno-lint-ignore require-yield
  *mx_init(): Call<mx_return_t> {
    if (this.initialized) return this.fail("mx_init", null, mx.MX_ALREADY_INITIALIZED, "a second time");
    this.initialized = true;
    this.settings = readEnvironment(this.mx.environment);
    if (!this.settings.fatalErrors) this.errors.isFatal = false;
    return mx.MX_SUCCESS;
  }

  /** Closes the endpoints that are still open, as the end of the process does with Open-MX. */
  *mx_finalize(): Call<mx_return_t> {
    if (!this.checkInitialized("mx_finalize")) return this.code;
    for (const handle of this.#open) {
      const code = yield* this.#close("mx_finalize", handle);
      if (code !== mx.MX_SUCCESS) return code;
    }
    this.initialized = false;
    return mx.MX_SUCCESS;
  }

  *mx_open_endpoint(
    board_number: number,
    endpoint_id: number,
    endpoint_key: number,
    params_array: readonly mx_param_t[],
    params_count: number,
  ): Call<{ code: mx_return_t; endpoint: mx_endpoint_t | null }> {
    const call = "mx_open_endpoint";
    const parameters = this.checkInitialized(call) ? this.#readParameters(params_array, params_count) : null;
    if (parameters === null) return { code: this.code, endpoint: null };
    if (!isU32(endpoint_key)) {
      const code = this.fail(call, null, mx.MX_BAD_CONNECTION_KEY, `key ${shown(endpoint_key)}`);
      return { code, endpoint: null };
    }
    const options = { ...this.libraryOptions, ...parameters.library, board: board_number };
    const endpoint = yield* this.mx.openEndpoint(endpoint_id, endpoint_key, options);
    if (endpoint === null) {
      const text = `board ${number(board_number)}, endpoint ${number(endpoint_id)}`;
      return { code: this.fail(call, null, this.mx.code, text), endpoint: null };
    }
    endpoint.watchFailures();
    const handle = new EndpointHandle(endpoint, parameters.errorHandler);
    this.#open.add(handle);
    return { code: mx.MX_SUCCESS, endpoint: handle.public };
  }

  *mx_close_endpoint(endpoint: mx_endpoint_t): Call<mx_return_t> {
    const value: unknown = endpoint;
    if (!EndpointHandle.is(value) || !this.#open.has(value)) {
      return this.fail("mx_close_endpoint", null, mx.MX_BAD_ENDPOINT, `${shown(value)} is no open endpoint`);
    }
    return yield* this.#close("mx_close_endpoint", value);
  }

  *#close(call: string, handle: EndpointHandle): Call<mx_return_t> {
    const { endpoint } = handle;
    if (endpoint.inHandler) {
      return this.fail(call, handle, mx.MX_CLOSE_IN_HANDLER, "from an unexpected handler");
    }
    this.#open.delete(handle);
    yield* endpoint.close();
    return mx.MX_SUCCESS;
  }

  // ---- progress

  *mx_progress(endpoint: mx_endpoint_t): Call<mx_return_t> {
    const ep = this.useEndpoint("mx_progress", endpoint);
    if (ep === null) return this.code;
    yield* ep.endpoint.progress();
    this.drain(ep);
    yield this.lookedInVain(ep);
    return mx.MX_SUCCESS;
  }

  // deno-lint-ignore require-yield
  *mx_disable_progression(endpoint: mx_endpoint_t): Call<mx_return_t> {
    const ep = this.useEndpoint("mx_disable_progression", endpoint);
    if (ep === null) return this.code;
    ep.endpoint.disableProgression();
    return mx.MX_SUCCESS;
  }

  *mx_reenable_progression(endpoint: mx_endpoint_t): Call<mx_return_t> {
    const ep = this.useEndpoint("mx_reenable_progression", endpoint);
    if (ep === null) return this.code;
    yield* ep.endpoint.reenableProgression();
    this.drain(ep);
    return mx.MX_SUCCESS;
  }

  mx_wakeup(endpoint: mx_endpoint_t): mx_return_t {
    const ep = this.useEndpoint("mx_wakeup", endpoint);
    if (ep === null) return this.code;
    ep.endpoint.wakeup();
    return mx.MX_SUCCESS;
  }

  // deno-lint-ignore require-yield
  *mx_register_unexp_handler(
    endpoint: mx_endpoint_t,
    handler: mx_unexp_handler_t | null,
    context: unknown,
  ): Call<mx_return_t> {
    const call = "mx_register_unexp_handler";
    const ep = this.useEndpoint(call, endpoint);
    if (ep === null) return this.code;
    if (handler !== null && typeof handler !== "function") {
      return this.fail(call, ep, mx.MX_FAILURE, `a handler is a function or null, not ${shown(handler)}`);
    }
    ep.endpoint.setUnexpectedHandler(handler === null ? null : this.#adaptHandler(ep, handler, context));
    return mx.MX_SUCCESS;
  }

  #adaptHandler(ep: EndpointHandle, handler: mx_unexp_handler_t, context: unknown) {
    const { memory } = this.mx;
    return (source: MxAddress, matchA: number, matchB: number, length: number, address: number) => {
      const data = address === 0 ? null : memory.u8.slice(address, address + length);
      const answer = handler(context, ep.addressHandle(source).public, wide(matchA, matchB), length, data);
      return answer === MX_RECV_FINISHED ? UNEXP_FINISHED : UNEXP_CONTINUE;
    };
  }

  // ---- errors

  mx_set_error_handler(handler: mx_error_handler_t): mx_return_t {
    if (handler !== null && typeof handler !== "function") {
      return this.fail("mx_set_error_handler", null, mx.MX_FAILURE, `${shown(handler)} is no function`);
    }
    this.errors.handler = handler;
    return mx.MX_SUCCESS;
  }

  mx_register_unexp_callback(): never {
    this.#notImplemented("mx_register_unexp_callback", "use mx_register_unexp_handler");
  }

  mx_iput(): never {
    this.#notImplemented("mx_iput", "use messages");
  }

  mx_iget(): never {
    this.#notImplemented("mx_iget", "use messages");
  }

  mx_buffered(): never {
    this.#notImplemented("mx_buffered", "use mx_ibuffered");
  }

  #notImplemented(call: string, hint: string): never {
    const { name } = this.mx;
    throw new MxFatalError(name, call, mx.MX_BAD_BAD_BAD, `guest ${name}: ${call}: Open-MX does not have it; ${hint}`);
  }

  // ---- checks

  protected checkInitialized(call: string): boolean {
    if (!this.initialized) this.fail(call, null, mx.MX_NOT_INITIALIZED, "before mx_init");
    return this.initialized;
  }

  /** Null, with {@link code}, when the list or a parameter is wrong (omx_endpoint.c:361-397). */
  #readParameters(list: unknown, count: unknown): Parameters | null {
    const bad = (code: number, text: string): null => {
      this.fail("mx_open_endpoint", null, code, text);
      return null;
    };
    if (!Number.isInteger(count) || (count as number) < 0) {
      return bad(mx.MX_BAD_PARAM_LIST, `${shown(count)} parameters`);
    }
    const parameters: Parameters = { errorHandler: null, library: {} };
    if (count === 0) return parameters;
    try {
      if (!Array.isArray(list) || list.length < (count as number)) {
        return bad(mx.MX_BAD_PARAM_LIST, `no list of ${count} parameters`);
      }
    } catch {
      return bad(mx.MX_BAD_PARAM_LIST, "the list cannot be read");
    }
    for (let i = 0; i < (count as number); i++) {
      const problem = readParameter(list[i], parameters);
      if (problem !== mx.MX_SUCCESS) return bad(problem, `parameter ${i}`);
    }
    return parameters;
  }
}

/** Takes one parameter over; a code when it is wrong. */
function readParameter(parameter: unknown, into: Parameters): number {
  try {
    const { key, val } = parameter as mx_param_t;
    if (key === MX_PARAM_UNEXP_QUEUE_MAX) return mx.MX_SUCCESS; // ignored, as in Open-MX (omx_endpoint.c:367)
    if (key === MX_PARAM_ERROR_HANDLER) {
      if (val !== null && typeof val !== "function") return mx.MX_BAD_PARAM_VAL;
      into.errorHandler = val;
      return mx.MX_SUCCESS;
    }
    if (key !== MX_PARAM_CONTEXT_ID) return mx.MX_BAD_PARAM_NAME;
    const { bits, shift } = val;
    if (!isU32(bits) || !isU32(shift)) return mx.MX_BAD_PARAM_VAL;
    into.library = { ...into.library, contextBits: bits, contextShift: shift };
    return mx.MX_SUCCESS;
  } catch {
    return mx.MX_BAD_PARAM_LIST; // no object, or a getter of the program's
  }
}

function number(value: unknown): string {
  return value === ANY_NUMBER ? "any" : shown(value);
}
