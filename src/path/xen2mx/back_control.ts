import type { OmxDriver } from "../../mx/driver/driver.ts";
import type { Peer } from "../../mx/driver/peer_table.ts";
import { EINVAL } from "../../xen/errno.ts";
import {
  BOARD_ADDRESS,
  BOARD_HOSTNAME,
  BOARD_MTU,
  FUNC_BOARD_INFO,
  FUNC_PEER_FROM_ADDR,
  FUNC_PEER_FROM_HOSTNAME,
  FUNC_PEER_FROM_INDEX,
  PEER_ADDRESS,
  PEER_HOSTNAME,
  PEER_INDEX,
  readAddress,
  readName,
  writeAddress,
  writeName,
} from "./peer_messages.ts";

/** What dom0 answers to a question: an error number, and what goes into the answer's union. */
export interface ControlAnswer {
  readonly result: number;
  write(view: DataView, union: number): void;
}

const REFUSED: ControlAnswer = { result: -EINVAL, write: () => {} };

/** The control plane: questions that dom0 answers from its own board and peer table (be/omx_xenback.c:645-848). */
export function answerControl(driver: OmxDriver, func: number, view: DataView, union: number): ControlAnswer | null {
  const { peers } = driver;
  switch (func) {
    case FUNC_BOARD_INFO: {
      const own = peers.at(0)!;
      return {
        result: 0,
        write: (view, at) => {
          writeAddress(view, at + BOARD_ADDRESS, own.macHigh, own.macLow);
          view.setUint32(at + BOARD_MTU, driver.limits.mtu, true);
          writeName(view, at + BOARD_HOSTNAME, own.name);
        },
      };
    }
    case FUNC_PEER_FROM_INDEX:
      return about(peers.at(view.getUint32(union + PEER_INDEX, true)));
    case FUNC_PEER_FROM_ADDR:
      return about(peers.byAddress(...readAddress(view, union + PEER_ADDRESS)));
    case FUNC_PEER_FROM_HOSTNAME:
      return about(peers.byName(readName(view, union + PEER_HOSTNAME)));
    default:
      return null;
  }
}

function about(peer: Peer | undefined): ControlAnswer {
  if (peer === undefined) return REFUSED;
  return {
    result: 0,
    write: (view, at) => {
      writeAddress(view, at + PEER_ADDRESS, peer.macHigh, peer.macLow);
      writeName(view, at + PEER_HOSTNAME, peer.name);
      view.setUint32(at + PEER_INDEX, peer.index, true);
    },
  };
}
