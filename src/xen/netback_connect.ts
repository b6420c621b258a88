import { assert } from "../base/assert.ts";
import type { SoftwareBridge } from "../hw/bridge.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Domain } from "./domain.ts";
import { GNTMAP_host_map } from "./grant_mapping.ts";
import type { HeaderSplit } from "./net_layout.ts";
import { VifQueues } from "./net_queues.ts";
import { Netback } from "./netback.ts";
import type { Netfront } from "./netfront.ts";
import { domainPath, XenbusState, type Xenstore } from "./xenstore.ts";

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
  const { domain: guest } = fronts[0];
  const nodes = new VifNodes(guest.hypervisor.xenstore, guest.id, home.device);
  const { store, frontPath, backPath } = nodes;
  store.watch(`${frontPath}/state`, `back-vif-${guest.id}`, () => frontChanged(nodes, fronts, home));
  store.watch(`${backPath}/state`, `front-vif-${guest.id}`, () => backChanged(nodes, fronts));
  writeNodes(nodes, fronts[0]);
}

/** Where xenstore has the two halves of a guest's device. */
class VifNodes {
  readonly store: Xenstore;
  readonly device: number;
  readonly frontPath: string;
  readonly backPath: string;

  constructor(store: Xenstore, guest: number, device = 0) {
    this.store = store;
    this.device = device;
    this.frontPath = `${domainPath(guest)}/device/vif/${device}`;
    this.backPath = `${domainPath(0)}/backend/vif/${guest}/${device}`;
  }

  /** Where netfront publishes a queue of so many. */
  queuePath(queue: number, queues: number): string {
    return queues > 1 ? `${this.frontPath}/queue-${queue}` : this.frontPath;
  }

  stateOf(path: string): number {
    return Number(this.store.read(`${path}/state`) ?? XenbusState.Unknown);
  }

  /** 0, or what the store refuses it for. */
  setState(path: string, state: number): number {
    return this.store.write(`${path}/state`, String(state));
  }
}

/** What the toolstack writes; the backend's state comes last. */
function writeNodes(nodes: VifNodes, front: Netfront): void {
  const { store, device, frontPath, backPath } = nodes;
  store.write(`${frontPath}/backend-id`, "0");
  store.write(`${frontPath}/backend`, backPath);
  store.write(`${frontPath}/handle`, String(device));
  store.write(`${frontPath}/mac`, macText(front));
  nodes.setState(frontPath, XenbusState.Initialising);
  store.write(`${backPath}/frontend-id`, String(front.domain.id));
  store.write(`${backPath}/frontend`, frontPath);
  assert(nodes.setState(backPath, XenbusState.Initialising) === 0, "vif: the toolstack can write its nodes");
}

/** Netback's watch of the frontend. */
function frontChanged(nodes: VifNodes, fronts: readonly Netfront[], home: VifHome): void {
  const { store, frontPath, backPath } = nodes;
  const [mine, theirs] = [nodes.stateOf(backPath), nodes.stateOf(frontPath)];
  const queues = fronts.length;
  if (mine === XenbusState.Initialising) {
    for (const feature of ["feature-sg", "feature-rx-copy"]) store.write(`${backPath}/${feature}`, "1");
    if (queues > 1) store.write(`${backPath}/multi-queue-max-queues`, String(queues));
    nodes.setState(backPath, XenbusState.InitWait);
  } else if (theirs === XenbusState.Connected && mine === XenbusState.InitWait) {
    const name = vifName(fronts[0].domain, nodes.device);
    const port = queues > 1 ? new VifQueues(name, home.frames, home.bridge) : null;
    const backs = fronts.map((front, queue) => {
      const path = nodes.queuePath(queue, queues);
      return mapAndBind(front, home, queue, port, (node) => Number(store.read(`${path}/${node}`)));
    });
    nodes.setState(backPath, XenbusState.Connected);
    home.connected(...backs);
  }
}

/** Netfront's watch of the backend. */
function backChanged(nodes: VifNodes, fronts: readonly Netfront[]): void {
  const { frontPath, backPath } = nodes;
  const [mine, theirs] = [nodes.stateOf(frontPath), nodes.stateOf(backPath)];
  if (theirs !== XenbusState.InitWait || mine !== XenbusState.Initialising) return;
  const ports = fronts.map((front) => {
    const port = front.domain.eventChannels.allocUnbound(0);
    assert(port > 0, "vif: the guest has a free port");
    front.bind(port);
    front.rx.fill();
    return port;
  });
  while (!publish(nodes, fronts, ports)); // somebody else has written what it looked at
  nodes.setState(frontPath, XenbusState.Connected);
}

/** Writes rings and event channels of all queues in one transaction; whether that was committed. */
function publish(nodes: VifNodes, fronts: readonly Netfront[], ports: readonly number[]): boolean {
  const { store, frontPath } = nodes;
  const transaction = store.start();
  const write = (path: string, value: number) => store.write(path, String(value), transaction);
  if (fronts.length > 1) write(`${frontPath}/multi-queue-num-queues`, fronts.length);
  for (const [queue, { ringRefs }] of fronts.entries()) {
    const path = nodes.queuePath(queue, fronts.length);
    write(`${path}/tx-ring-ref`, ringRefs[0]);
    write(`${path}/rx-ring-ref`, ringRefs[1]);
    write(`${path}/event-channel`, ports[queue]);
  }
  for (const feature of ["request-rx-copy", "feature-rx-notify", "feature-sg"]) write(`${frontPath}/${feature}`, 1);
  return store.commit(transaction) === 0;
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
  const nodes = new VifNodes(dom0.hypervisor.xenstore, guest.id, device);
  return [nodes.frontPath, nodes.backPath].every((path) => nodes.stateOf(path) === XenbusState.Connected);
}

function vifName(guest: Domain, device: number): string {
  return `${guest.hypervisor.name} vif${guest.id}.${device}`;
}

function macText({ macHigh, macLow }: Netfront): string {
  const digits = (macHigh * 2 ** 32 + macLow).toString(16).padStart(12, "0");
  return digits.match(/../g)!.join(":");
}
