import type { TourStep } from "../../src/cluster/tour.ts";

/** A caption, a question, and a key to press. */
export const FAKE_TOUR: readonly TourStep[] = [
  {
    atPs: 0,
    title: "Two guests and a wire",
    text:
      "Each message of 32 bytes goes to the other host and comes back: {totals.messages} have done so. The median of " +
      "half a round trip is {latency_us.p50} us.",
    look: "latency",
  },
  {
    atPs: 0,
    title: "Where does the time go?",
    text: "A message is never in two places at once, so the parts add up.",
    ask: "What takes longest?",
    answer: "The wire, with a third of it.",
    look: "stages",
  },
  { atPs: 0, title: "Elsewhere", text: "Look at one pane alone.", press: "z" },
];
