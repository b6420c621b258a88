import type { Processor } from "../../hw/processor.ts";
import { STATUS_ENDPOINT_UNREACHABLE } from "../status.ts";
import type { LibraryCore } from "./core.ts";
import type { EarlyQueue } from "./early.ts";
import type { Large } from "./large.ts";
import type { List } from "./list.ts";
import type { Partner } from "./partner.ts";
import type { Reliability } from "./reliability.ts";
import { RECV_LARGE, type Request } from "./request.ts";
import type { Submission } from "./submission.ts";

/** What giving up a partner needs of the other parts. */
export interface CleanupParts {
  readonly large: Large;
  readonly submission: Submission;
  readonly reliability: Reliability;
  readonly early: EarlyQueue;
}

/**
 * Gives up a partner (omx_partner.c:758-952): every send, receive and connect with it ends unreachable, early and
 * unexpected messages from it are dropped, and its sessions are forgotten.
 */
export function cleanUp(cpu: Processor, core: LibraryCore, partner: Partner, parts: CleanupParts): void {
  core.counters.cleanups++;
  endMessages(cpu, core, partner, parts);
  drain(partner.connects, (request) => end(cpu, core, request));
  partner.openLink.unlink();
  core.acknowledged(partner);
  partner.resetAll();
}

/** Ends all messages to and from a partner's old incarnation; connects go on, with the new one. */
export function endMessages(cpu: Processor, core: LibraryCore, partner: Partner, parts: CleanupParts): void {
  drain(partner.unacked, (request) => parts.reliability.fail(cpu, request, STATUS_ENDPOINT_UNREACHABLE));
  drain(partner.awaiting, (request) => parts.reliability.fail(cpu, request, STATUS_ENDPOINT_UNREACHABLE));
  drain(partner.throttled, (request) => end(cpu, core, request));
  for (let link = core.delayed.first; link !== null;) {
    const request = link.of;
    link = link.next;
    if (request.partner !== partner) continue;
    parts.submission.forget(request);
    if (request.isSend) end(cpu, core, request);
  }
  drain(partner.pulls, (request) => {
    parts.submission.forget(request);
    parts.large.abandonReceive(cpu, request);
    end(cpu, core, request);
  });
  dropReceived(cpu, core, partner, parts.early);
  for (let link = core.matcher.unexpected.first; link !== null;) {
    const request = link.of;
    link = link.next;
    if (request.partner !== partner) continue;
    const own = request.selfSend; // a message to oneself ends on both sides
    request.selfSend = null;
    discard(cpu, core, request);
    if (own !== null) end(cpu, core, own);
  }
}

/** Packets and half-received messages of a partner whose sequence starts anew. */
function dropReceived(cpu: Processor, core: LibraryCore, partner: Partner, early: EarlyQueue): void {
  early.clear(cpu, partner);
  drain(partner.partials, (request) => {
    if (request.unexpected) discard(cpu, core, request);
    else end(cpu, core, request);
  });
}

/** Ends a request that has nothing in the driver's hands. */
function end(cpu: Processor, core: LibraryCore, request: Request): void {
  core.dropJourney(cpu, request);
  if (request.kind === RECV_LARGE) request.transferLength = 0;
  core.complete(request, STATUS_ENDPOINT_UNREACHABLE);
  core.retire(request);
}

/** Throws away an unexpected message. */
function discard(cpu: Processor, core: LibraryCore, message: Request): void {
  core.dropJourney(cpu, message);
  message.released = true;
  core.complete(message, STATUS_ENDPOINT_UNREACHABLE);
  core.retire(message);
}

/** Takes the head until the list is empty; `take` has to remove it, or this does. */
function drain(list: List<Request>, take: (request: Request) => void): void {
  while (list.first !== null) {
    const link = list.first;
    take(link.of);
    if (link.list === list) link.unlink();
  }
}
