import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import { MxCommand } from "../../mx/driver/contract.ts";
import * as contract from "../../mx/driver/contract.ts";
import type { DriverEndpoint } from "../../mx/driver/endpoint.ts";
import * as events from "../../mx/driver/events.ts";
import * as limits from "../../mx/limits.ts";
import { EBUSY, EINVAL, ENOMEM } from "../../xen/errno.ts";
import { BackRegions } from "./back_regions.ts";
import type { Backend } from "./backend.ts";
import * as messages from "./command_messages.ts";
import { GuestSink } from "./event_sink.ts";
import * as layout from "./layout.ts";
import { SlotArea } from "../../mx/driver/slot_area.ts";
import { MappedQueues } from "./mapped_queues.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { GRANT, KERNEL } = stages;
const { CMD_PULL, CMD_SEND_MEDIUM_FRAG, CMD_SEND_SMALL, CMD_SEND_TINY, EVENT_PULL_DONE, PULL_ABORTED, RESULT_OK } =
  contract;
const { EV_COOKIE, EV_LENGTH, EV_SMALL_FIELD } = events;
const { SMALL_MAX, TINY_MAX } = limits;
const { decodeCommand } = messages;
const {
  errorOf,
  LIFE_MASK,
  OPEN_ENDPOINT_GREF,
  OPEN_LIFE,
  OPEN_RECVQ_GREF,
  OPEN_RECVQ_PAGES,
  OPEN_SENDQ_GREF,
  OPEN_SENDQ_PAGES,
  OPEN_SESSION,
  SLOT_UNION,
} = layout;

const command = new MxCommand();

/** One endpoint of a guest as dom0 knows it (be/omx_xenback_endpoint.c): free, or open with what it has mapped. */
export class BackEndpoint {
  readonly eid: number;
  readonly #backend: Backend;
  #open: Opened | null = null;
  /** Closed, and its queues still mapped. */
  #isClosing = false;

  constructor(backend: Backend, eid: number) {
    this.#backend = backend;
    this.eid = eid;
  }

  get regions(): BackRegions | null {
    return this.#open?.regions ?? null;
  }

