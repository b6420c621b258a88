import { z } from "zod";
import { sizeField } from "../base/quantity.ts";
import type { Process } from "../hw/thread.ts";
import type { MxRequest } from "../mx/api.ts";
import { everyOther, Group } from "./group.ts";
import { Pattern } from "./payload.ts";
import { type ProcessContext, type Workload, WorkloadError } from "./workload.ts";

const params = z.object({
  size: sizeField().prefault("256 KiB").describe("bytes of each block (the server request unit), or of each message"),
  mode: z.enum(["synchronized", "streaming"]).default("synchronized").describe(
    "synchronized: the root asks all others for a block, and again when it has all of them; " +
      "streaming: each sends at its own pace",
  ),
  root: z.int().min(0).default(0).describe("the rank that receives from all others"),
  outstanding: z.int().min(1).max(64).default(4).describe(
    "in mode streaming, messages that each sender sends before it waits for the root to have them; else it is 1",
  ),
  messages: z.int().min(1).optional().describe("messages that each sender sends; endless when left out"),
  wait: z.enum(["poll", "block"]).default("block").describe("how a process waits for a completion"),
});
type Params = z.infer<typeof params>;

/** Steps: the root asks for a block, or for more messages; one of them; a sender will send no more. */
const REQUEST = 0;
const BLOCK = 1;
const END = 2;

/**
 * Fan-in: many senders, one receiver, and the port before it. Synchronized is the read of a block that is striped over
 * many servers (Phanishayee et al., "Measurement and Analysis of TCP Throughput Collapse in Cluster-based Storage
 * Systems", FAST 2008): whoever comes late, all wait for, so that one lost frame costs the round its time to resend.
 * The round-trip time is that of a round, from the first request to the last block.
 *
 * A sender that does not wait would be through with eager messages before the root has seen them: MX has no other limit
 * than its sequence numbers, and what nobody has asked for yet piles up at the root. So a stream goes in windows, as in
 * the OSU benchmark of several pairs (osu_mbw_mr).
 */
export const incast: Workload<Params> = {
  kind: "incast",
  title: "incast: all send to one, in synchronized rounds (rtt: a round) or at will",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ size, ...params }, ranks) => {
    const blocks = windowOf(params);
    // Each sender's windows, and the root's receives from each.
    return Math.ceil(((2 * size + blocks * (size + 16 * 1024)) * (ranks - 1)) / ranks) + 64 * 1024;
  },
  check({ root }, { ranks }) {
    if (ranks < 2) throw new WorkloadError(`guests: incast wants 2 or more, found ${ranks}`);
    if (root >= ranks) throw new WorkloadError(`root: found ${root}, wanted a rank from 0 to ${ranks - 1}`);
  },
  program: (params, _crew, context) => new Incast(params, context).run(),
};

/** Messages that a sender has under way. */
function windowOf({ mode, outstanding }: Pick<Params, "mode" | "outstanding">): number {
  return mode === "streaming" ? outstanding : 1;
}

class Incast {
  readonly #params: Params;
  readonly #context: ProcessContext;
  readonly #group: Group;
  readonly #senders: readonly number[];
  readonly #isRoot: boolean;
  /** Of the root, by sender: what it receives into. */
  readonly #inboxes: number[][] = [];

  constructor(params: Params, context: ProcessContext) {
    const { rank, ranks } = context;
    this.#params = params;
    this.#context = context;
    this.#senders = everyOther(params.root, ranks);
    this.#isRoot = rank === params.root;
    this.#group = new Group(context, this.#isRoot ? this.#senders : [params.root], params.wait);
  }

  run(): Process {
    const { size, mode } = this.#params;
    const buffers = windowOf(this.#params);
    if (this.#isRoot) {
      for (const sender of this.#senders) {
        this.#inboxes[sender] = Array.from({ length: buffers }, () => Pattern.receiveBuffer(this.#context, size));
      }
    }
    // The root only checks what was sent from windows.
    this.#group.usePattern(this.#isRoot ? 0 : size, buffers + 1);
    const synchronized = mode === "synchronized";
    return this.#group.run(() =>
      this.#isRoot ? (synchronized ? this.#read() : this.#collect()) : (synchronized ? this.#serve() : this.#stream())
    );
  }

