import { left, paint } from "../text.ts";
import type { Mode } from "./mode.ts";

/** What drawing and the engine cost, in the last line of the header's corner; the command "timings" switches it. */
export const timings: Mode = {
  key: () => null,
  boxes: ({ timings: text, columns }) =>
    text === null ? [] : [{
      id: "timings",
      x: Math.max(0, columns - text.length - 1),
      y: 1,
      width: Math.min(columns, text.length + 1),
      height: 1,
    }],
  views: { timings: ({ timings: text }, width) => [left(paint("warn", ` ${text ?? ""}`), width)] },
};
