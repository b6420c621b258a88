import type { MxAddress, MxEndpoint, MxRequest } from "../mx/api.ts";
import type { mx_endpoint_addr_t, mx_endpoint_t, mx_error_handler_t, mx_request_t } from "./mx_types.ts";

/*
 * What a program holds for an endpoint, a request and an address. A program may pass anything where MX wants a handle;
 * each class therefore knows its own objects by a private field, which nobody can forge and which asks no foreign code.
 */

/** An open endpoint; refused once it is closed. */
export class EndpointHandle {
  readonly #own = true;
  readonly endpoint: MxEndpoint;
  /** MX_PARAM_ERROR_HANDLER; null for the library's. */
  readonly errorHandler: mx_error_handler_t | null;
  readonly #addresses = new Map<MxAddress, AddressHandle>();

  constructor(endpoint: MxEndpoint, errorHandler: mx_error_handler_t | null) {
    this.endpoint = endpoint;
    this.errorHandler = errorHandler;
  }

  static is(value: unknown): value is EndpointHandle {
    return typeof value === "object" && value !== null && #own in value;
  }

  get public(): mx_endpoint_t {
    return this as unknown as mx_endpoint_t;
  }

  /** The handle of an address: one for each remote endpoint, so that a program can compare them. */
  addressHandle(address: MxAddress): AddressHandle {
    let handle = this.#addresses.get(address);
    if (handle === undefined) this.#addresses.set(address, handle = new AddressHandle(this, address));
    return handle;
  }

  forget(address: MxAddress): void {
    this.#addresses.delete(address);
  }
}

export type { RequestKind } from "../mx/lib/request.ts";
import type { RequestKind } from "../mx/lib/request.ts";

/** A request under way; refused once it is reported, cancelled or forgotten. */
export class RequestHandle {
  readonly #own = true;
  readonly owner: EndpointHandle;
  readonly kind: RequestKind;
  readonly context: unknown;
  /** Null before the call has made it, and after the program has been told. */
  request: MxRequest | null = null;

  constructor(owner: EndpointHandle, kind: RequestKind, context: unknown) {
    this.owner = owner;
    this.kind = kind;
    this.context = context;
  }

  static is(value: unknown): value is RequestHandle {
    return typeof value === "object" && value !== null && #own in value;
  }

  get public(): mx_request_t {
    return this as unknown as mx_request_t;
  }
}

/** The address of a remote endpoint, as one local endpoint knows it. */
export class AddressHandle {
  readonly #own = true;
  readonly owner: EndpointHandle;
  readonly address: MxAddress;

  constructor(owner: EndpointHandle, address: MxAddress) {
    this.owner = owner;
    this.address = address;
  }

  static is(value: unknown): value is AddressHandle {
    return typeof value === "object" && value !== null && #own in value;
  }

  get public(): mx_endpoint_addr_t {
    return this as unknown as mx_endpoint_addr_t;
  }
}