  // ---- synchronized

  *#read(): Process {
    const { size, messages = Infinity } = this.#params;
    const context = this.#context;
    const group = this.#group;
    for (let i = 0; !group.isLast; i++) {
      group.isLast = context.stopping() || (!context.endless && i + 1 >= messages);
      const began = context.now();
      const blocks: MxRequest[] = [];
      for (const server of this.#senders) blocks.push(yield* group.post(server, this.#inboxes[server][0], size, BLOCK));
      for (const server of this.#senders) yield group.sent(yield* group.send(server, 0, 0, REQUEST), server);
      for (const [k, server] of this.#senders.entries()) {
        yield group.receivedPattern(blocks[k], server, this.#inboxes[server][0], size);
      }
      group.timed(began);
      yield 0;
    }
  }

  *#serve(): Process {
    const { root, size } = this.#params;
    const group = this.#group;
    while (!group.isLast) {
      yield* group.heard(yield* group.post(root, 0, 0, REQUEST), root);
      yield group.sent(yield* group.sendPattern(root, size, BLOCK), root);
      yield 0;
    }
  }

  // ---- streaming

  *#stream(): Process {
    const { root, size, outstanding, messages = Infinity } = this.#params;
    const context = this.#context;
    const group = this.#group;
    const sends: MxRequest[] = [];
    for (let i = 0; !context.stopping() && (context.endless || i < messages); i++) {
      sends.push(yield* group.sendPattern(root, size, BLOCK));
      if ((i + 1) % outstanding === 0) yield this.#windowEnds(sends);
      yield 0;
    }
    for (const send of sends) yield group.sent(send, root);
    yield group.sent(yield* group.send(root, 0, 0, END), root);
  }

  /** The root has received what was sent, and asks for more. */
  *#windowEnds(sends: MxRequest[]): Process {
    const { root } = this.#params;
    yield* this.#group.heard(yield* this.#group.post(root, 0, 0, REQUEST), root);
    for (const send of sends.splice(0)) yield this.#group.sent(send, root);
  }

  /** Receives until every sender has had its last word. */
  *#collect(): Process {
    const group = this.#group;
    const { size, outstanding } = this.#params;
    const received = new Array(group.ranks).fill(0);
    const posted = new Map<MxRequest, Posted>();
    for (const from of this.#senders) {
      for (const buffer of this.#inboxes[from]) yield* this.#expect(from, buffer, posted);
      posted.set(yield* group.post(from, 0, 0, END), { from, buffer: 0 });
    }
    /** By sender: the number of its last word. One that matched before it may be complete after it. */
    const last = new Map<number, number>();
    for (let senders = this.#senders.length; senders > 0;) {
      const request = yield* group.next();
      const { from, buffer } = posted.get(request)!;
      posted.delete(request);
      if (buffer === 0) last.set(from, yield* group.heard(request, from));
      else {
        group.acceptPattern(request, from, buffer, size);
        yield* this.#expect(from, buffer, posted);
        received[from]++;
        if (received[from] % outstanding === 0) yield group.sent(yield* group.send(from, 0, 0, REQUEST), from);
      }
      if (group.takenFrom(from) > (last.get(from) ?? Infinity)) senders--;
      yield 0;
    }
    for (const request of posted.keys()) yield group.cancel(request);
  }

  *#expect(from: number, buffer: number, posted: Map<MxRequest, Posted>) {
    posted.set(yield* this.#group.post(from, buffer, this.#params.size, BLOCK), { from, buffer });
  }
}

/** A receive that waits for a message; without a buffer, for a sender's last word. */
interface Posted {
  readonly from: number;
  readonly buffer: number;
}
