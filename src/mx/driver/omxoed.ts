import { assert } from "../../base/assert.ts";
import { MS, SECOND } from "../../base/units.ts";
import type { Processor } from "../../hw/processor.ts";
import { Thread, type Wait, WAIT_BLOCK } from "../../hw/thread.ts";
import { DRIVER, KERNEL, SYSCALL } from "../../metrics/stage.ts";
import * as wire from "../wire/mod.ts";
import type { OmxDriver } from "./driver.ts";

/** Broadcasts of a burst, the pause between two, and between bursts, milliseconds (tools/omxoed.c:45-47). */
const BURST = 8;
const INTERVAL_MS = SECOND / MS;
const LONG_INTERVAL_MS = 180 * INTERVAL_MS;
/** Hosts that the daemon keeps serials of (MAX_PEERS). */
const HOSTS_MAX = 8192;

/**
 * The discovery daemon of one board (tools/omxoed.c): a process that says who it is, in a raw frame to all stations,
 * eight times a second apart and then every three minutes, and tells its driver of everybody whom it hears. Somebody
 * new, or started anew (another serial), begins the burst again, at the next interval's end.
 */
export class Omxoed {
  readonly thread: Thread;
  /** Broadcasts sent, and hosts that found no place in its list. */
  readonly counters = { broadcasts: 0, refused: 0 };
  readonly #driver: OmxDriver;
  readonly #frame: Uint8Array;
  /** Serial by the 48 bits of a board's address. */
  readonly #serials = new Map<number, number>();
  readonly #timerHandler: number;
  #timer = -1;
  #isOpen = false;
  #left = BURST;
  /** Milliseconds until the next broadcast: the daemon counts whole ones, and only what it has waited. */
  #intervalMs = 0;
  #waitingSince = -1;
  #stopped = false;

  /** `serial` is drawn when a daemon starts, 32 bits. */
  constructor(driver: OmxDriver, serial: number, processor: Processor = driver.processor) {
    this.#driver = driver;
    this.#frame = announcement(driver, serial);
    this.thread = new Thread(`${driver.hostname} omxoed`, processor, (cpu) => this.#step(cpu));
    this.#timerHandler = driver.engine.handler(`${driver.hostname} omxoed timer`, () => {
      this.#timer = -1;
      this.thread.notify();
    });
  }

  /** Goes to rest for good at the next step, with no timer left. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#driver.raw.close();
    this.#driver.hosts.stop();
  }

  #step(cpu: Processor): Wait {
    if (this.#stopped) return WAIT_BLOCK;
    if (!this.#isOpen) this.#open(cpu);
    if (this.#waitingSince >= 0) this.#waited(cpu);
    if (this.#left > 0 && this.#intervalMs <= 0) this.#broadcast(cpu);
    this.#call(cpu);
    const packet = this.#driver.raw.take();
    if (packet !== null) {
      this.#heard(cpu, packet);
      return 0;
    }
    this.#waitingSince = cpu.now;
    this.#timer = this.#driver.engine.timer(cpu.now + this.#intervalMs * MS, this.#timerHandler);
    return WAIT_BLOCK;
  }

  #open(cpu: Processor): void {
    this.#isOpen = true;
    this.#call(cpu);
    const opened = this.#driver.raw.open(() => this.thread.notify());
    assert(opened, "omxoed: a board has one daemon");
  }

  #waited(cpu: Processor): void {
    this.#intervalMs -= Math.floor((cpu.now - this.#waitingSince) / MS);
    this.#waitingSince = -1;
    this.#cancelTimer();
  }

  #broadcast(cpu: Processor): void {
    this.#call(cpu);
    if (this.#driver.raw.send(cpu, this.#frame)) this.counters.broadcasts++;
    this.#left--;
    this.#intervalMs = this.#left > 0 ? INTERVAL_MS : LONG_INTERVAL_MS;
    if (this.#left === 0) this.#left = 1;
  }

  #heard(cpu: Processor, packet: Uint8Array): void {
    if (packet.length < wire.RAW_HEADER) return;
    const { nicIdHigh, nicIdLow, serial } = wire.parseRaw(new DataView(packet.buffer), 0);
    const { port } = this.#driver;
    if (nicIdHigh === port.macHigh && nicIdLow === port.macLow >>> 0) return;
    const key = wire.macKey(nicIdHigh, nicIdLow);
    const known = this.#serials.get(key);
    if (known === serial) return;
    if (known === undefined) {
      if (this.#serials.size === HOSTS_MAX) {
        this.counters.refused++;
        return;
      }
      this.#addPeer(cpu, nicIdHigh, nicIdLow);
    }
    this.#serials.set(key, serial);
    this.#left = BURST;
    this.#intervalMs = Math.min(this.#intervalMs, INTERVAL_MS);
  }

  /** Tells the driver of a board, whose name it asks for itself. */
  #addPeer(cpu: Processor, macHigh: number, macLow: number): void {
    const { peers, hosts } = this.#driver;
    this.#call(cpu);
    const isNew = peers.byAddress(macHigh, macLow) === undefined;
    const peer = isNew ? peers.tryAdd(null, macHigh, macLow) : null;
    if (peer !== null) hosts.ask(cpu, peer);
    this.#call(cpu);
  }

  #call(cpu: Processor): void {
    cpu.charge(SYSCALL, KERNEL, this.#driver.costs.syscall);
    cpu.charge(DRIVER, KERNEL, this.#driver.costs.ioctl);
  }

  #cancelTimer(): void {
    if (this.#timer >= 0) this.#driver.engine.cancel(this.#timer);
    this.#timer = -1;
  }
}

/** The frame that the daemon sends: 64 bytes to all stations. */
function announcement(driver: OmxDriver, serial: number): Uint8Array {
  const frame = new Uint8Array(wire.RAW_FRAME);
  const view = new DataView(frame.buffer);
  const { macHigh, macLow } = driver.port;
  wire.emitHead(view, 0, wire.BROADCAST_HI, wire.BROADCAST_LO, macHigh, macLow, 0);
  wire.emitRaw(view, 0, { nicIdHigh: macHigh, nicIdLow: macLow >>> 0, serial });
  return frame;
}
