import type { Model } from "../model.ts";
import type { Update } from "../message.ts";
import { closeBox } from "./box.ts";

/** A box that any key closes. */
export const CLOSE_ON_ANY_KEY = (model: Model): Update => [closeBox(model), []];
