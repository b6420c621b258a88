/*
 * A token goes round all ranks; each adds its number to it.
 *
 *   deno run --allow-read main.ts run --program examples/ring.ts --guests 6
 */
import { Communicator, type Guest } from "mxtop";

export const memory = "64 KiB";

export default function* (guest: Guest) {
  const { rank, ranks } = guest;
  const laps = Number(guest.args.laps ?? 10);
  const comm = yield* Communicator.open(guest);
  if (ranks < 2) throw new Error("a ring has two ranks or more");
  const token = guest.alloc(8);
  const value = () => {
    const { buffer, byteOffset } = token.bytes();
    return new DataView(buffer, byteOffset, 8);
  };
  const next = (rank + 1) % ranks;
  const previous = (rank + ranks - 1) % ranks;
  const start = guest.now();
  for (let lap = 1; lap <= laps; lap++) {
    if (rank > 0) yield* comm.recv(previous, token);
    value().setFloat64(0, value().getFloat64(0) + rank);
    yield* comm.send(next, token);
    if (rank === 0) yield* comm.recv(previous, token);
  }
  if (rank === 0) {
    const sum = value().getFloat64(0);
    const hop = (guest.now() - start) / (laps * ranks);
    guest.check(sum === laps * ranks * (ranks - 1) / 2, `the token says ${sum}`);
    guest.print(`${laps} laps of ${ranks} ranks, ${hop.toFixed(2)} us a hop; the token says ${sum}`);
  }
  yield* comm.close();
}
