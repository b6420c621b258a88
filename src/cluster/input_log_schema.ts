import { z } from "zod";
import { fractionField, showValue, timeField } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import { oneOf } from "./scenario_problem.ts";

/* The log of inputs as a schema: what may be written, with the words for what is wanted. */

/** Version of the format. */
export const LOG_FORMAT = 1;

const KINDS = ["fault", "stall", "hog", "crash", "set", "end"] as const;

const text = (max: number, wanted = "a text") =>
  z.string({ error: `wanted ${wanted}` }).max(max, { error: `wanted at most ${max} characters` });

const count = (min: number) => {
  const error = `wanted a whole number from ${min}`;
  return z.number({ error }).int({ error }).min(min, { error });
};

const hex = text(16).regex(/^[0-9a-f]{16}$/, { error: "wanted 16 hexadecimal digits (in quotes)" });

const place = { at: timeField(), events: count(0) };
const span = timeField({ min: 1 });
const name = text(100, "a name");

/** One line of `inputs`. */
const input = z.discriminatedUnion("do", [
  z.strictObject({
    ...place,
    do: z.literal("fault"),
    link: name,
    loss: fractionField().optional(),
    corrupt: fractionField().optional(),
    delay: timeField().optional(),
    cut: z.boolean().optional(),
    for: span.optional(),
  }),
  z.strictObject({ ...place, do: z.literal("stall"), host: name, for: span }),
  z.strictObject({ ...place, do: z.literal("hog"), host: name, cpus: count(1), for: span.optional() }),
  z.strictObject({ ...place, do: z.literal("crash"), guest: name, for: span }),
  z.strictObject({ ...place, do: z.literal("set"), values: z.array(text(10_000)).min(1) }),
  z.strictObject({ ...place, do: z.literal("end"), input: count(1) }),
], {
  error: ({ input: found }) => {
    if (typeof found !== "object" || found === null) return `found ${showValue(found)}, wanted a block of keys`;
    const kind: unknown = (found as { do?: unknown }).do;
    const near = typeof kind === "string" ? didYouMean(kind, KINDS) : "";
    return `found ${showValue(kind)}, wanted ${oneOf(KINDS)}${near}`;
  },
});

export type LoggedInput = z.infer<typeof input>;

const step = z.union([text(1000), z.number().int().min(0)], { error: "wanted a key, or the number of an entry" });

/** The whole file. */
export function logSchema() {
  return z.strictObject({
    log: z.literal(LOG_FORMAT, { error: `wanted ${LOG_FORMAT}, the format that this mxtop reads` }),
    mxtop: text(100, "the version of mxtop that wrote it"),
    scenario: name,
    file: text(1000),
    endless: z.boolean({ error: "wanted true or false" }),
    program: z.strictObject({ file: text(1000), source: hex }).optional(),
    options: z.array(z.strictObject({ option: text(1000), path: z.array(step).min(1), value: z.unknown().optional() }))
      .nullish(),
    scenario_text: text(1024 * 1024, "the scenario's text"),
    // Without the key the file was cut off in the scenario.
    inputs: z.array(input, { error: "wanted a list of inputs (was the file cut off before?)" }).nullable(),
    end: z.strictObject({ ...place, fingerprint: hex }).optional(),
  });
}
