import { MAX_ENDPOINTS } from "../../mx/limits.ts";
import { assert } from "../../base/assert.ts";
import { GNTMAP_host_map } from "../../xen/grant_mapping.ts";
import type { OmxDriver } from "../../mx/driver/driver.ts";
import type { Domain } from "../../xen/domain.ts";
import { driverLeaks, hostDriver } from "../native.ts";
import { isOnByDefault, type Mechanisms } from "../mechanisms.ts";
import { routeInterrupts } from "../nic_interrupts.ts";
import {
  type Board,
  boardName,
  type Build,
  type Dom0Share,
  type GuestPort,
  type GuestSite,
  type HostSite,
  type Path,
  type PathHost,
  type PortRing,
} from "../path.ts";
import { xenRing } from "../port_ring.ts";
import { Backend } from "./backend.ts";
import { Channel, type Tuning } from "./channel.ts";
import { grantsOfEndpoint } from "./front_queues.ts";
import { Frontend } from "./frontend.ts";
import { isConnected, shakeHands } from "./handshake.ts";
import { commandText, eventText } from "./slot_text.ts";

/**
 * Endpoint numbers of a host. Fewer endpoints can be open at a time where dom0 maps much for each: see
 * {@link dom0Share}. A guest without one still boots, and its open says MX_NO_RESOURCES.
 */
const GUESTS_PER_HOST = MAX_ENDPOINTS;

/** Two rings and an event channel for each device; with `historical` an endpoint opens whatever dom0 can map. */
function dom0Share({ mx, boards, mechanisms: { historical = false } }: Build): Dom0Share {
  return { ports: boards, mappings: 2 * boards, endpointMappings: historical ? 0 : grantsOfEndpoint(mx) };
}

/** The split driver with a notification for every message and grants made and mapped for each. */
export const xen2mxPlain: Path = {
  name: "xen2mx-plain",
  title: "Xen2MX split driver, notified and granted per message",
  hypervisor: "xen",
  guestsPerHost: GUESTS_PER_HOST,
  dom0Share,
  attach: (site) => new Xen2mxHost(site, "xen2mx-plain"),
};

/** The split driver as its authors tuned it: polling on both sides, grants batched, made ahead and reused. */
export const xen2mx: Path = {
  name: "xen2mx",
  title: "Xen2MX split driver, tuned: polling, grants batched and reused",
  hypervisor: "xen",
  guestsPerHost: GUESTS_PER_HOST,
  dom0Share,
  attach: (site) => new Xen2mxHost(site, "xen2mx"),
};

interface Device {
  readonly frontend: Frontend;
  backend: Backend | null;
  backPort: number;
  ringHandles: Int32Array;
}

/** The switches of a scenario, and the path's defaults where it says nothing. */
function tuningOf(mechanisms: Mechanisms, path: string): Tuning {
  const isOn = (name: keyof Tuning) => mechanisms[name] ?? isOnByDefault(name, path);
  return {
    polling: isOn("polling"),
    grantBatching: isOn("grantBatching"),
    grantReuse: isOn("grantReuse"),
    overlap: isOn("overlap"),
    historical: isOn("historical"),
  };
}

/** Dom0 of one host with a backend for each guest: an Open-MX driver for the board, endpoints shared out by index. */
class Xen2mxHost implements PathHost {
  readonly boards: readonly Board[];
  readonly #site: HostSite;
  readonly #hostname: string;
  readonly #tuning: Tuning;
  readonly #driver: OmxDriver;
  readonly #dom0: Domain;
  readonly #devices: Device[] = [];

