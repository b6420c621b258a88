import { z } from "zod";
import { createMxLibrary } from "../../src/guest/mx.ts";
import { type Call, MX_COUNTERS_VALUES, MX_ERRORS_RETURN, type mx_segment_t } from "../../src/guest/mx_types.ts";
import { SEND_MEDIUM_FRAG, SEND_MEDIUM_VA } from "../../src/mx/driver/counters.ts";
import { PATHS } from "../../src/path/registry.ts";
import { WORKLOADS } from "../../src/workload/registry.ts";
import type { ProcessContext, Workload } from "../../src/workload/workload.ts";
import { equal, KEY, NONE, ok } from "./mx_support.ts";
import { run } from "../support/scenario.ts";

/** The face above real drivers: lists of segments cross every Ethernet path, whole and in order. */

const LENGTHS: readonly (readonly number[])[] = [[], [10, 7], [50, 0, 61], [4000, 1, 8300], [30_000, 5000, 70_001]];

function* exchange(context: ProcessContext, mediumSendQueue: boolean): Call<void> {
  const { rank, memory } = context;
  const mx = createMxLibrary({ mx: context.mx, library: { mediumSendQueue } });
  equal(yield* mx.mx_init(), 0);
  const ep = (yield* mx.mx_open_endpoint(0, context.endpointOf(rank), KEY, [], 0)).endpoint!;
  mx.mx_set_error_handler(MX_ERRORS_RETURN);
  const { nic_id } = yield* mx.mx_hostname_to_nic_id(context.hostOf(1 - rank));
  let to = null;
  while (to === null) to = (yield* mx.mx_connect(ep, nic_id, context.endpointOf(1 - rank), KEY, 5000)).address;
  yield* mx.mx_probe(ep, 2, 0xffffn, NONE);
  const lists = LENGTHS.map((lengths, i) => lengths.map((length) => stretch(context, length, rank === 0 ? i + 1 : 0)));
  for (const [i, list] of lists.entries()) {
    const { request } = rank === 0
      ? yield* mx.mx_issend(ep, list, list.length, to, BigInt(i), null)
      : yield* mx.mx_irecv(ep, list, list.length, BigInt(i), NONE, null);
    equal((yield* mx.mx_wait(ep, request!, 0)).status?.code, 0);
    const { request: second } = rank === 0
      ? yield* mx.mx_isend(ep, [...list].reverse(), list.length, to, BigInt(i), null)
      : yield* mx.mx_irecv(ep, [...list].reverse(), list.length, BigInt(i), NONE, null);
    equal((yield* mx.mx_wait(ep, second!, 0)).status?.code, 0);
    for (const { segment_ptr, segment_length } of list) {
      for (let at = 0; at < segment_length; at += 997) {
        equal(memory.u8[segment_ptr + at], (at * 31 + i + 1) & 0xff, `message ${i}, byte ${at}`);
      }
    }
  }
  const { value } = yield* mx.mx_get_info(ep, MX_COUNTERS_VALUES, 0);
  if (rank === 0 && !context.mx.control(0).info.sendQueueOnly) {
    const [queue, va] = [(value as number[])[SEND_MEDIUM_FRAG], (value as number[])[SEND_MEDIUM_VA]];
    ok(mediumSendQueue ? queue > 0 && va === 0 : queue === 0 && va > 0, `${queue} by queue, ${va} by address`);
  }
  yield* mx.mx_probe(ep, 50, 0xffffn, NONE);
  equal(yield* mx.mx_finalize(), 0);
}

function stretch(context: ProcessContext, length: number, seed: number): mx_segment_t {
  const address = context.alloc(length + 300) + 123;
  if (seed > 0) { for (let at = 0; at < length; at++) context.memory.u8[address + at] = (at * 31 + seed) & 0xff; }
  return { segment_ptr: address, segment_length: length };
}

const params = z.object({ queue: z.boolean() });

const workload: Workload<z.infer<typeof params>> = {
  kind: "face",
  title: "face: segments through MX's own functions",
  params: params as z.ZodType<z.infer<typeof params>>,
  memoryBytes: () => 1 << 20,
  check() {},
  *program({ queue }, _crew, context) {
    yield* exchange(context, queue);
  },
};

Deno.test("segments of every class, by queue and by address, on every path", () => {
  const registry = WORKLOADS as Workload<never>[];
  registry.push(workload as unknown as Workload<never>);
  try {
    for (const { name } of PATHS) {
      for (const queue of [true, false]) {
        const wires = [{ mtu: 9000 }, { mtu: 1500 }, { wire: "mx" as const }];
        for (const wire of wires) {
          const about = `${name}, ${JSON.stringify(wire)}, ${queue ? "queue" : "address"}`;
          const session = run({ path: name, ...wire, workload: { kind: "face", queue } });
          ok(session.finished, `${about}: the programs have come to their end`);
          equal(session.drain(), [], `${about}: what was not given back`);
        }
      }
    }
  } finally {
    registry.pop();
  }
});
