import { copyTime } from "../../hw/machine_profile.ts";
import type { Processor } from "../../hw/processor.ts";
import { KERNEL, QUEUEING } from "../../metrics/stage.ts";
import { PULL_ABORTED, PULL_OK } from "./contract.ts";
import { SHARED_DMA_LARGE, SHARED_PULL } from "./counters.ts";
import { DeferredJobs } from "./deferred.ts";
import type { OmxDriver } from "./driver.ts";
import type { PullHandle } from "./pull_handle.ts";

/** Bytes that a copy between two endpoints of one host moves in one burst. */
const LOCAL_PIECE = 16384;
/** From here on the copy engine moves them, where there is one, and the CPU waits for it (module parameter dmasyncmin). */
const OFFLOAD_SYNC_MIN = 2 << 20;

interface LocalPull {
  readonly handle: PullHandle;
  /** The handle's name at the begin: it has another one when the pull has been ended. */
  readonly id: number;
  readonly journey: number;
}

/** Ends a pull with a PULL_* status and the journey that belongs to it. */
type Finish = (cpu: Processor, handle: PullHandle, status: number, journey: number) => void;

/** Shared communication: large messages between endpoints of one host, copied from region to region (omx_shared.c). */
export class LocalPulls {
  readonly #driver: OmxDriver;
  readonly #finish: Finish;
  readonly #jobs: DeferredJobs<LocalPull>;

  constructor(driver: OmxDriver, finish: Finish) {
    this.#driver = driver;
    this.#finish = finish;
    this.#jobs = new DeferredJobs("local pull", (cpu, job) => this.#copy(cpu, job));
  }

  submit(cpu: Processor, handle: PullHandle, journey: number): void {
    this.#jobs.submit(cpu, { handle, id: handle.id, journey });
  }

  /** One copy from region to region, in pieces (omx_shared.c:716-793); whether it is over. */
  #copy(cpu: Processor, { handle, id, journey }: LocalPull): boolean {
    const driver = this.#driver;
    if (handle.id !== id) {
      driver.frames.journeys.drop(journey);
      return true;
    }
    const source = driver.server.localRegion(handle.remoteEndpoint, handle.session, handle.remoteRegion);
    cpu.carry(journey, QUEUEING);
    if (typeof source === "number" || source.length < handle.total) {
      this.#finish(cpu, handle, typeof source === "number" ? source : PULL_ABORTED, journey);
      return true;
    }
    const length = Math.min(LOCAL_PIECE, handle.total - handle.received);
    const { costs, counters } = driver;
    const isOffloaded = driver.copyOffload && handle.total >= OFFLOAD_SYNC_MIN;
    // The engine copies page by page, and the CPU waits for it.
    const perByte = isOffloaded ? costs.offloadByte : costs.copyUncachedByte;
    const duration = (isOffloaded ? costs.offloadSubmit : 0) + copyTime(perByte, length);
    cpu.copy(KERNEL, duration, length, "user's pages > user's pages");
    handle.region.copyFrom(driver.memory, handle.received, source, length);
    handle.received += length;
    if (handle.received < handle.total) return false;
    counters[SHARED_PULL]++;
    if (isOffloaded) counters[SHARED_DMA_LARGE]++;
    this.#finish(cpu, handle, PULL_OK, journey);
    return true;
  }
}
