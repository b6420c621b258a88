import { markup } from "./markup.ts";

/**
 * The style of every report: system fonts, colours that stay apart for people who do not see all of them, light or dark
 * as the reader has it, light on paper. It is part of the page, and therefore without marks that HTML would have to escape.
 * Where a window is narrow, bars in tables shrink as far as they can be read, and then tables scroll; on paper none does.
 * Letters of a font that is wider than thought (see svg.ts) may stand out of a chart, and are not cut.
 */
export const STYLE = markup`<style>
:root {
  --paper: #fff; --ink: #1b2027; --dim: #5a6570; --rule: #d8dde3; --soft: #f2f4f7; --good: #157a3c; --bad: #c02330;
  --c0: #0072b2; --c1: #d55e00; --c2: #008a65; --c3: #b0508c; --c4: #94700a; --c5: #3f96cf; --c6: #6b4fb0; --c7: #56616c;
  --on: #fff;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171c; --ink: #d6dce3; --dim: #8f9aa6; --rule: #2e353d; --soft: #1c2128; --good: #4cc47a; --bad: #ff6b6b;
    --c0: #56a8e0; --c1: #ff8d50; --c2: #35c39a; --c3: #e39bc8; --c4: #dcbc48; --c5: #9cd4ff; --c6: #ab98ea; --c7: #aab5bf;
    --on: #14171c;
  }
}
:root { color-scheme: light dark; }
body {
  max-width: 1080px; margin: 0 auto; padding: 24px 20px 48px; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif;
}
h1 { margin: 0; font-size: 26px; line-height: 1.2; }
h2 { margin: 32px 0 8px; padding-top: 12px; border-top: 1px solid var(--rule); font-size: 18px; }
h3 { margin: 20px 0 4px; font-size: 15px; }
p { margin: 6px 0; }
a { color: var(--c0); }
.verdict { display: inline-block; padding: 1px 9px; border-radius: 4px; color: var(--on); font-size: 15px; font-weight: 600; vertical-align: 4px; }
.verdict.good { background: var(--good); }
.verdict.bad { background: var(--bad); }
.good { color: var(--good); fill: var(--good); }
.bad { color: var(--bad); fill: var(--bad); }
.verdict.good, .verdict.bad { color: var(--on); }
.dim, figcaption, caption, th { color: var(--dim); }
.tiles { display: flex; flex-wrap: wrap; gap: 8px; margin: 16px 0; padding: 0; list-style: none; }
.tiles li { min-width: 96px; padding: 8px 12px; border-radius: 6px; background: var(--soft); }
.tiles b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.limit { padding: 8px 12px; border-left: 3px solid var(--c1); background: var(--soft); }
.wide { margin: 8px 0; overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
caption { padding-bottom: 4px; text-align: left; }
th { font-weight: 500; text-align: right; vertical-align: bottom; }
td { text-align: right; vertical-align: top; }
th, td { padding: 3px 9px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
.text { text-align: left; }
.long { text-align: left; white-space: normal; min-width: 130px; overflow-wrap: anywhere; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.95em; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 16px 28px; }
figure { margin: 8px 0; }
figcaption { font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 4px 0; padding: 0; list-style: none; font-size: 13px; }
svg { display: block; max-width: 100%; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; background: var(--soft); vertical-align: -1px; }
.legend .bar { background: none; }
td .bar { min-width: 64px; }
.stack, .chart { width: 100%; height: auto; }
.chart { max-width: 640px; overflow: visible; }
.stack rect { stroke: var(--paper); stroke-width: 1; }
.stack text { fill: var(--on); }
.side { display: flex; flex-wrap: wrap; gap: 0 24px; }
.back { fill: var(--soft); }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); }
.s4 { --c: var(--c4); } .s5 { --c: var(--c5); } .s6 { --c: var(--c6); } .s7 { --c: var(--c7); }
rect.s0, rect.s1, rect.s2, rect.s3, rect.s4, rect.s5, rect.s6, rect.s7, .point { fill: var(--c); }
.join { fill: none; stroke: var(--c); stroke-width: 1.5; }
.mark { fill: var(--paper); stroke: var(--c, var(--ink)); stroke-width: 2; }
.grid { stroke: var(--rule); }
.axis { stroke: var(--dim); }
.reference path { fill: none; stroke: var(--dim); stroke-dasharray: 5 4; }
.reference text { fill: var(--dim); }
footer { margin-top: 40px; padding-top: 4px; border-top: 1px solid var(--rule); }
footer td { border: 0; padding: 1px 12px 1px 0; }
summary { cursor: pointer; color: var(--dim); }
@media print {
  body { max-width: none; padding: 0; font-size: 12px; }
  table { font-size: 10px; }
  th, td { padding: 2px 5px; }
  figure, tr, .tiles li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .wide { overflow: visible; }
  td .bar { min-width: 0; }
  svg, .tiles li, .limit, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
</style>`;
