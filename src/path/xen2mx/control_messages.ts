import { PAGE_SIZE } from "../../base/units.ts";
import type { MxCommand } from "../../mx/driver/contract.ts";
import type { GrantedRegion } from "./grants.ts";
import {
  OPEN_ENDPOINT_GREF,
  OPEN_RECVQ_GREF,
  OPEN_RECVQ_PAGES,
  OPEN_SENDQ_GREF,
  OPEN_SENDQ_PAGES,
  OPEN_SESSION,
  REGION_ID,
  REGION_KEEP,
  REGION_PAGES,
  REGION_SEQ,
  SEG_GREFS,
  SEG_LENGTH,
  SEG_MAPPING,
  SEG_OFFSET,
  SEG_PAGES,
  SEG_PARTS,
  SLOT_UNION,
} from "./layout.ts";

/* The messages that carry grants: what the guest writes into a claimed slot of `ring`. */

/** OPEN_ENDPOINT: the queues as granted, and the reference of the endpoint's page. */
export function encodeOpen(
  view: DataView,
  slot: number,
  session: number,
  send: GrantedRegion,
  recv: GrantedRegion,
  endpointRef: number,
): void {
  const at = slot + SLOT_UNION;
  view.setUint32(at + OPEN_SESSION, session, true);
  view.setUint32(at + OPEN_SENDQ_PAGES, send.pages, true);
  view.setUint32(at + OPEN_RECVQ_PAGES, recv.pages, true);
  view.setUint32(at + OPEN_SENDQ_GREF, send.listRefs[0], true);
  view.setUint32(at + OPEN_RECVQ_GREF, recv.listRefs[0], true);
  view.setUint32(at + OPEN_ENDPOINT_GREF, endpointRef, true);
}

/** CREATE_USER_REGION: `pages` is 0 for a region that dom0 still has mapped. */
export function encodeCreate(
  view: DataView,
  slot: number,
  command: MxCommand,
  region: GrantedRegion,
  pages: number,
): void {
  const at = slot + SLOT_UNION;
  view.setUint8(at + REGION_ID, command.region);
  view.setUint8(at + REGION_SEQ, command.regionSeq);
  view.setUint32(at + REGION_PAGES, pages, true);
  view.setUint16(at + SEG_OFFSET, command.address % PAGE_SIZE, true);
  view.setUint32(at + SEG_LENGTH, command.length, true);
  view.setUint32(at + SEG_PAGES, pages, true);
  view.setUint32(at + SEG_MAPPING, region.mapping, true);
  view.setUint8(at + SEG_PARTS, region.parts);
  for (let part = 0; part < region.parts; part++) {
    view.setUint32(at + SEG_GREFS + part * 4, region.listRefs[part], true);
  }
}

/** DESTROY_USER_REGION: `keep` says what becomes of the mapping (see `REGION_KEEP`). */
export function encodeDestroy(view: DataView, slot: number, id: number, keep: number, mapping: number): void {
  const at = slot + SLOT_UNION;
  view.setUint8(at + REGION_ID, id);
  view.setUint8(at + REGION_KEEP, keep);
  view.setUint32(at + SEG_MAPPING, mapping, true);
}
