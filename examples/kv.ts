/*
 * A small key-value service. Rank 0 serves; the others put, get and delete keys of their own and check the answers
 * against what they remember.
 *
 *   deno run --allow-read main.ts run --program examples/kv.ts --guests 4
 *   deno run --allow-read main.ts run --program examples/kv.ts --guests 4 --path native --program-arg requests=500
 */
import { ANY_RANK, type Call, Communicator, type Guest, type GuestBuffer } from "mxtop";

export const memory = "64 KiB";
export const guests = 3;

const REQUEST = 1;
const ANSWER = 2;

/** A request or an answer is a text in JSON; a bye has no key. */
interface Message {
  readonly verb: "put" | "get" | "delete" | "value" | "none" | "bye";
  readonly key?: string;
  readonly value?: string;
}

export function* rank0(guest: Guest) {
  const comm = yield* Communicator.open(guest);
  const [inbox, outbox] = [guest.alloc(4096), guest.alloc(4096)];
  const store = new Map<string, string>();
  let clients = comm.ranks - 1;
  let served = 0;
  while (clients > 0) {
    const { from, length } = yield* comm.recv(ANY_RANK, inbox, REQUEST);
    const request: Message = JSON.parse(inbox.text(length));
    yield* guest.compute(1.5); // looking it up
    if (request.verb === "bye") {
      clients--;
      continue;
    }
    served++;
    yield* comm.send(from, pack(outbox, answer(store, request)), ANSWER);
  }
  guest.check(store.size === 0, `${store.size} keys are left`);
  guest.print(`served ${served} requests of ${comm.ranks - 1} clients`);
  yield* comm.close();
}

function answer(store: Map<string, string>, { verb, key = "", value = "" }: Message): Message {
  const before = store.get(key);
  if (verb === "put") store.set(key, value);
  if (verb === "delete") store.delete(key);
  return before === undefined ? { verb: "none" } : { verb: "value", value: before };
}

export default function* (guest: Guest) {
  const comm = yield* Communicator.open(guest);
  const [inbox, outbox] = [guest.alloc(4096), guest.alloc(4096)];
  const mine = new Map<string, string>();
  const requests = Number(guest.args.requests ?? 50);
  let time = 0;
  for (let i = 0; i < requests; i++) {
    const key = `${guest.name}/${Math.floor(guest.random() * 8)}`;
    const draw = guest.random();
    const verb = draw < 0.5 ? "put" : draw < 0.8 ? "get" : "delete";
    const start = guest.now();
    const reply = yield* ask({ verb, key, value: `${i}` });
    time += guest.now() - start;
    guest.check(reply.value === mine.get(key), `${verb} ${key}: found ${reply.value}, wanted ${mine.get(key)}`);
    if (verb === "put") mine.set(key, `${i}`);
    if (verb === "delete") mine.delete(key);
  }
  for (const key of mine.keys()) yield* ask({ verb: "delete", key });
  yield* comm.send(0, pack(outbox, { verb: "bye" }), REQUEST);
  guest.print(`${requests} requests, ${(time / requests).toFixed(2)} us each`);
  yield* comm.close();

  function* ask(message: Message): Call<Message> {
    yield* comm.send(0, pack(outbox, message), REQUEST);
    const { length } = yield* comm.recv(0, inbox, ANSWER);
    return JSON.parse(inbox.text(length));
  }
}

/** The message as the part of a buffer that it takes. */
function pack(buffer: GuestBuffer, message: Message) {
  const text = JSON.stringify(message);
  buffer.write(text);
  return buffer.segment(0, new TextEncoder().encode(text).length);
}
