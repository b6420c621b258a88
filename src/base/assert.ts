/**
 * A fault of the program itself: something that only our own code can get wrong.
 * The command line turns it into exit code 70. What a guest, a peer or a wire can get wrong is never one of these.
 */
export class ProgramFault extends Error {
  override name = "ProgramFault";
}

/** Throws {@link ProgramFault} unless `condition` holds. Pass constant text: an eager template costs ten times the check. */
export function assert(condition: boolean, text: string): asserts condition {
  if (!condition) throw new ProgramFault(text);
}
