import { type AnatomyClass, type AnatomySubject, recordAnatomy } from "../../src/report/anatomy.ts";
import type { OneMessageOptions } from "../../src/report/one_message.ts";
import type { Path } from "../../src/path/path.ts";

/** What is recorded of one message. */
export function recordClass(path: Path, options: OneMessageOptions, subject: AnatomySubject): AnatomyClass {
  return [...recordAnatomy(path, options, [subject])].find((made) => made !== null)!;
}
