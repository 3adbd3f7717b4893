/** Colours by the reader's theme; the two rule sets keep theirs throughout. */
export const STYLE = `
:root { --page: #f7f6f3; --card: #ffffff; --ink: #16181d; --soft: #5c6069; --line: #e4e2dc; --s0: #2a6fd1; --s1: #d9622b; --good: #1c7c4a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #121317; --card: #1b1d22; --ink: #eceef2; --soft: #a0a5b0; --line: #2e3138; --s0: #5b9bf0; --s1: #ee8350; --good: #5cc48e; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 44px; }
.kicker { margin: 0; color: var(--soft); font-size: 13px; font-weight: 600; letter-spacing: .04em; }
h1 { margin: 2px 0 4px; font-size: 32px; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; overflow-wrap: anywhere; }
h1 small { font-size: .6em; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.name { text-decoration: underline; text-decoration-thickness: 4px; text-underline-offset: 6px; text-decoration-skip-ink: none; }
.name.s0 { text-decoration-color: var(--s0); } .name.s1 { text-decoration-color: var(--s1); }
.lead { margin: 0; color: var(--soft); max-width: 75ch; }
section { margin-top: 52px; }
h2 { margin: 0 0 2px; font-size: 21px; letter-spacing: -.01em; }
h3 { margin: 0; font-size: 14px; font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 12px; margin-top: 28px; }
.tile, figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 14px 16px 12px; }
.tile h3 { color: var(--soft); font-size: 13px; font-weight: 500; margin-bottom: 4px; }
.tile p { display: flex; align-items: center; gap: 8px; margin: 0; font-variant-numeric: tabular-nums; }
.tile b { font-size: 20px; font-weight: 650; letter-spacing: -.01em; white-space: nowrap; }
.tile em { margin-left: auto; color: var(--good); font-size: 12px; font-style: normal; font-weight: 600; }
i.s0, i.s1 { flex: none; display: inline-block; width: 10px; height: 10px; border-radius: 3px; }
i.s0 { background: var(--s0); } i.s1 { background: var(--s1); }
.grid { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 14px; margin-top: 16px; }
figure { margin: 0; padding: 14px 16px 10px; display: flex; flex-direction: column; }
.w2 { grid-column: span 3; } .w3 { grid-column: span 2; }
figcaption p { margin: 0; color: var(--soft); font-size: 13px; line-height: 1.4; }
svg { display: block; width: 100%; height: auto; margin-top: auto; padding-top: 10px; overflow: visible; }
svg text { fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }
svg .x, svg .axis { text-anchor: middle; } svg .y { text-anchor: end; dominant-baseline: middle; }
.grid line, line.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); }
.line.plain { stroke: var(--soft); } .bar.plain, .dot.plain { fill: var(--soft); }
.bar.s0, .dot.s0 { fill: var(--s0); } .bar.s1, .dot.s1 { fill: var(--s1); }
.hit { fill: transparent; } .hit:hover { fill: var(--ink); fill-opacity: .07; }
.empty { margin: auto; padding: 40px 0; color: var(--soft); }
details { margin-top: 6px; font-size: 13px; }
summary { color: var(--soft); cursor: pointer; width: fit-content; }
.scroll { overflow: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 14px 3px 0; text-align: left; font-weight: 400; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); }
figure .scroll { max-height: 300px; }
.rules { font-size: 14px; margin-top: 12px; } .rules th, .rules td { padding: 6px 28px 6px 0; vertical-align: top; }
.rules tbody th, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 13px; }
pre { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.rows { display: grid; grid-template-columns: max-content 1fr; gap: 10px 16px; margin: 14px 0 8px; align-items: center; }
.rows dt { font-size: 13px; } .rows dd { margin: 0; }
.row { display: flex; align-items: center; gap: 8px; padding: 1px 56px 1px 0; position: relative; }
.row i.s0, .row i.s1 { flex: initial; height: 12px; }
.row b { font-size: 12px; font-weight: 500; color: var(--soft); white-space: nowrap; margin-right: -56px; font-variant-numeric: tabular-nums; }
.facts { display: flex; flex-wrap: wrap; gap: 12px 36px; margin: 16px 0 0; }
.facts dt { color: var(--soft); font-size: 13px; } .facts dd { margin: 0; }
.legend { position: sticky; bottom: 0; display: flex; justify-content: center; flex-wrap: wrap; gap: 4px 24px; margin-top: 56px; padding: 9px 24px; background: var(--card); border-top: 1px solid var(--line); font-size: 13px; }
.legend span { display: flex; align-items: center; gap: 8px; }
#tip { position: fixed; z-index: 1; pointer-events: none; max-width: 300px; padding: 7px 10px; border-radius: 7px; background: var(--ink); color: var(--page); font-size: 12.5px; line-height: 1.45; white-space: pre-line; font-variant-numeric: tabular-nums; }
@media (max-width: 900px) { .tiles { grid-template-columns: repeat(auto-fit, minmax(155px, 1fr)); } .tile b { font-size: 18px; } .w2, .w3 { grid-column: span 6; } h1 { font-size: 25px; } header, main { padding-left: 14px; padding-right: 14px; } }
@media (max-width: 560px) { .w2 svg text { font-size: 17px; } }
@media print { .legend { position: static; } figure { break-inside: avoid; } }
`;
