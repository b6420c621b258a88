import { formatFraction, formatTime } from "../base/quantity.ts";
import type { Input } from "../cluster/input.ts";

/** What was done to the world, in a few words. */
export function inputText(input: Input): string {
  switch (input.kind) {
    case "fault": {
      const { link, loss = 0, corrupt = 0, delayPs = 0, cut = false } = input;
      const parts = [
        loss > 0 ? `loses ${formatFraction(loss)}` : "",
        corrupt > 0 ? `corrupts ${formatFraction(corrupt)}` : "",
        delayPs > 0 ? `delays by ${formatTime(delayPs)}` : "",
        cut ? "is cut" : "",
      ].filter((part) => part !== "");
      return `link ${link} ${parts.join(", ") || "is well again"}${lasting(input.forPs)}`;
    }
    case "stall":
      return `the back end of ${input.host} stalls${lasting(input.forPs)}`;
    case "hog":
      return `${input.cpus} CPUs of ${input.host} are taken${lasting(input.forPs)}`;
    case "crash":
      return `${input.guest} crashes${lasting(input.forPs)}`;
    case "set":
      return `set ${input.assignments.join(", ")}`;
  }
}

function lasting(forPs: number | null): string {
  return forPs === null ? "" : ` for ${formatTime(forPs)}`;
}