  constructor(site: HostSite, path: string) {
    assert(site.hypervisor !== null, "xen2mx: the host runs Xen");
    this.#site = site;
    this.#dom0 = site.hypervisor.domain(0)!;
    this.#tuning = tuningOf(site.world.mechanisms, path);
    // The original's frontend marks every command "shared disabled" (fe/omx_xenfront_send.c:112 and others).
    const { driver, nicDriver } = hostDriver(site, !this.#tuning.historical);
    this.#driver = driver;
    routeInterrupts(site, nicDriver, this.#dom0);
    this.#hostname = boardName(site.name, site.board);
    const { macHigh, macLow } = site;
    this.boards = [{ hostname: this.#hostname, macHigh, macLow, peers: driver.peers, driver }];
  }

  place(guest: GuestSite): GuestPort {
    const { domain } = guest;
    assert(domain !== null, "xen2mx: a guest is a domain");
    const channel = new Channel();
    const { world, board } = this.#site;
    const { peers } = this.#driver;
    const [hostname, tuning] = [this.#hostname, this.#tuning];
    const frontend = new Frontend({ world, domain, hostname, peers, tuning, channel, board });
    const device: Device = { frontend, backend: null, backPort: -1, ringHandles: new Int32Array(2) };
    this.#devices.push(device);
    this.#connect(device, channel, guest.index);
    // Observers ask often: made anew only when there is another back end.
    let rings: readonly PortRing[] = [];
    let madeFor: Backend | null | undefined;
    const ringsNow = () => {
      if (madeFor === device.backend) return rings;
      madeFor = device.backend;
      return rings = [
        xenRing("command ring", frontend.ring, device.backend?.ring, commandText),
        xenRing("event ring", frontend.recvRing, device.backend?.events.ring, eventText),
      ];
    };
    return {
      attach: () => frontend.attach(),
      hostname,
      endpoint: guest.index,
      figures: () => ({
        // What waits in dom0 for a slot has none.
        ring: {
          used: frontend.ring.size - frontend.ring.freeRequests +
            Math.max(0, frontend.recvRing.unconsumedResponses()),
          size: frontend.ring.size + frontend.recvRing.size,
        },
        grants: { active: domain.grantTable.activeGrants, mapped: domain.grantTable.mappedGrants },
      }),
      reusedPages: () => frontend.reusedPages,
      rings: ringsNow,
    };
  }

  #connect(device: Device, channel: Channel, index: number): void {
    const { frontend } = device;
    const dom0 = this.#dom0;
    const guest = frontend.domain;
    shakeHands({
      guest,
      dom0,
      device: frontend.board,
      ringRefs: frontend.ringRefs,
      allocatePort: () => device.backPort = dom0.eventChannels.allocUnbound(guest.id),
      bindFrontend: (remotePort) => {
        const port = guest.eventChannels.bindInterdomain(0, remotePort);
        assert(port > 0, "xen2mx: the guest can bind dom0's port");
        frontend.bind(port);
        guest.eventChannels.listen(port, (cpu) => frontend.interrupt(cpu));
      },
      connectBackend: (ringRef, recvRingRef) => {
        const addresses = new Float64Array(2);
        const refs = Int32Array.of(ringRef, recvRingRef);
        const failed = dom0.mappings.map(null, guest.id, refs, 2, GNTMAP_host_map, device.ringHandles, addresses);
        assert(failed === 0, "xen2mx: dom0 can map the rings");
        // A guest's workers are side by side.
        const vcpu = (index * this.#site.boards + frontend.board) % dom0.processors.length;
        const backend = new Backend({
          world: this.#site.world,
          dom0,
          driver: this.#driver,
          guest,
          name: frontend.name,
          board: frontend.board,
          port: device.backPort,
          processor: dom0.processors[vcpu],
          pages: [addresses[0], addresses[1]],
          tuning: this.#tuning,
          channel,
        });
        device.backend = backend;
        dom0.eventChannels.listen(device.backPort, (cpu) => backend.interrupt(cpu), vcpu);
      },
    });
  }

  /** What went another way than usual, of all guests of the host. */
  counters(): Readonly<Record<string, number>> {
    const sum: Record<string, number> = {};
    const add = (counts: Readonly<Record<string, number>>) => {
      for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
    };
    for (const { frontend, backend } of this.#devices) {
      add({ ...frontend.counters, strayEvents: frontend.strayEvents });
      if (backend !== null) add({ ...backend.counters, eventsWaited: backend.events.waited });
    }
    return sum;
  }

  /** Reference, invariant 15: with all endpoints closed only the two ring pages of each device are granted and mapped. */
  leaks(): string[] {
    const leaks = driverLeaks(this.#hostname, this.#driver);
    for (const { frontend, backend } of this.#devices) {
      const { name, domain, board, ring, recvRing } = frontend;
      if (!isConnected(this.#dom0, domain, board)) leaks.push(`${name}: its device is not connected`);
      if (ring.freeRequests !== ring.size) leaks.push(`${name}: a command was never answered`);
      if (recvRing.unconsumedResponses() !== 0) leaks.push(`${name}: an event was never taken`);
      if (backend?.events.hasBacklog) leaks.push(`${name}: events wait in dom0`);
      // The domain's grants are those of all its devices: looked at once.
      if (board === 0) leaks.push(...this.#grantLeaks(domain));
    }
    return leaks;
  }

  #grantLeaks({ id, name, grantTable }: Domain): string[] {
    const leaks: string[] = [];
    const { activeGrants, mappedGrants } = grantTable;
    const mapped = this.#dom0.mappings.mappingsOf(id);
    const rings = 2 * this.#site.boards;
    if (activeGrants !== rings) leaks.push(`${name}: ${activeGrants - rings} grants are still active`);
    if (mappedGrants !== rings || mapped !== rings) {
      leaks.push(`${name}: dom0 still maps ${mapped - rings} of its pages`);
    }
    return leaks;
  }
}
