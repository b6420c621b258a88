import { bridged } from "./bridged.ts";
import { emulated } from "./emulated.ts";
import { iov } from "./iov.ts";
import { native } from "./native.ts";
import type { Path } from "./path.ts";
import { virtio, virtioUser } from "./virtio.ts";
import { xen2mx, xen2mxPlain } from "./xen2mx/mod.ts";

/** Every I/O path, in the order in which the dashboard's path key goes round. */
export const PATHS: readonly Path[] = [native, iov, xen2mxPlain, xen2mx, bridged, virtio, virtioUser, emulated];
