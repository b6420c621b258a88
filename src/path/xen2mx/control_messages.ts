import { PAGE_SIZE } from "../../base/units.ts";
import type { GrantedRegion, GrantedSegment } from "./grants.ts";
import {
  OPEN_ENDPOINT_GREF,
  OPEN_LIFE,
  OPEN_RECVQ_GREF,
  OPEN_RECVQ_PAGES,
  OPEN_SENDQ_GREF,
  OPEN_SENDQ_PAGES,
  OPEN_SESSION,
  REGION_COUNT,
  REGION_HEADER,
  REGION_ID,
  REGION_KEEP,
  REGION_MAPPING,
  REGION_SEGMENTS,
  REGION_SEQ,
  SEG_GREFS,
  SEG_LENGTH,
  SEG_NUMBER,
  SEG_OFFSET,
  SEG_PAGES,
  SEG_PARTS,
  SEGMENT_BYTES,
  SEGMENTS_PER_MESSAGE,
  SLOT_UNION,
} from "./layout.ts";

/* The messages that carry grants: what the guest writes into a claimed slot of `ring`. */

/** What OPEN_ENDPOINT tells dom0. */
export interface OpenMessage {
  readonly life: number;
  readonly session: number;
  /** The queues as granted, and the reference of the endpoint's page. */
  readonly send: GrantedSegment;
  readonly recv: GrantedSegment;
  readonly endpointRef: number;
}

export function encodeOpen(view: DataView, slot: number, open: OpenMessage): void {
  const at = slot + SLOT_UNION;
  view.setUint32(at + OPEN_LIFE, open.life, true);
  view.setUint32(at + OPEN_SESSION, open.session, true);
  view.setUint32(at + OPEN_SENDQ_PAGES, open.send.pages, true);
  view.setUint32(at + OPEN_RECVQ_PAGES, open.recv.pages, true);
  view.setUint32(at + OPEN_SENDQ_GREF, open.send.listRef(0), true);
  view.setUint32(at + OPEN_RECVQ_GREF, open.recv.listRef(0), true);
  view.setUint32(at + OPEN_ENDPOINT_GREF, open.endpointRef, true);
}

/** CREATE_USER_REGION with the segments from `first` on that fit; returns how many those are. */
export function encodeCreate(
  view: DataView,
  slot: number,
  id: number,
  seq: number,
  region: GrantedRegion,
  first: number,
): number {
  const count = Math.min(SEGMENTS_PER_MESSAGE, region.segments.length - first);
  createHeader(view, slot, id, seq, region, count);
  for (let i = 0; i < count; i++) {
    const segment = region.segments[first + i];
    const at = slot + SLOT_UNION + REGION_HEADER + i * SEGMENT_BYTES;
    view.setUint16(at + SEG_OFFSET, segment.address % PAGE_SIZE, true);
    view.setUint32(at + SEG_LENGTH, segment.length, true);
    view.setUint32(at + SEG_PAGES, segment.pages, true);
    view.setUint32(at + SEG_NUMBER, first + i, true);
    view.setUint8(at + SEG_PARTS, segment.parts);
    for (let part = 0; part < segment.parts; part++) {
      view.setUint32(at + SEG_GREFS + part * 4, segment.listRef(part), true);
    }
  }
  return count;
}

/** CREATE_USER_REGION over grants that dom0 still has mapped. */
export function encodeBind(view: DataView, slot: number, id: number, seq: number, region: GrantedRegion): void {
  createHeader(view, slot, id, seq, region, 0);
}

function createHeader(
  view: DataView,
  slot: number,
  id: number,
  seq: number,
  region: GrantedRegion,
  count: number,
): void {
  const at = slot + SLOT_UNION;
  view.setUint8(at + REGION_ID, id);
  view.setUint8(at + REGION_COUNT, count);
  view.setUint8(at + REGION_SEQ, seq);
  view.setUint32(at + REGION_SEGMENTS, region.segments.length, true);
  view.setUint32(at + REGION_MAPPING, region.mapping, true);
}

/** DESTROY_USER_REGION: `keep` says what becomes of the mapping (see `REGION_KEEP`). */
export function encodeDestroy(view: DataView, slot: number, id: number, keep: number, mapping: number): void {
  const at = slot + SLOT_UNION;
  view.setUint8(at + REGION_ID, id);
  view.setUint8(at + REGION_KEEP, keep);
  view.setUint32(at + REGION_MAPPING, mapping, true);
}
