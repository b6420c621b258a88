/** Everything that a key can ask for. */
export const ACTIONS = [
  "scenario-number",
  "scenario-next",
  "scenario-previous",
  "path-next",
  "path-previous",
  "pause",
  "step",
  "step-message",
  "step-millisecond",
  "back",
  "seek",
  "turns",
  "change",
  "faster",
  "slower",
  "restart",
  "compare",
  "select-up",
  "select-down",
  "select-page-up",
  "select-page-down",
  "select-first",
  "select-last",
  "one-vm",
  "sort-column",
  "sort-reverse",
  "filter",
  "pane-next",
  "pane-previous",
  "zoom",
  "anatomy",
  "tour",
  "view",
  "theme",
  "help",
  "palette",
  "export",
  "copy",
  "dismiss",
  "redraw",
  "suspend",
  "quit",
  "interrupt",
] as const;

/** What a key asks for. */
export type Action = typeof ACTIONS[number];

/** One line of the key table. The help screen, the footer and the dispatch are all made from it. */
export interface KeyBinding {
  /** Names as the terminal module gives them: a character, or "up", "S-tab", "C-c" and the like. */
  readonly keys: readonly string[];
  readonly action: Action;
  /** How the keys are written on the screen. */
  readonly show: string;
  readonly help: string;
  /** Two words at most; only the keys that people look for most have one. */
  readonly footer?: string;
  /** Keys in the footer, where one entry speaks for several. */
  readonly footerShow?: string;
  /** In the footer only where everything else has room. */
  readonly isSpare?: boolean;
  readonly group: "Run" | "Guests" | "Screen";
}

/** The key table. In the footer, entries further down give way first; the help has the groups in their order here. */
export const KEYS: readonly KeyBinding[] = [
  {
    keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    action: "scenario-number",
    show: "1-9",
    help: "scenario by its number",
    footer: "scenario",
    group: "Run",
  },
  { keys: ["]"], action: "scenario-next", show: "]", help: "next scenario", group: "Run" },
  { keys: ["["], action: "scenario-previous", show: "[", help: "previous scenario", group: "Run" },
  { keys: ["p"], action: "path-next", show: "p", help: "next path", footer: "path", group: "Run" },
  { keys: ["P"], action: "path-previous", show: "P", help: "previous path", group: "Run" },
  { keys: ["space"], action: "pause", show: "space", help: "pause and go on", footer: "pause", group: "Run" },
  { keys: ["."], action: "step", show: ".", help: "run one event, pause", footer: "step", group: "Run" },
  { keys: ["m"], action: "step-message", show: "m", help: "run to the next message", group: "Run" },
  { keys: [";"], action: "step-millisecond", show: ";", help: "run one millisecond", group: "Run" },
  { keys: [","], action: "back", show: ",", help: "one such step back", footer: "back", isSpare: true, group: "Run" },
  {
    keys: ["b"],
    action: "seek",
    show: "b",
    help: "go to any virtual time",
    footer: "go to",
    isSpare: true,
    group: "Run",
  },
  { keys: ["B"], action: "turns", show: "B", help: "compare with other turn", group: "Run" },
  {
    keys: ["f"],
    action: "change",
    show: "f",
    help: "change the world",
    footer: "change",
    group: "Run",
  },
  {
    keys: ["+", "="],
    action: "faster",
    show: "+",
    help: "ten times faster",
    footer: "speed",
    footerShow: "+ -",
    group: "Run",
  },
  {
    keys: ["-", "_"],
    action: "slower",
    show: "-",
    help: "ten times slower",
    group: "Run",
  },
  {
    keys: ["r"],
    action: "restart",
    show: "r",
    help: "start the run again",
    footer: "restart",
    group: "Run",
  },
  {
    keys: ["c"],
    action: "compare",
    show: "c",
    help: "compare paths side by side",
    footer: "compare",
    group: "Run",
  },
  {
    keys: ["a"],
    action: "anatomy",
    show: "a",
    help: "one message, step by step",
    footer: "anatomy",
    group: "Run",
  },
  { keys: ["up", "k"], action: "select-up", show: "up k", help: "VM above, or scroll", group: "Guests" },
  { keys: ["down", "j"], action: "select-down", show: "down j", help: "VM below, or scroll", group: "Guests" },
  { keys: ["pageup"], action: "select-page-up", show: "PageUp", help: "one page up", group: "Guests" },
  { keys: ["pagedown"], action: "select-page-down", show: "PageDown", help: "one page down", group: "Guests" },
  { keys: ["home", "g"], action: "select-first", show: "Home g", help: "first VM", group: "Guests" },
  { keys: ["end", "G"], action: "select-last", show: "End G", help: "last VM", group: "Guests" },
  { keys: ["enter"], action: "one-vm", show: "Enter", help: "one VM, all of it", footer: "VM", group: "Guests" },
  { keys: ["s"], action: "sort-column", show: "s", help: "sort by the next column", footer: "sort", group: "Guests" },
  { keys: ["S"], action: "sort-reverse", show: "S", help: "turn the order round", group: "Guests" },
  {
    keys: ["/"],
    action: "filter",
    show: "/",
    help: "filter guests or events",
    footer: "filter",
    group: "Guests",
  },
  { keys: ["tab"], action: "pane-next", show: "Tab", help: "next pane", footer: "pane", group: "Screen" },
  { keys: ["S-tab"], action: "pane-previous", show: "Shift-Tab", help: "previous pane", group: "Screen" },
  {
    keys: ["z"],
    action: "zoom",
    show: "z",
    help: "one pane large, and back",
    group: "Screen",
  },
  { keys: ["t"], action: "tour", show: "t", help: "guided tours: start, go on", group: "Run" },
  { keys: ["v"], action: "view", show: "v", help: "next view of the pane", footer: "view", group: "Screen" },
  { keys: ["T"], action: "theme", show: "T", help: "other colours, or none", group: "Screen" },
  { keys: [":"], action: "palette", show: ":", help: "find any command", footer: "commands", group: "Screen" },
  { keys: ["?"], action: "help", show: "?", help: "this help", footer: "help", group: "Screen" },
  { keys: ["e"], action: "export", show: "e", help: "export to a file", group: "Screen" },
  { keys: ["y"], action: "copy", show: "y", help: "copy this pane's text", group: "Screen" },
  { keys: ["escape"], action: "dismiss", show: "Esc", help: "close filter, zoom, box", group: "Screen" },
  { keys: ["C-l"], action: "redraw", show: "Ctrl-L", help: "draw the screen again", group: "Screen" },
  { keys: ["C-z"], action: "suspend", show: "Ctrl-Z", help: "suspend to the shell", group: "Screen" },
  { keys: ["q"], action: "quit", show: "q", help: "quit", footer: "quit", group: "Screen" },
  { keys: ["C-c"], action: "interrupt", show: "Ctrl-C", help: "quit with exit code 130", group: "Screen" },
];

const BY_KEY = new Map<string, Action>(KEYS.flatMap(({ keys, action }) => keys.map((key) => [key, action] as const)));

/** What a key does outside a text field; null when it does nothing. */
export function actionOf(key: string): Action | null {
  return BY_KEY.get(key) ?? null;
}
