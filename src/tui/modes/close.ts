import type { Model } from "../model.ts";
import type { Update } from "../message.ts";

/** A box that any key closes. */
export const CLOSE_ON_ANY_KEY = (model: Model): Update => [{ ...model, mode: "normal" }, []];
