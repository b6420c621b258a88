import { formatFraction, formatTime, parseFraction, parseTime } from "../../base/quantity.ts";
import type { Input } from "../../cluster/input.ts";
import { inputText } from "../../cluster/input_text.ts";
import { seconds } from "../format.ts";
import type { Model } from "../model.ts";
import { type Entry, type Field, MenuError, type Values, whole } from "./menu_form.ts";
import { settingEntries } from "./menu_settings.ts";

const FOR_GOOD = "for good";
const SPANS = ["1 ms", "5 ms", "20 ms", "100 ms", "1 s", "10 s"] as const;
const AMOUNTS = ["0.01 %", "0.1 %", "1 %", "5 %", "20 %", "100 %"] as const;
const DELAYS = ["1 us", "10 us", "100 us", "1 ms", "10 ms"] as const;

/** Everything that can be done to this run now. */
export function entriesOf(model: Model): Entry[] {
  return [
    ...linkEntries(model),
    ...hostEntries(model),
    ...guestEntries(model),
    ...settingEntries(model.menu.world?.settings ?? []),
    ...activeEntries(model),
  ];
}

function linkEntries({ live }: Model): Entry[] {
  const links = live?.snapshot.links.map(({ name }) => name) ?? [];
  const link: Field = { key: "link", label: "link", initial: links[0] ?? "", choices: links, isStrict: true };
  const make = (
    id: string,
    title: string,
    note: string,
    amount: Omit<Field, "key"> | null,
    effect: (text: string) => Partial<Extract<Input, { kind: "fault" }>>,
  ): Entry => ({
    ...{ id, group: "Links", title, note },
    fields: () => [link, ...(amount === null ? [] : [{ ...amount, key: "amount" }]), span("20 ms", true)],
    input: (values) => ({ kind: "fault", link: values.link, ...effect(values.amount), forPs: spanOf(values) }),
    words: (values) =>
      `Link ${values.link} ${effectWords(id, values.amount)}, ${spanWords(values)}. ` +
      "Faults of one link add up.",
  });
  const share = { label: "frames", initial: "1 %", choices: AMOUNTS, hint: "of them, by chance" };
  return [
    make("loss", "loss", "frames of a link get lost", share, (text) => ({ loss: fraction(text) })),
    make("corrupt", "corruption", "frames arrive with bytes changed", share, (text) => ({ corrupt: fraction(text) })),
    make("delay", "delay", "frames take longer", {
      label: "delay",
      initial: "100 us",
      choices: DELAYS,
      hint: "more for every frame",
    }, (text) => ({ delayPs: parseTime(text) })),
    make("cut", "cut", "nothing passes a link", null, () => ({ cut: true })),
  ];
}

function effectWords(id: string, amount: string): string {
  switch (id) {
    case "loss":
      return `loses ${formatFraction(parseFraction(amount))} of its frames`;
    case "corrupt":
      return `changes bytes in ${formatFraction(parseFraction(amount))} of its frames`;
    case "delay":
      return `delays every frame by ${formatTime(parseTime(amount))} more`;
    default:
      return "lets nothing pass";
  }
}

function hostEntries({ live }: Model): Entry[] {
  const hosts = live?.snapshot.hosts ?? [];
  const names = hosts.map(({ name }) => name);
  const host: Field = { key: "host", label: "host", initial: names[0] ?? "", choices: names, isStrict: true };
  return [
    {
      ...{ id: "stall", group: "Hosts", title: "stalled back end", note: "dom0 or the host's threads do nothing" },
      fields: () => [host, span("5 ms", false)],
      input: (values) => ({ kind: "stall", host: values.host, forPs: endingSpanOf(values) }),
      words: (values) =>
        `The back end of host ${values.host} does nothing, ${spanWords(values)}: requests of its guests wait.`,
    },
    {
      ...{ id: "hog", group: "Hosts", title: "CPU hog", note: "another computation takes CPUs" },
      fields: (values) => {
        const cpus = hosts.find(({ name }) => name === values.host)?.cpus ?? 1;
        const choices = Array.from({ length: cpus }, (_, i) => String(i + 1));
        const half = String(Math.max(1, cpus >> 1));
        const count: Field = { key: "cpus", label: "CPUs", initial: half, choices, hint: `of ${cpus}` };
        return [{ ...host, leads: true }, count, span("20 ms", true)];
      },
      input: (values) => ({ kind: "hog", host: values.host, cpus: whole(values.cpus, "CPUs"), forPs: spanOf(values) }),
      words: (values) =>
        `${values.cpus} CPUs of host ${values.host} are taken by somebody else's computation, ${spanWords(values)}.`,
    },
  ];
}

function guestEntries({ live, selected }: Model): Entry[] {
  const names = live?.snapshot.guests.map(({ name }) => name) ?? [];
  const initial = selected !== null && names.includes(selected) ? selected : names[0] ?? "";
  return [{
    ...{ id: "crash", group: "Guests", title: "crash and restart", note: `${initial} dies and boots again` },
    fields: () => [
      { key: "guest", label: "guest", initial, choices: names, isStrict: true },
      { ...span("20 ms", false), label: "down for" },
    ],
    input: (values) => ({ kind: "crash", guest: values.guest, forPs: endingSpanOf(values) }),
    words: (values) =>
      `${values.guest} dies now, with all that it was about to send, and boots again after ${spanText(values)}.`,
  }];
}

/** What goes on, the latest first; ending it is an input of its own. */
function activeEntries({ menu: { world }, nowPs }: Model): Entry[] {
  const active = world?.lasting.map((number) => ({ number, ...world.inputs[number - 1] })) ?? [];
  return active.reverse().flatMap(({ number, atPs, input }): Entry[] => {
    const endPs = "forPs" in input && input.forPs !== null ? atPs + input.forPs : Infinity;
    if (endPs <= nowPs) return [];
    const left = endPs === Infinity ? "for good" : `${shortTime(endPs - nowPs)} left`;
    const restart = input.kind === "crash" ? ` ${input.guest} boots now.` : "";
    return [{
      ...{ id: `end-${number}`, group: "Active", title: inputText(input), note: left },
      fields: () => [],
      input: () => ({ kind: "end", input: number }),
      words: () => `End it now: ${inputText(input)}, since ${seconds(atPs, 6)} s, ${left}.${restart}`,
    }];
  });
}

/** Three digits of a time: it changes while one reads it. */
function shortTime(ps: number): string {
  return formatTime(Math.max(1, Math.round(Number(ps.toPrecision(3)))));
}

function span(initial: string, canLast: boolean): Field {
  return {
    ...{ key: "span", label: "for", initial, choices: canLast ? [...SPANS, FOR_GOOD] : SPANS },
    hint: "of virtual time",
  };
}

/** Picoseconds; null is for good. */
function spanOf(values: Values): number | null {
  return values.span === FOR_GOOD ? null : endingSpanOf(values);
}

function endingSpanOf({ span }: Values): number {
  const ps = parseTime(span);
  if (ps === 0) throw new MenuError(`found ${JSON.stringify(span)}, wanted a time above 0`);
  return ps;
}

function spanText(values: Values): string {
  return formatTime(endingSpanOf(values));
}

function spanWords(values: Values): string {
  return values.span === FOR_GOOD ? "from now on" : `for ${spanText(values)} of virtual time from now`;
}

function fraction(text: string): number {
  const value = parseFraction(text);
  if (value === 0) throw new MenuError(`found ${JSON.stringify(text)}, wanted more than 0 %`);
  return value;
}
