import { assert } from "../../base/assert.ts";
import type { Domain } from "../../xen/domain.ts";
import { XenbusState } from "../../xen/xenstore.ts";

/** What the two drivers do at the steps of the handshake. */
export interface Handshake {
  readonly guest: Domain;
  readonly dom0: Domain;
  /** Instance of the device: the number of its board. */
  readonly device: number;
  /** Grant references of the two ring pages. */
  readonly ringRefs: Int32Array;
  /** Step 2: dom0's unbound port for the guest. */
  allocatePort(): number;
  /** Step 3: the guest binds to it. */
  bindFrontend(remotePort: number): void;
  /** Step 4: dom0 maps the rings and comes to life. */
  connectBackend(ringRef: number, recvRingRef: number): void;
}

/**
 * Brings a frontend and a backend together through xenstore, as trigger.sh and the two drivers do (reference, section
 * 4.2): device class "omx", an instance for each board (the original had one board and instance 0). Each side watches the other's state and takes the next step when it changes.
 */
export function shakeHands(parties: Handshake): void {
  const { guest, dom0 } = parties;
  const store = dom0.hypervisor.xenstore;
  const { front, back } = nodes(guest, parties.device);
  const stateOf = (path: string) => Number(store.read(`${path}/state`) ?? XenbusState.Unknown);
  const setState = (path: string, state: number) => store.write(`${path}/state`, String(state));

  // The backend's watch of the frontend.
  store.watch(`${front}/state`, `back-${guest.id}`, () => {
    const [mine, theirs] = [stateOf(back), stateOf(front)];
    if (mine === XenbusState.Initialising) {
      const port = parties.allocatePort();
      store.write(`${front}/gref`, "0");
      store.write(`${front}/port`, String(port));
      setState(back, XenbusState.Initialised);
    } else if (theirs === XenbusState.Initialised && mine === XenbusState.Initialised) {
      const ring = Number(store.read(`${front}/ring-ref`));
      const recv = Number(store.read(`${front}/recv-ring-ref`));
      parties.connectBackend(ring, recv);
      setState(back, XenbusState.Connected);
    }
  });
  // The frontend's watch of the backend.
  store.watch(`${back}/state`, `front-${guest.id}`, () => {
    const [mine, theirs] = [stateOf(front), stateOf(back)];
    if (theirs === XenbusState.Initialised && mine === XenbusState.Initialising) {
      const port = Number(store.read(`${front}/port`));
      for (;;) {
        const transaction = store.start();
        store.write(`${front}/ring-ref`, String(parties.ringRefs[0]), transaction);
        store.write(`${front}/recv-ring-ref`, String(parties.ringRefs[1]), transaction);
        store.write(`${front}/event-channel`, "0", transaction);
        if (store.commit(transaction) === 0) break;
      }
      parties.bindFrontend(port);
      setState(front, XenbusState.Initialised);
    } else if (theirs === XenbusState.Connected && mine === XenbusState.Initialised) {
      setState(front, XenbusState.Connected);
    }
  });
  // What the toolstack writes; the backend's state comes last.
  store.write(`${front}/backend-id`, "0");
  store.write(`${front}/backend`, back);
  store.write(`${front}/handle`, "1");
  setState(front, XenbusState.Initialising);
  store.write(`${back}/frontend-id`, String(guest.id));
  store.write(`${back}/frontend`, front);
  store.write(`${back}/handle`, "1");
  assert(setState(back, XenbusState.Initialising) === 0, "xen2mx: the toolstack can write its nodes");
}

/** Whether a guest's device is connected on both sides. */
export function isConnected(dom0: Domain, guest: Domain, device: number): boolean {
  const store = dom0.hypervisor.xenstore;
  const { front, back } = nodes(guest, device);
  const connected = String(XenbusState.Connected);
  return store.read(`${front}/state`) === connected && store.read(`${back}/state`) === connected;
}

/** Where the two halves of a guest's device keep their nodes. */
function nodes(guest: Domain, device: number) {
  return {
    front: `/local/domain/${guest.id}/device/omx/${device}`,
    back: `/local/domain/0/backend/omx/${guest.id}/${device}`,
  };
}
