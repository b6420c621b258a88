import { z } from "zod";

/*
 * Looking into zod schemas: which keys a block may have. Needed for "did you mean", for workloads whose parameters are
 * checked apart from the rest, and nowhere else.
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

/** The schema with wrappers taken off, or the branches of a union, each with theirs taken off. */
function alternatives(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => alternatives(option as z.ZodType));
  if (schema instanceof z.ZodPipe) return alternatives(schema.in as z.ZodType);
  const wrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly;
  return wrapped ? alternatives(schema.unwrap() as z.ZodType) : [schema];
}
