import { z } from "zod";
import { writtenQuantity } from "../base/quantity.ts";

/*
 * Looking into zod schemas: which keys a block may have, and how a value is written. Needed for "did you mean", for
 * workloads whose parameters are checked apart from the rest, for the dashboard's settings, and nowhere else.
 */

/** Keys that the schema allows in the block at `path`; empty where it does not say. */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  for (const candidate of alternatives(schema)) {
    if (path.length === 0) {
      if (candidate instanceof z.ZodObject) return Object.keys(candidate.shape);
      continue;
    }
    const [step, ...rest] = path;
    const inner = candidate instanceof z.ZodObject
      ? candidate.shape[String(step)]
      : candidate instanceof z.ZodArray
      ? candidate.element
      : undefined;
    if (inner === undefined) continue;
    const keys = knownKeys(inner as z.ZodType, rest);
    if (keys.length > 0) return keys;
  }
  return [];
}

/** The object schema that a schema takes as input, under defaults and transforms; null when it takes no object. */
export function objectSchema(schema: z.ZodType): z.ZodObject | null {
  for (const candidate of alternatives(schema)) if (candidate instanceof z.ZodObject) return candidate;
  return null;
}

/** A value of a field, or an entry of its list, as a scenario file has it: a quantity with its unit. */
export function writtenAs(schema: z.ZodType, value: unknown): string {
  const written = writtenQuantity(schema, value);
  if (written !== null) return written;
  const inner = schema instanceof z.ZodArray ? schema.element : unwrapped(schema);
  return inner === null ? String(value) : writtenAs(inner as z.ZodType, value);
}

/** The schema with wrappers taken off, or the branches of a union, each with theirs taken off. */
function alternatives(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => alternatives(option as z.ZodType));
  if (schema instanceof z.ZodPipe) return alternatives(schema.in as z.ZodType);
  const inner = unwrapped(schema);
  return inner === null ? [schema] : alternatives(inner);
}

/** What a wrapper is around; null for a schema that is none. */
function unwrapped(schema: z.ZodType): z.ZodType | null {
  const isWrapper = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly;
  return isWrapper ? schema.unwrap() as z.ZodType : null;
}
