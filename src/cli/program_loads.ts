/**
 * How often modules of guest programs have been loaded. Whenever that happens Deno clears what it takes for its own
 * progress line, on the terminal: whoever draws there has to draw again.
 */
export const programLoads = { count: 0 };
