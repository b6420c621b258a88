/** What a NIC driver needs of a NIC, or of a virtual function of one. */
export interface FrameDevice {
  readonly name: string;
  /** Receive queues, each with an interrupt of its own. */
  readonly queueCount: number;
  /** Called when a queue's interrupt fires. The owner routes it to a CPU. */
  onInterrupt: (queue: number) => void;
  /** Cookies of sent frames whose sender wants to know, oldest first; the driver reaps them. */
  readonly sent: number[];
  /**
   * Hands over a frame at the instant that a burst has reached, `ahead` picoseconds from now; it is gone either way,
   * false when it was dropped.
   */
  transmit(frame: number, ahead: number): boolean;
  /** The next received frame of a queue, -1 when its ring is empty. */
  take(queue: number): number;
  /** The driver has emptied a ring: the next frame interrupts. An interrupt masks itself until then. */
  unmask(queue: number): void;
  /** The driver looks after sent frames now: whether there are any. */
  reaped(): boolean;
}

/** What lets several functions share a NIC's port (sriov.ts). The physical function's frames go through it too. */
export interface PortSharing {
  /** Frames handed over and not yet fetched. */
  readonly backlog: number;
  /** A frame of the physical function; false when it was dropped. */
  transmit(frame: number): boolean;
  /** A frame from the wire. */
  receive(frame: number): void;
  /** The last bit of the oldest frame in the port has left. */
  frameSent(frame: number): void;
}
