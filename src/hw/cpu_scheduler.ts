import type { Processor } from "./processor.ts";

/** What decides which processor has a physical CPU: a hypervisor's scheduler, or a host's. */
export interface CpuScheduler {
  /** `processor` was blocked and has work. */
  wake(processor: Processor): void;
  /** `processor` has nothing to do. */
  block(processor: Processor): void;
  /** `processor` was asked to leave its physical CPU and has reached a point where it can. */
  left(processor: Processor): void;
  /**
   * `processor`, which waits for a physical CPU, is paused and has nothing to run any more (Xen: vcpu_sleep_nosync).
   * True when it has been taken off its queue and is to be woken; false when a CPU is switching to it already.
   */
  sleep(processor: Processor): boolean;
  /** `processor`, which waits for a physical CPU, has an interrupt or deferred work to run: for who puts these first. */
  interrupted?(processor: Processor): void;
  /** Whether `processor`, which came for interrupts that it has run now, keeps its physical CPU for its threads. */
  keeps?(processor: Processor): boolean;
}
