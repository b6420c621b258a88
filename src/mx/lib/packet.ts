import * as journeys from "../../metrics/journey.ts";
import * as contract from "../driver/contract.ts";
import * as events from "../driver/events.ts";
import { Link } from "./list.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NO_JOURNEY } = journeys;
const { EVENT_MEDIUM_FRAG } = contract;
const {
  EV_CHECKSUM,
  EV_ENDPOINT,
  EV_EXTRA,
  EV_LENGTH,
  EV_MATCH_A,
  EV_MATCH_B,
  EV_PEER,
  EV_PIGGYACK,
  EV_SEQ,
  EV_SESSION,
  EV_SHARED,
  EV_SMALL_FIELD,
  EV_STATUS,
  EV_TYPE,
} = events;

/**
 * An event as the protocol handles it: read from its slot into one scratch object, or kept by the early queue in an
 * object of its own. Fields are those of driver/events.ts.
 */
export class Packet {
  type = 0;
  peer = 0;
  endpoint = 0;
  seq = 0;
  piggyack = 0;
  matchA = 0;
  matchB = 0;
  session = 0;
  length = 0;
  /** Fragment number, region id, connect number, pull status or nack type. */
  small = 0;
  extra = 0;
  shared = false;
  status = 0;
  /** Of the whole message, where its sender made one. */
  checksum = 0;
  /** Where the payload lies: in the event slot, in the receive queue or in a library buffer. */
  data = 0;
  dataLength = 0;
  journey = NO_JOURNEY;
  /** Early queue: the library buffer that holds the payload, 0 for none. */
  buffer = 0;
  readonly link: Link<Packet> = new Link<Packet>(this);

  /** Reads all but the payload's place from the event slot at `slot`. */
  read(view: DataView, slot: number): void {
    this.type = view.getUint8(slot + EV_TYPE);
    this.peer = view.getUint16(slot + EV_PEER, true);
    this.endpoint = view.getUint8(slot + EV_ENDPOINT);
    this.seq = view.getUint16(slot + EV_SEQ, true);
    this.piggyack = view.getUint16(slot + EV_PIGGYACK, true);
    this.matchA = view.getUint32(slot + EV_MATCH_A, true);
    this.matchB = view.getUint32(slot + EV_MATCH_B, true);
    this.session = view.getUint32(slot + EV_SESSION, true);
    this.length = view.getUint32(slot + EV_LENGTH, true);
    this.small = view.getUint8(slot + EV_SMALL_FIELD);
    this.extra = view.getUint32(slot + EV_EXTRA, true);
    this.shared = view.getUint8(slot + EV_SHARED) !== 0;
    this.status = view.getUint8(slot + EV_STATUS);
    this.checksum = this.type === EVENT_MEDIUM_FRAG ? view.getUint16(slot + EV_CHECKSUM, true) : this.extra & 0xffff;
  }

  /** Takes everything but the payload, the journey and the place on a list from `other`. */
  copyFrom(other: Packet): void {
    this.type = other.type;
    this.peer = other.peer;
    this.endpoint = other.endpoint;
    this.seq = other.seq;
    this.piggyack = other.piggyack;
    this.matchA = other.matchA;
    this.matchB = other.matchB;
    this.session = other.session;
    this.length = other.length;
    this.small = other.small;
    this.extra = other.extra;
    this.shared = other.shared;
    this.status = other.status;
    this.checksum = other.checksum;
    this.dataLength = other.dataLength;
  }
}