  /** OPEN_ENDPOINT: maps what is granted and takes the index of dom0's board; the answer to the guest. */
  open(cpu: Processor, slot: number): number {
    const backend = this.#backend;
    const { dom0, driver, guest, tuning, world } = backend;
    // The original answers success, and has mapped nothing (be/omx_xenback_endpoint.c:641-648).
    if (this.#open !== null) return tuning.historical ? 0 : -EBUSY;
    if (this.#isClosing) return -EBUSY;
    const { view } = world.memory;
    const at = slot + SLOT_UNION;
    const queues = MappedQueues.map(cpu, dom0, guest, {
      sendPages: view.getUint32(at + OPEN_SENDQ_PAGES, true),
      recvPages: view.getUint32(at + OPEN_RECVQ_PAGES, true),
      sendList: view.getUint32(at + OPEN_SENDQ_GREF, true),
      recvList: view.getUint32(at + OPEN_RECVQ_GREF, true),
      endpoint: view.getUint32(at + OPEN_ENDPOINT_GREF, true),
    });
    if (queues === null) return -ENOMEM;
    const events = backend.channel.endpointPages.get(queues.page);
    const sink = events === undefined ? null : new GuestSink(world, backend.events, events, {
      eid: this.eid,
      life: view.getUint32(at + OPEN_LIFE, true) & LIFE_MASK,
      recvQueue: queues.recvQueue,
      historical: tuning.historical,
    });
    const session = view.getUint32(at + OPEN_SESSION, true);
    const bytes = (events?.queues.entries ?? 0) * world.mx.slotBytes;
    if (sink === null || !queues.holds(bytes)) {
      queues.unmap(cpu);
      return -EINVAL;
    }
    const endpoint = driver.open(this.eid, session, sink, SlotArea.flat(queues.sendQueue, world.mx.slotBytes));
    if (endpoint === null) {
      queues.unmap(cpu);
      return -EBUSY; // taken by another guest, or by dom0 itself
    }
    const regions = new BackRegions(backend, endpoint, (cpu, kept) => this.#executeLate(cpu, kept));
    this.#open = { endpoint, queues, sink, regions };
    return 0;
  }

  /**
   * CLOSE_ENDPOINT. The guest gives the pages of the queues to others when it has the answer: that waits for the frames
   * that refer to them, of which the NIC may have thousands before it. The original unmaps at once.
   */
  close(cpu: Processor, request: number): void {
    const backend = this.#backend;
    if (this.#open === null) return void backend.respond(cpu, request, -EINVAL);
    const { endpoint, queues, sink, regions } = this.#open;
    backend.driver.close(endpoint);
    backend.events.closed(this.eid);
    regions.close(cpu);
    backend.counters.keptNacks += sink.keptNacks;
    this.#open = null;
    this.#isClosing = true;
    const finish = (cpu: Processor) => {
      queues.unmap(cpu);
      this.#isClosing = false;
      backend.respond(cpu, request, 0);
    };
    if (endpoint.framesOut === 0) finish(cpu);
    else endpoint.whenLeft(cpu, (cpu) => backend.runLater(cpu, finish));
  }

  /** Executes a command of the data path, whose journey is carried, and puts that down; the answer to the guest. */
  execute(cpu: Processor, slot: number, journey: number): number {
    const { driver, tuning, world } = this.#backend;
    const isGood = this.#open !== null && decodeCommand(world.memory, slot, command) && this.#fits(command);
    if (this.#open === null || !isGood) {
      cpu.putDown();
      world.journeys.drop(journey);
      return -EINVAL;
    }
    command.journey = journey;
    let result = RESULT_OK;
    if (!this.#open.regions.mustWait(command)) {
      result = driver.execute(cpu, KERNEL, this.#open.endpoint, command);
      // The original's result is shadowed by an inner variable (be/omx_xenback.c:1179-1195).
      if (tuning.historical && command.kind === CMD_SEND_SMALL) result = RESULT_OK;
    }
    cpu.putDown();
    return errorOf(result);
  }

  /** Whether a command's payload lies in its slot or in the send queue: the guest has written where. */
  #fits({ kind, length, queueOffset, fragmentLength }: MxCommand): boolean {
    const { queues } = this.#open!;
    if (kind === CMD_SEND_TINY) return length <= TINY_MAX;
    if (kind === CMD_SEND_SMALL) return length <= SMALL_MAX;
    if (kind !== CMD_SEND_MEDIUM_FRAG) return true;
    const { mediumFragmentBytes } = this.#backend.world.mx;
    return fragmentLength <= mediumFragmentBytes && queueOffset + fragmentLength <= queues.sendBytes;
  }

  /** A command whose region has come. The guest has been told that it is done: a refusal must be an event. */
  #executeLate(cpu: Processor, kept: MxCommand): void {
    const { endpoint, sink } = this.#open!;
    cpu.carry(kept.journey, GRANT);
    const result = this.#backend.driver.execute(cpu, KERNEL, endpoint, kept);
    cpu.putDown();
    if (result === RESULT_OK || kept.kind !== CMD_PULL) return;
    const at = sink.reserve(cpu, true, false);
    if (at < 0) return;
    const { view } = this.#backend.world.memory;
    view.setUint32(at + EV_COOKIE, kept.cookie, true);
    view.setUint32(at + EV_LENGTH, 0, true);
    view.setUint8(at + EV_SMALL_FIELD, PULL_ABORTED);
    sink.commit(cpu, EVENT_PULL_DONE, -1);
  }
}

/** What an open endpoint has. */
interface Opened {
  readonly endpoint: DriverEndpoint;
  readonly queues: MappedQueues;
  readonly sink: GuestSink;
  readonly regions: BackRegions;
}
