import { SECOND } from "../../base/units.ts";
import { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";
import { KERNEL } from "../../metrics/stage.ts";
import * as wire from "../wire/mod.ts";
import * as count from "./counters.ts";
import { DeferredJobs } from "./deferred.ts";
import type { OmxDriver } from "./driver.ts";
import type { Peer } from "./peer_table.ts";

/** Unanswered queries are sent again after this long (omx_peer.c:47). */
const QUERY_RESEND_PS = 5 * SECOND;
/** Queries and replies that may wait for the work item. The real list has no limit. */
const WORK_LIMIT = 1024;

/** A received query or reply, as far as the work item needs it. */
interface HostPacket {
  readonly isReply: boolean;
  readonly macHigh: number;
  readonly macLow: number;
  /** The index that the sender uses for us. */
  readonly reverse: number;
  readonly magic: number;
  readonly hostname: string;
}

const query = wire.newHostQueryFields();
const reply = wire.newHostReplyFields();

/**
 * Host names and reverse peer indexes, asked for and told (omx_peer.c:640-1130). What arrives is only queued; a work
 * item outside of the interrupt does the rest.
 */
export class HostQueries {
  /** Queries and replies that found the list of the work item full. */
  overflows = 0;
  readonly #driver: OmxDriver;
  /** Peers without a name, asked every 5 s until they answer. */
  readonly #unnamed = new Set<Peer>();
  readonly #work: DeferredJobs<HostPacket>;
  readonly #resend: Interrupt;
  #queued = 0;
  #magic = wire.HOST_MAGIC_INITIAL;
  /** Engine handler of the timer, declared when it is first needed: a run without queries has none. */
  #timer = -1;
  #armed = -1;
  /** Between {@link stop} and the next {@link ask}: a timer's interrupt that is still due asks nobody. */
  #isStopped = false;

  constructor(driver: OmxDriver) {
    this.#driver = driver;
    this.#work = new DeferredJobs("host query", (cpu, packet) => this.#process(cpu, packet));
    this.#resend = new Interrupt("host query timer", 1, (cpu) => this.#askAll(cpu));
  }

  /** Peers whose name is not known. */
  get unnamed(): number {
    return this.#unnamed.size;
  }

  /** Begins to ask a peer that has no name, now and every 5 s. */
  ask(cpu: Processor, peer: Peer): void {
    this.#isStopped = false;
    this.#unnamed.add(peer);
    this.#send(cpu, peer);
    this.#arm(cpu.now);
  }

  /**
   * Forgets the names of all other hosts and asks for them. The queries go out under the old magic, which is counted up
   * afterwards: their answers are dropped, and only those of the next round, 5 s later, are taken (omx_peer.c:1112-1120).
   */
  clearNames(cpu: Processor): void {
    const { peers } = this.#driver;
    for (const peer of peers.peers) {
      if (peer.isLocal || peer.name === null) continue;
      peers.rename(peer, null);
      this.ask(cpu, peer);
    }
    this.#magic = (this.#magic + 1) >>> 0;
  }

  /** A HOST_QUERY or HOST_REPLY has come in. */
  receive(cpu: Processor, frame: number): void {
    const driver = this.#driver;
    const { view } = driver.memory;
    const at = driver.frames.at(frame);
    const isReply = wire.packetType(view, at) === wire.PACKET_HOST_REPLY;
    const { macHigh, macLow } = driver.port;
    if (!isReply && (wire.readDstHi(view, at) !== macHigh || wire.readDstLo(view, at) !== macLow >>> 0)) {
      driver.ignored++;
      return;
    }
    if (isReply && wire.hostMagic(view, at) !== this.#magic) {
      driver.counters[count.DROP_HOST_REPLY_BAD_MAGIC]++;
      return;
    }
    if (this.#queued === WORK_LIMIT) {
      this.overflows++;
      return;
    }
    this.#queued++;
    this.#work.submit(cpu, {
      isReply,
      macHigh: wire.readSrcHi(view, at),
      macLow: wire.readSrcLo(view, at),
      reverse: wire.hostSrcDstPeerIndex(view, at),
      magic: wire.hostMagic(view, at),
      hostname: isReply ? wire.parseHostReply(view, at).hostname : "",
    });
    driver.counters[isReply ? count.RECV_HOST_REPLY : count.RECV_HOST_QUERY]++;
  }

  #process(cpu: Processor, packet: HostPacket): boolean {
    this.#queued--;
    const driver = this.#driver;
    const peer = driver.peers.byAddress(packet.macHigh, packet.macLow);
    if (peer === undefined) {
      driver.counters[count.DROP_BAD_PEER_ADDR]++;
      return true;
    }
    if (!peer.isLocal) peer.reverse = packet.reverse;
    if (!packet.isReply) {
      this.#answer(cpu, peer, packet.magic);
    } else if (!peer.isLocal) {
      driver.peers.rename(peer, packet.hostname);
      this.#unnamed.delete(peer);
      if (this.#unnamed.size === 0) this.stop();
    }
    return true;
  }

  #answer(cpu: Processor, peer: Peer, magic: number): void {
    const driver = this.#driver;
    const frame = this.#frameTo(peer, wire.HOST_REPLY_HEADER);
    if (frame < 0) return;
    reply.srcDstPeerIndex = peer.index;
    reply.magic = magic;
    reply.hostname = driver.hostname;
    driver.frames.setLinear(frame, wire.emitHostReply(driver.memory.view, driver.frames.at(frame), reply));
    driver.emit(cpu, KERNEL, frame, count.SEND_HOST_REPLY);
  }

  #send(cpu: Processor, peer: Peer): void {
    const driver = this.#driver;
    const frame = this.#frameTo(peer, wire.HOST_QUERY_HEADER);
    if (frame < 0) return;
    query.srcDstPeerIndex = peer.index;
    query.magic = this.#magic;
    wire.emitHostQuery(driver.memory.view, driver.frames.at(frame), query);
    driver.emit(cpu, KERNEL, frame, count.SEND_HOST_QUERY);
  }

  /** The head of these frames has no peer index. */
  #frameTo(peer: Peer, linear: number): number {
    const frame = this.#driver.newFrame(peer, linear);
    if (frame >= 0) wire.writePeerIndex(this.#driver.memory.view, this.#driver.frames.at(frame), 0);
    return frame;
  }

  // ---- the timer

  #arm(now: number): void {
    const { engine } = this.#driver;
    if (this.#armed >= 0) return;
    if (this.#timer < 0) {
      this.#timer = engine.handler("host query timer", () => {
        this.#armed = -1;
        if (this.#unnamed.size > 0) this.#driver.processor.raise(this.#resend);
      });
    }
    this.#armed = engine.timer(now + QUERY_RESEND_PS, this.#timer);
  }

  #askAll(cpu: Processor): boolean {
    if (this.#isStopped) return false;
    for (const peer of this.#unnamed) this.#send(cpu, peer);
    if (this.#unnamed.size > 0) this.#arm(cpu.now);
    return false;
  }

  /** Asks nobody any more until the next {@link ask}. */
  stop(): void {
    this.#isStopped = true;
    if (this.#armed >= 0) this.#driver.engine.cancel(this.#armed);
    this.#armed = -1;
  }
}
