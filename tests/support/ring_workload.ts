import { z } from "zod";
import { sizeField } from "../../src/base/quantity.ts";
import { connectTo, openEndpoint } from "../../src/workload/connect.ts";
import { Pattern } from "../../src/workload/payload.ts";
import { type Workload, WorkloadError } from "../../src/workload/workload.ts";

const params = z.object({
  size: sizeField().prefault("16 B").describe("bytes of the token"),
  laps: z.int().min(1).default(100).describe("times that the token goes round"),
});
type Params = z.infer<typeof params>;

/** Upper match word of a token: it comes again, or this is its last lap. */
const AGAIN = 0;
const LAST = 1;
/** Buffers that a sender goes round, so that a receiver never expects what its buffer already holds. */
const WINDOWS = 2;

/** A token goes from rank to rank and back to the first. */
export const ring: Workload<Params> = {
  kind: "ring",
  title: "ring: a token goes from rank to rank and back to the first",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ size }) => 2 * (size + 64 * 1024),
  check(_params, crew) {
    if (crew.ranks < 2) throw new WorkloadError(`guests: ring wants 2 or more, found ${crew.ranks}`);
  },
  *program({ size, laps }, _crew, context) {
    const { rank, ranks, meter, pattern } = context;
    const next = (rank + 1) % ranks;
    const previous = (rank + ranks - 1) % ranks;
    const bytes = Pattern.bufferBytes(size, WINDOWS);
    const outbox = context.alloc(bytes);
    const inbox = context.alloc(size + 8);
    pattern.fill(outbox, bytes, rank);
    const endpoint = yield* openEndpoint(context);
    const address = yield* connectTo(context, endpoint, next);
    yield* connectTo(context, endpoint, previous); // so that it can pull large tokens from us
    for (let lap = 0, last = false; !last; lap++) {
      const receive = yield* endpoint.irecv(inbox, size, 0, 0, 0, 0);
      if (rank === 0) {
        last = context.stopping() || (!context.endless && lap + 1 >= laps);
      } else {
        while (!(yield* endpoint.wait(receive)));
        last = receive.matchA === LAST;
      }
      const token = Pattern.window(outbox, lap, WINDOWS);
      const send = yield* endpoint.isend(token, size, address, last ? LAST : AGAIN, lap);
      if (rank === 0) { while (!(yield* endpoint.wait(receive))); }
      meter.sequence.saw(receive.matchB);
      meter.received(size, receive.latencyPs);
      context.meterOf(previous).delivered(size, receive.latencyPs);
      if (!pattern.check(inbox, size, previous, lap, WINDOWS)) meter.integrityErrors++;
      while (!(yield* endpoint.wait(send)));
      endpoint.release(send);
      endpoint.release(receive);
      yield 0;
    }
    yield* endpoint.flush();
    yield* endpoint.close();
  },
};
