import type { CostEntry, MachineProfile } from "../machine_profile.ts";

const ns = (value: number, source: string, fittedTo?: string): CostEntry =>
  fittedTo === undefined ? { value, unit: "ns", source } : { value, unit: "ns", source, fittedTo };
const perPage = (value: number, source: string): CostEntry => ({ value, unit: "ns/page", source });
const perByte = (value: number, source: string): CostEntry => ({ value, unit: "ns/B", source });
const count = (value: number, source: string): CostEntry => ({ value, unit: "count", source });

const A1 = "small-message RTT 14 / 13 / 44 us (Nanos, Koziris, VHPC 2012)";
const A2 = "native half round trip 6.0 us (Open-MX FAQ, adaptive coalescing)";

/**
 * The testbed of the VHPC 2012 paper: two hosts with two six-core Westmere Xeons at 2.4 GHz (hyper-threading on),
 * Intel 5500 chipset, 10GbE, Xen 4.2, Linux 3.4, idle states on. Cycles were rescaled to 2.4 GHz.
 */
export const vhpc12: MachineProfile = {
  name: "vhpc12",
  title: "2 x 6-core Westmere 2.4 GHz, 10GbE, Xen 4.2, idle states on (VHPC 2012)",
  costs: {
    librarySend: ns(150, "share of the 0.35 us of library, syscall and ioctl", A2),
    libraryReceive: ns(550, "0.65 us of user poll and match, less the poll's pick-up", A2),
    pollPickup: ns(100, "cache line transfer 40 ns (Molka, PACT 2009) and half a turn of the poll loop"),
    syscall: ns(80, "about 60 ns on Nehalem/Westmere (tsuna 2010), with entry code"),
    ioctl: ns(120, "share of the 0.35 us of library, syscall and ioctl", A2),
    driverSend: ns(600, "0.75 us of packet build, transmit and doorbell, less the doorbell", A2),
    doorbell: ns(150, "uncached posted write over PCIe, 100-200 ns", A2),
    driverReceive: ns(350, "Open-MX receive handler, 0.35 us", A2),
    packetReceive: ns(900, "driver and stack, per received packet: 0.9 us", A2),
    napi: ns(250, "1.15 us of NAPI and dispatch, less the 0.9 us per packet", A2),
    interrupt: ns(650, "MSI-X to handler, 0.65 us", A2),
    pinBase: ns(1500, "1.3 us on a 3.0 GHz Xeon E5460 (Goglin, CAC 2009), rescaled"),
    pinPage: perPage(200, "150 ns per page on a 3.0 GHz Xeon E5460 (Goglin, CAC 2009), rescaled"),
    unpinPage: perPage(50, "page reference drop, a quarter of pinning; derived from the same measurements"),
    copyCachedByte: perByte(0.125, "8 GB/s, cached memcpy on one core (Goglin, Cluster 2008: 12; range 6-12)"),
    copyUncachedByte: perByte(1 / 3, "3.0 GB/s, uncached memcpy on one core (Goglin, Cluster 2008: 1.6; range 2-5)"),
    offloadSubmit: ns(350, "I/OAT copy engine, submitting one copy: 350 ns (Goglin, Cluster 2008)"),
    offloadByte: perByte(0.42, "I/OAT copy engine, about 2.4 GB/s at 4 KB (Goglin, Cluster 2008)"),
    contextSwitch: ns(1500, "1300-1600 ns pinned (tsuna 2010); also to a process that has slept"),
    idleExit: ns(3000, "C1 on Nehalem/Westmere: 3 us (Xen mwait-idle.c)"),
    workQueueWake: ns(2000, "kernel thread or work queue wake, same node: 1-4 us, derived"),
    threadSlice: { value: 3000, unit: "us", source: "Linux 3.4 CFS minimum granularity, 0.75 ms x (1 + log2 8)" },
    nicTransmit: ns(1100, "NIC transmit with descriptor and DMA read, 1.10 us", A2),
    nicReceive: ns(700, "NIC receive with DMA write, 0.70 us", A2),
    nicFragment: ns(
      95,
      "residual of frames of MTU 9000, 285 ns, by page: no source, and too much at MTU 1500 (742 of 822 kpps)",
      "directly attached peak throughput 1192 MB/s (Xen2MX project page, JSS 2014)",
    ),
    phy: ns(203, "0.30 us of wire without a switch, less 30 ns of fibre and a minimum frame's 67 ns", A2),
    fibre: ns(30, "6.5 ns per metre (myricom.com), 5 m"),
    switchForward: ns(450, "10GbE cut-through switch, 300-500 ns (vendor sheets)"),
    pvSyscall: ns(150, "64-bit PV syscall bounce, 100-350 ns; 220-540 for int80 (xen commit 3e1b9525)"),
    hypercall: ns(150, "PV hypercall without an exit, derived: 100-300 ns"),
    eventSend: ns(250, "EVTCHNOP_send: hypercall and pending bits, derived: 150-450 ns"),
    upcall: ns(650, "IPI to another CPU, hypervisor and PV upcall, target running, derived: 400-1200 ns"),
    xenInterrupt: ns(550, "physical interrupt through Xen to a domain's upcall, beyond the native interrupt", A1),
    vcpuSwitch: ns(800, "Xen VCPU switch, warm: 0.8 us (range 800-5000; 10534 cycles cold, Dall, ISCA 2016)"),
    grantEntry: perPage(60, "memory write of a grant entry in the guest, 30-150 ns (xen-devel 2015)"),
    grantMapPage: perPage(435, "half of map and unmap, batched: 0.60 us at 3.5 GHz (NEC persistent-grant series 2015)"),
    grantUnmapPage: perPage(435, "half of map and unmap, batched: 0.60 us at 3.5 GHz (NEC persistent-grant series)"),
    grantSingle: perPage(750, "a hypercall of its own for each page: one hypercall with entry and exit, derived"),
    grantCopyBase: ns(400, "grant copy 1.12 us per page at 3.5 GHz (NEC 2015): fixed part"),
    grantCopyByte: perByte(0.3, "grant copy 1.12 us per page at 3.5 GHz (NEC 2015): per byte"),
    frontendPush: ns(100, "filling and publishing a ring slot, 0.10 us", A1),
    frontendEvent: ns(200, "guest interrupt handler copies a ring event into the event queue, 0.20 us", A1),
    backendPickup: ns(150, "spinning worker sees the slot: cache lines across cores, 0.15 us", A1),
    backendDispatch: ns(100, "backend request dispatch, 0.10 us", A1),
    backendResponse: ns(100, "filling and publishing a response slot, 0.10 us", A1),
    backendPoll: ns(10, "an empty turn of the worker's poll loop, which ends after 1,000,000 of them; derived"),
    netfrontTransmit: ns(500, "netfront: request, grant and push of one packet, 0.5 us", A1),
    netfrontReceive: ns(2400, "netfront and guest stack, receive, beyond the native receive: 2.4 us", A1),
    netbackTransmit: ns(370, "884 cycles per packet without grants (xen netif-staging-grants document)"),
    netbackReceive: ns(310, "743 cycles per packet without grants (xen netif-staging-grants document)"),
    netbackWake: ns(1500, "waking the netback thread on its own CPU, 1.5 us", A1),
    bridgeForward: ns(1600, "Linux bridge and the extra receive hop, 0.8-2.5 us, derived"),
    coldCache: ns(2875, "half of the 5.75 us of cold caches and residual on the two hops through dom0", A1),
    iommuHit: ns(50, "IOTLB hit (Neugebauer, SIGCOMM 2018: about 0)"),
    iommuMiss: ns(330, "IOTLB miss (Neugebauer, SIGCOMM 2018)"),
    vfCompletion: ns(200, "completion interrupt of a directly attached function, 0.20 us", A1),
    vmExit: ns(830, "exit and entry, direct cost: 2000 cycles on a Xeon X5570 (SplitX, WIOV 2011)"),
    kvmKick: ns(1200, "port write handled in the kernel: 4451 cycles (kvm-unit-tests 00bfecaa), range 900-1900"),
    qemuExit: ns(6500, "exit to QEMU user space and back: 20574 cycles (kvm-unit-tests 00bfecaa), range 4000-9000"),
    hvmIoreq: ns(18000, "Xen HVM ioreq to the device model: exit, event channel, dom0 switch, QEMU and back; derived"),
    kvmInterruptIn: ns(
      4070,
      "KVM I/O latency in: 18923 cycles, 7.9 us (Dall, ISCA 2016; range 4000-9000), less idleExit and vmExit",
    ),
    kvmInterruptDone: ns(620, "virtual interrupt completion: 1556 cycles (Dall, ISCA 2016)"),
    vmSwitchKvm: ns(2000, "VM switch, KVM: 4812 cycles (Dall, ISCA 2016)"),
    vhostTransmit: ns(
      370,
      "vhost per packet, taken as netback's without grants (884 cycles, xen netif document); derived",
    ),
    vhostReceive: ns(
      310,
      "vhost per packet, taken as netback's without grants (743 cycles, xen netif document); derived",
    ),
    tapForward: ns(800, "tap device: half of a bridge hop; derived"),
    qemuPacket: ns(2000, "QEMU's own handling of a packet in user space, with a system call to the tap; derived"),
  },
  limits: {
    cpusPerHost: count(24, "dom0 with 24 VCPUs in the Xen2MX README's listing: two six-core parts, 2 threads each"),
    nicRateGbps: { value: 10, unit: "Gb/s", source: "10GbE testbed" },
    nicTxRing: count(1024, "myri10ge transmit ring"),
    nicRxRing: count(1024, "myri10ge receive ring"),
    nicQueues: count(8, "myri10ge slices (multiqueue by endpoint, Open-MX FAQ 2018-2022)"),
    txQueueLength: count(10000, "txqueuelen that 10GbE host tuning advises; Linux's default is 1000"),
    txModerationUs: { value: 50, unit: "us", source: "transmit completion moderation; usual driver defaults 25-75 us" },
    coalesceUs: { value: 0, unit: "us", source: "latency mode, as the Open-MX FAQ advises (rx-usecs 0)" },
  },
};
