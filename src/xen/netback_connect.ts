import { assert } from "../base/assert.ts";
import type { SoftwareBridge } from "../hw/bridge.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Domain } from "./domain.ts";
import { GNTMAP_host_map } from "./grant_mapping.ts";
import type { HeaderSplit } from "./net_layout.ts";
import { VifQueues } from "./net_queues.ts";
import { Netback } from "./netback.ts";
import type { Netfront } from "./netfront.ts";
import { domainPath, XenbusState } from "./xenstore.ts";

/** What dom0 brings to a connection. */
export interface VifHome {
  readonly dom0: Domain;
  readonly frames: FramePool;
  readonly bridge: SoftwareBridge;
  /** Which of the guest's network devices it is; the first one by default. */
  readonly device?: number;
  readonly split: HeaderSplit;
  /** Transmitted frames are mapped instead of copied. */
  readonly mapsTransmit?: boolean;
  /** Dom0's VCPU that the thread of the device's first queue and its event channel are on; others are on the next ones. */
  readonly vcpu: number;
  /** Both halves are connected: called once, from an event of xenstore, with netback's part of each queue. */
  connected(...backs: Netback[]): void;
}

/**
 * Brings a netfront and a netback together through xenstore (device class "vif"): the toolstack writes the nodes,
 * netback offers (InitWait), netfront publishes rings and event channel (Connected), netback maps and binds them. Each of
 * `fronts` is one queue of the device; several publish theirs in folders queue-0, queue-1 and so on. The steps are events
 * of the instant of the call.
 */
export function connectVif(fronts: readonly Netfront[], home: VifHome): void {
  const [front] = fronts;
  const { device = 0 } = home;
  const isMulti = fronts.length > 1;
  const folder = (queue: number) => isMulti ? `queue-${queue}/` : "";
  const guest = front.domain;
  const store = guest.hypervisor.xenstore;
  const { frontPath, backPath } = vifPaths(guest, device);
  const stateOf = (path: string) => Number(store.read(`${path}/state`) ?? XenbusState.Unknown);
  const setState = (path: string, state: number) => store.write(`${path}/state`, String(state));

  // Netback's watch of the frontend.
  store.watch(`${frontPath}/state`, `back-vif-${guest.id}`, () => {
    const [mine, theirs] = [stateOf(backPath), stateOf(frontPath)];
    if (mine === XenbusState.Initialising) {
      for (const feature of ["feature-sg", "feature-rx-copy"]) store.write(`${backPath}/${feature}`, "1");
      if (isMulti) store.write(`${backPath}/multi-queue-max-queues`, String(fronts.length));
      setState(backPath, XenbusState.InitWait);
    } else if (theirs === XenbusState.Connected && mine === XenbusState.InitWait) {
      const port = isMulti ? new VifQueues(vifName(guest, device), home.frames, home.bridge) : null;
      const backs = fronts.map((front, queue) => {
        const read = (node: string) => Number(store.read(`${frontPath}/${folder(queue)}${node}`));
        return mapAndBind(front, home, queue, port, read);
      });
      setState(backPath, XenbusState.Connected);
      home.connected(...backs);
    }
  });
  // Netfront's watch of the backend.
  store.watch(`${backPath}/state`, `front-vif-${guest.id}`, () => {
    if (stateOf(backPath) !== XenbusState.InitWait || stateOf(frontPath) !== XenbusState.Initialising) return;
    const ports = fronts.map((front) => {
      const port = guest.eventChannels.allocUnbound(0);
      assert(port > 0, "vif: the guest has a free port");
      front.bind(port);
      front.rx.fill();
      return port;
    });
    for (;;) {
      const transaction = store.start();
      if (isMulti) store.write(`${frontPath}/multi-queue-num-queues`, String(fronts.length), transaction);
      for (const [queue, { ringRefs }] of fronts.entries()) {
        const path = `${frontPath}/${folder(queue)}`;
        store.write(`${path}tx-ring-ref`, String(ringRefs[0]), transaction);
        store.write(`${path}rx-ring-ref`, String(ringRefs[1]), transaction);
        store.write(`${path}event-channel`, String(ports[queue]), transaction);
      }
      for (const node of ["request-rx-copy", "feature-rx-notify", "feature-sg"]) {
        store.write(`${frontPath}/${node}`, "1", transaction);
      }
      if (store.commit(transaction) === 0) break;
    }
    setState(frontPath, XenbusState.Connected);
  });
  // What the toolstack writes; the backend's state comes last.
  store.write(`${frontPath}/backend-id`, "0");
  store.write(`${frontPath}/backend`, backPath);
  store.write(`${frontPath}/handle`, String(device));
  store.write(`${frontPath}/mac`, macText(front));
  setState(frontPath, XenbusState.Initialising);
  store.write(`${backPath}/frontend-id`, String(guest.id));
  store.write(`${backPath}/frontend`, frontPath);
  assert(setState(backPath, XenbusState.Initialising) === 0, "vif: the toolstack can write its nodes");
}

/** Netback's part of one queue when the frontend is connected (xenvif_connect). `vif` is the port of several. */
function mapAndBind(
  front: Netfront,
  home: VifHome,
  number: number,
  vif: VifQueues | null,
  read: (node: string) => number,
): Netback {
  const { dom0, frames, bridge, split } = home;
  const vcpu = (home.vcpu + number) % dom0.processors.length;
  const guest = front.domain;
  const refs = Int32Array.of(read("tx-ring-ref"), read("rx-ring-ref"));
  const addresses = new Float64Array(2);
  const failed = dom0.mappings.map(null, guest.id, refs, 2, GNTMAP_host_map, new Int32Array(2), addresses);
  assert(failed === 0, "vif: dom0 can map the rings");
  const port = dom0.eventChannels.bindInterdomain(guest.id, read("event-channel"));
  assert(port > 0, "vif: dom0 can bind the guest's port");
  const back = new Netback({
    dom0,
    guest,
    frames,
    bridge,
    port,
    txPage: addresses[0],
    rxPage: addresses[1],
    device: home.device,
    processor: dom0.processors[vcpu],
    split,
    journeys: front.journeys,
    mapsTransmit: home.mapsTransmit,
    queue: vif === null ? undefined : { number, bridgePort: vif.bridgePort },
  });
  vif?.add(back);
  dom0.eventChannels.listen(port, (cpu) => back.interrupt(cpu), vcpu);
  // The interface's first packet is an announcement of its address.
  bridge.learn(front.macLow, back.bridgePort);
  return back;
}

/** Whether a guest's network device is connected on both sides. */
export function isVifConnected(dom0: Domain, guest: Domain, device = 0): boolean {
  const store = dom0.hypervisor.xenstore;
  const { frontPath, backPath } = vifPaths(guest, device);
  const connected = String(XenbusState.Connected);
  return store.read(`${frontPath}/state`) === connected && store.read(`${backPath}/state`) === connected;
}

function vifName(guest: Domain, device: number): string {
  return `${guest.hypervisor.name} vif${guest.id}.${device}`;
}

/** Nodes of the two halves of a guest's device. */
function vifPaths(guest: Domain, device: number) {
  return {
    frontPath: `${domainPath(guest.id)}/device/vif/${device}`,
    backPath: `${domainPath(0)}/backend/vif/${guest.id}/${device}`,
  };
}

function macText({ macHigh, macLow }: Netfront): string {
  const digits = (macHigh * 2 ** 32 + macLow).toString(16).padStart(12, "0");
  return digits.match(/../g)!.join(":");
}
