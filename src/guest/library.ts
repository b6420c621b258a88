import type { ProcessContext } from "../workload/workload.ts";
import { createMxLibrary } from "./mx.ts";
import type { mx_endpoint_addr_t, MxLibrary } from "./mx_types.ts";

/**
 * The MX library of a rank. What it receives goes into the rank's meter, with the latency from send call to receive
 * completion, so that tables, dashboard and thresholds have the figures of a program as they have those of a workload.
 */
export function guestLibrary(context: ProcessContext, owns: (address: number, length: number) => boolean): MxLibrary {
  const senders = new WeakMap<mx_endpoint_addr_t, number>();
  const library = createMxLibrary({
    mx: context.mx,
    owns,
    listener: {
      onReceived({ source, xfer_length }, latencyPs) {
        context.meter.received(xfer_length, latencyPs);
        if (source === null) return;
        let rank = senders.get(source);
        if (rank === undefined) senders.set(source, rank = rankOf(context, library, source));
        if (rank >= 0) context.meterOf(rank).delivered(xfer_length, latencyPs);
      },
    },
  });
  return library;
}

/**
 * The rank that has an address: the one whose endpoint number it is, among those that share the board; -1 when a
 * program has opened endpoints of its own choice on a shared board.
 */
function rankOf(context: ProcessContext, library: MxLibrary, address: mx_endpoint_addr_t): number {
  const { nic_id, endpoint_id } = library.mx_decompose_endpoint_addr(address);
  const there: number[] = [];
  for (let number = 0; number < context.mx.boards; number++) {
    const board = context.mx.control(number);
    for (let rank = 0; rank < context.ranks; rank++) {
      const peer = board.peerByName(context.hostOf(rank, number));
      if (peer >= 0 && BigInt(board.peerMac(peer)) === nic_id) there.push(rank);
    }
  }
  const own = there.find((rank) => context.endpointOf(rank) === endpoint_id);
  return own ?? (there.length === 1 ? there[0] : -1);
}
