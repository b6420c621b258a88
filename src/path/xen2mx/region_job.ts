import type { BackRegions } from "./back_regions.ts";
import type { MappedRegion } from "./mappings.ts";

/** Map the pages that a message has brought; unmap a region's, or what is left of them. */
export const JOB_MAP = 0;
export const JOB_UNMAP = 1;
/** Make a region of grants that are mapped; destroy one. In one step, but after what is mapped or unmapped before. */
export const JOB_BIND = 2;
export const JOB_DESTROY = 3;

/**
 * A message about a region until it has been answered. Mapping and unmapping take several bursts of dom0's worker: all
 * that is known of the message meanwhile is in here.
 */
export class RegionJob {
  /** Whose it is: does the work, piece by piece. */
  readonly owner: BackRegions;
  readonly request: number;
  /** Of the region, for the guest and for the driver. */
  readonly id: number;
  /** The guest's number for the set of grants. */
  mapping: number;
  kind = JOB_BIND;
  keep = 0;
  /** The message has brought the region's last segment. */
  isLast = false;
  region: MappedRegion | null = null;

  constructor(owner: BackRegions, request: number, id: number, mapping: number) {
    this.owner = owner;
    this.request = request;
    this.id = id;
    this.mapping = mapping;
  }
}
