import type { z } from "zod";
import { RequestReplyClient } from "./request_reply_client.ts";
import { RequestReplyServer } from "./request_reply_server.ts";
import { MOST_RECEIVES, type RequestReplyParams, requestReplyParams } from "./request_reply_side.ts";
import { checkServices, serviceOf } from "./services.ts";
import type { Workload } from "./workload.ts";

/**
 * Requests at an open-loop rate, and replies. A request is late since the instant at which it was due
 * ({@link OfferedLoad}), whenever its client came to send it. `rtt_us` is from there to the receipt of the reply.
 * `latency_us` is a message's: a request's from when it was due until its server has it in hand, which may be busy with
 * others, a reply's from its send call to its receipt. Both and the time of service are the round trip.
 */
export const requestReply: Workload<RequestReplyParams> = {
  kind: "request-reply",
  title: "request-reply: requests at an open-loop rate; rtt from when a request was due to its reply",
  params: requestReplyParams as z.ZodType<RequestReplyParams>,
  memoryBytes({ size, reply, outstanding, servers }) {
    const receives = servers === undefined ? outstanding : Math.max(outstanding, MOST_RECEIVES);
    return receives * (Math.max(size, reply) + 8) + Math.max(size, reply) + (outstanding + 16) * 4096;
  },
  reports: ["offered"],
  check: ({ pairs, servers }, crew) => checkServices(crew, pairs, servers),
  program(params, crew, context) {
    const service = serviceOf(crew, params.pairs, params.servers, context.rank);
    const side = service.server === context.rank ? RequestReplyServer : RequestReplyClient;
    return new side(params, service, context).run();
  },
};
