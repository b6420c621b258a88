import * as faults from "../../base/assert.ts";
import * as units from "../../base/units.ts";
import type { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import type { DriverInfo } from "../../mx/driver/contract.ts";
import { CommitHandlers } from "../../mx/driver/event_queues.ts";
import type { PeerTable } from "../../mx/driver/peer_table.ts";
import type { Domain } from "../../xen/domain.ts";
import { FrontRing, initSharedRing } from "../../xen/shared_ring.ts";
import type { World } from "../path.ts";
import type { Channel, Tuning } from "./channel.ts";
import { EventReceiver } from "./event_receiver.ts";
import type { FrontCommands } from "./front_commands.ts";
import { FrontEndpoint } from "./front_endpoint.ts";
import { type GrantedRegion, PagePool } from "./grants.ts";
import * as layout from "./layout.ts";
import { BOARD_ADDRESS, BOARD_HOSTNAME, readAddress, readName } from "./peer_messages.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const assert: typeof faults.assert = faults.assert;
const { PAGE_SIZE } = units;
const { FRONTEND, IRQ, KERNEL } = stages;
const { SLOT_BOARD, SLOT_BYTES, SLOT_EID, SLOT_FUNC, SLOT_REQUEST } = layout;

/** What a frontend is made of. */
export interface FrontendParts {
  readonly world: World;
  readonly domain: Domain;
  /** Of dom0's board, as are its `peers`. */
  readonly hostname: string;
  readonly peers: PeerTable;
  readonly tuning: Tuning;
  readonly channel: Channel;
  /** Number of the board in its host. */
  readonly board: number;
}

/**
 * The guest's device (fe/omx_xenfront.c): two rings, an event channel, the table of requests under way, and an endpoint
 * for each that the guest has open. The endpoints' threads put requests on the ring; each has one under way at most.
 */
export class Frontend {
  readonly world: World;
  readonly domain: Domain;
  /** Number of the board that the device is for, and the device's name in the guest. */
  readonly board: number;
  readonly name: string;
  readonly tuning: Tuning;
  /** As dom0 has told; what the toolstack has written until then. */
  info: DriverInfo;
  /** Address of dom0's board: high 16 and low 32 bits. */
  readonly address: readonly [number, number];
  /** Dom0's table. */
  readonly peers: PeerTable;
  readonly ring: FrontRing;
  readonly ringRefs = new Int32Array(2);
  /** Pages of the guest's kernel: queues and lists of references. */
  readonly pages: PagePool;
  readonly commitHandlers: CommitHandlers;
  /** Open endpoints by index. */
  readonly endpoints: (FrontEndpoint | null | undefined)[] = [];
  port = -1;
  /** Peers that dom0 has told of. */
  readonly knownPeers = new Set<number>();
  /** Names the next set of grants. */
  nextMapping = 1;
  /** Dom0 could not map a region: before the next one, an unused one is given up. */
  dom0IsFull = false;
  /** Pages that were still granted and mapped from an earlier message when a region of them was registered again. */
  reusedPages = 0;
  readonly counters = {
    /** Commands that had to wait for a ring slot. */
    ringFull: 0,
    /** Answers to no request. */
    strayAnswers: 0,
    /** Opens that dom0 refused. */
    opensRefused: 0,
    /** With `historical`: region messages that would have been written past their end. */
    overruns: 0,
  };

  readonly #channel: Channel;
  readonly #receiver: EventReceiver;
  readonly #publish: number;
  #sender: Interrupt | null = null;
  #inProgress = 0;
  readonly #waiting: FrontCommands[] = [];
  /** Endpoints whose request is on the ring. */
  readonly #requests: FrontCommands[] = [];
  #lives = 0;

  constructor(parts: FrontendParts) {
    const { world, domain, hostname, peers, tuning, channel, board } = parts;
    this.world = world;
    this.domain = domain;
    this.board = board;
    this.name = board === 0 ? domain.name : `${domain.name}:${board}`;
    this.tuning = tuning;
    this.peers = peers;
    this.#channel = channel;
    this.pages = new PagePool(domain);
    this.commitHandlers = new CommitHandlers(world.engine);
    const { macHigh, macLow } = peers.at(0)!;
    this.address = [macHigh, macLow];
    this.info = {
      limits: world.mx,
      mac: hexadecimal(macHigh, macLow),
      hostname,
      sharedComms: true, // also with `historical`: the original advertises what it has disabled
      sendQueueOnly: true,
    };
    const { memory } = domain;
    const pages = domain.allocPages(2);
    initSharedRing(memory, pages);
    initSharedRing(memory, pages + PAGE_SIZE);
    domain.grantTable.reserve(null, 2, this.ringRefs);
    for (let i = 0; i < 2; i++) {
      domain.grantTable.grantAccess(null, this.ringRefs[i], 0, pages / PAGE_SIZE + i, false);
    }
    this.ring = new FrontRing(memory, pages, SLOT_BYTES);
    const recvRing = new FrontRing(memory, pages + PAGE_SIZE, SLOT_BYTES);
    this.#receiver = new EventReceiver(world, this.name, recvRing, channel, this.endpoints, () => this.#kick());
    this.#publish = world.engine.handler(`${this.name} request`, Frontend.#onPublish, this);
    channel.onResponses = () => {
      if (this.tuning.polling) { for (const endpoint of this.#requests) endpoint.wake(); }
    };
  }

  static readonly #onPublish = (to: number, _b: number, of: Frontend): void => of.#requestsReady(to);

  get recvRing(): FrontRing {
    return this.#receiver.ring;
  }

  /** Events that came for an endpoint after its close. */
  get strayEvents(): number {
    return this.#receiver.strayEvents;
  }

  /** Binds the frontend's end of the event channel: step 3 of the handshake. */
  bind(port: number): void {
    this.port = port;
    this.#sender = this.domain.eventChannels.sender(port);
  }

  /** A driver for one endpoint of the guest, which its library opens. */
  attach(): FrontEndpoint {
    return new FrontEndpoint(this, ++this.#lives);
  }

  /** The interrupt handler of the device's event channel. */
  interrupt(cpu: Processor): void {
    if (!this.tuning.polling) {
      this.takeAnswers(cpu, null);
      this.ring.finalCheckForResponses();
    }
    this.#receiver.interrupt(cpu);
  }

  // ---- requests

  /**
   * Whether an endpoint may begin a command. Each command has one request on the ring at a time, and there are no more
   * commands than slots: the ring is never overfull. Who is refused is woken when another command has ended.
   */
  admit(endpoint: FrontCommands): boolean {
    if (this.#inProgress < this.ring.size) {
      this.#inProgress++;
      return true;
    }
    this.counters.ringFull++;
    if (!this.#waiting.includes(endpoint)) this.#waiting.push(endpoint);
    return false;
  }

  /** A command has ended. */
  leave(): void {
    this.#inProgress--;
    if (this.#waiting.length > 0) this.#waiting.shift()!.wake();
  }

  /** Takes a slot for a request on behalf of endpoint `eid`. */
  claim(cpu: Processor, func: number, eid: number): number {
    cpu.charge(FRONTEND, KERNEL, this.world.costs.frontendPush);
    const number = this.ring.reqProdPvt;
    const slot = this.ring.claimRequest();
    const { view } = this.domain.memory;
    view.setUint32(slot + SLOT_FUNC, func, true);
    view.setUint32(slot + SLOT_BOARD, this.board, true);
    view.setUint32(slot + SLOT_EID, eid, true);
    view.setUint32(slot + SLOT_REQUEST, number & 0xffff, true);
    return slot;
  }

  /** Publishes the slot claimed last when the burst is over. The answer goes to `requester`. */
  send(cpu: Processor, requester: FrontCommands, journey: number): void {
    assert(!this.#hasAsked(requester), "xen2mx: an endpoint has one request under way");
    const number = (this.ring.reqProdPvt - 1) >>> 0;
    this.#channel.commandJourneys[this.ring.slotNumber(number)] = journey;
    requester.requestId = number & 0xffff;
    this.#requests.push(requester);
    cpu.post(this.#publish, this.ring.reqProdPvt | 0);
  }

  /** Hands answers to who asked: in an interrupt, or for the endpoint `looking` that polls the ring. */
  takeAnswers(cpu: Processor, looking: FrontCommands | null): void {
    const { view } = this.domain.memory;
    while (this.ring.unconsumedResponses() > 0) {
      const slot = this.ring.takeResponse();
      if (looking === null) cpu.charge(FRONTEND, IRQ, this.world.costs.frontendEvent);
      const id = view.getUint32(slot + SLOT_REQUEST, true);
      const endpoint = this.#requesterOf(id);
      if (endpoint === null) {
        this.counters.strayAnswers++;
        continue;
      }
      endpoint.answered(slot);
      if (endpoint !== looking) endpoint.wake();
    }
  }

  /** Whether an endpoint's request is on the ring. They are few: a call of what arrays have for it takes longer. */
  #hasAsked(requester: FrontCommands): boolean {
    const requests = this.#requests;
    for (let i = 0; i < requests.length; i++) if (requests[i] === requester) return true;
    return false;
  }

  /** Who has asked under this number, and is asking no more. */
  #requesterOf(id: number): FrontCommands | null {
    const requests = this.#requests;
    for (let i = 0; i < requests.length; i++) {
      const requester = requests[i];
      if (requester.requestId !== id) continue;
      requests[i] = requests[requests.length - 1];
      requests.pop();
      return requester;
    }
    return null;
  }

  #requestsReady(to: number): void {
    if (this.ring.publishRequests(to)) this.#kick();
    this.#channel.onRequests();
  }

  #kick(): void {
    this.domain.processors[0].raise(this.#sender!);
  }

  // ---- what dom0 has answered

  peerKnown(index: number): void {
    this.knownPeers.add(index);
  }

  /** GET_BOARD_INFO: the union of the answer. */
  boardKnown(view: DataView, union: number): void {
    const mac = hexadecimal(...readAddress(view, union + BOARD_ADDRESS));
    const hostname = readName(view, union + BOARD_HOSTNAME);
    if (mac === this.info.mac && hostname === this.info.hostname) return;
    this.info = { ...this.info, mac, hostname };
  }

  // ---- endpoints

  /** Makes an endpoint the one that events for its index go to, and its page the one that dom0 will find. */
  opening(endpoint: FrontEndpoint, page: number): void {
    this.endpoints[endpoint.index] ??= endpoint;
    this.#channel.endpointPages.set(page, endpoint.events!);
  }

  closed(endpoint: FrontEndpoint, page: number): void {
    if (this.endpoints[endpoint.index] === endpoint) this.endpoints[endpoint.index] = null;
    this.#channel.endpointPages.delete(page);
  }

  /** The region of any endpoint that was granted first of those that are not in use. */
  oldestUnused(): { region: GrantedRegion; endpoint: FrontEndpoint } | null {
    let oldest: { region: GrantedRegion; endpoint: FrontEndpoint } | null = null;
    for (const endpoint of this.endpoints) {
      const region = endpoint?.regions.oldestUnused() ?? null;
      if (region === null || (oldest !== null && oldest.region.mapping < region.mapping)) continue;
      oldest = { region, endpoint: endpoint! };
    }
    return oldest;
  }

  /** Regions that hold grant references, of all endpoints. */
  get regionCount(): number {
    return this.endpoints.reduce((sum, endpoint) => sum + (endpoint?.regions.count ?? 0), 0);
  }
}

function hexadecimal(macHigh: number, macLow: number): string {
  return (macHigh * 2 ** 32 + (macLow >>> 0)).toString(16).padStart(12, "0");
}
