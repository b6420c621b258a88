/**
 * Where a message can spend its time. Every picosecond between the send call and the receive completion of a followed
 * message belongs to exactly one of these, so a message's stages add up to its latency exactly.
 */
export const STAGE_MEANINGS = {
  library: "Open-MX user library",
  syscall: "entering and leaving the kernel, with the PV bounce in a Xen guest",
  driver: "Open-MX kernel driver: building, dispatching and receiving frames",
  frontend: "front half of a split driver",
  notification: "event channel send, kick, upcall",
  hypervisor: "hypercalls, VM exits, VCPU switches, waiting for a physical CPU",
  backend: "back half of a split driver",
  bridge: "software bridge and its extra hop",
  copy: "payload copies by a CPU",
  grant: "granting, mapping, unmapping, grant copies",
  pin: "pinning and registering user pages",
  nic: "NIC and DMA",
  wire: "serialisation, propagation, switch",
  interrupt: "interrupt delivery, handler and packet dispatch",
  wakeup: "leaving an idle state, waking and switching to a thread",
  poll: "until a busy poller looks",
  queueing: "waiting its turn: behind other work or the message's own other frames, in a ring, a queue or for a window",
  application: "the receiver had not asked for the message yet",
} as const;

export type StageName = keyof typeof STAGE_MEANINGS;

/** Their names, in the order of the numbers below. */
export const STAGES = Object.keys(STAGE_MEANINGS) as readonly StageName[];

export const LIBRARY = 0;
export const SYSCALL = 1;
export const DRIVER = 2;
export const FRONTEND = 3;
export const NOTIFICATION = 4;
export const HYPERVISOR = 5;
export const BACKEND = 6;
export const BRIDGE = 7;
export const COPY = 8;
export const GRANT = 9;
export const PIN = 10;
export const NIC = 11;
export const WIRE = 12;
export const INTERRUPT = 13;
export const WAKEUP = 14;
export const POLL = 15;
export const QUEUEING = 16;
export const APPLICATION = 17;

/** Classes of CPU time. The first four are charged; steal and idle are what is left. */
export const CPU_CLASSES = ["user", "kernel", "irq", "hypervisor", "steal", "idle"] as const;
export const USER = 0;
export const KERNEL = 1;
export const IRQ = 2;
export const HYP = 3;
export const STEAL = 4;
export const IDLE = 5;
