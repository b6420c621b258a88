import { parseTime, QuantityError } from "../base/quantity.ts";
import { UsageError } from "./exit.ts";

/** A time that an option gives, picoseconds. Throws {@link UsageError} that names the option. */
export function timeOption(option: string, text: string): number {
  try {
    return parseTime(text);
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    throw new UsageError(`${option}: ${error.message}`);
  }
}
