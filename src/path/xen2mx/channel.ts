import type { EventProducer } from "../../mx/driver/event_queues.ts";
import { ringSize } from "../../xen/shared_ring.ts";
import * as layout from "./layout.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { SLOT_BYTES } = layout;

/** What both halves of one device know: the mechanisms that are switched on. */
export interface Tuning {
  /** The worker keeps polling its ring before it sleeps, and the guest polls for its answer instead of an upcall. */
  readonly polling: boolean;
  /** All pages of a region are mapped by one hypercall. */
  readonly grantBatching: boolean;
  /** Regions stay granted and mapped after use, for the next message from the same buffer. */
  readonly grantReuse: boolean;
  /** The worker answers at once and maps or unmaps between other commands; what needs the region waits in dom0. */
  readonly overlap: boolean;
  /** The observable mistakes of the 2012 code (reference, 4.7), each noted where it is made. */
  readonly historical: boolean;
}

/**
 * What the two halves of a split driver share besides memory: nothing that a guest could read. Journeys of the
 * messages in the slots are the observer's, and `published` stands for what a poller sees by looking at the ring.
 */
export class Channel {
  readonly commandJourneys: Int32Array = new Int32Array(ringSize(SLOT_BYTES)).fill(-1);
  readonly eventJourneys: Int32Array = new Int32Array(ringSize(SLOT_BYTES)).fill(-1);
  /**
   * Queue indexes of open endpoints, by the machine address of the endpoint page that dom0 has mapped: the guest's
   * memory that dom0 advances them in (be/omx_event.c:328-366). The counters themselves are kept beside memory.
   */
  readonly endpointPages: Map<number, EventProducer> = new Map();
  /** The front has published requests: a backend that polls sees them now. */
  onRequests: () => void = () => {};
  /** The back has published responses: a frontend that polls sees them now. */
  onResponses: () => void = () => {};
}

/** Pages whose grants are written, mapped or unmapped in one burst. */
export const PAGES_PER_BURST = 16;
/** Empty turns of the worker's poll loop before it sleeps (be/omx_xenback.h:32). */
export const POLL_BUDGET = 1_000_000;
