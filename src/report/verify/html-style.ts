/** The style of the HTML report: light and dark by the reader's preference, from 320 px to paper. */
export const HTML_STYLE = `
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --muted: #57606a; --line: #d0d7de; --card: #f6f8fa;
  --focus: #0b5fd0; --read: #dbeafe; --read-fg: #0b3a75; --write: #fde7c3; --write-fg: #5c3a00;
  --over: #ffd7d5; --over-fg: #82071e; --over-line: #cf222e; --under: #eadcff; --under-fg: #4c1d8f; --under-line: #8250df;
  --unknown: #e6e8eb; --unknown-fg: #24292f; --unknown-line: #6e7781; --accepted: #d5f5ee; --accepted-fg: #0b4f49; --accepted-line: #0f766e;
  --yes: #116329; --no: #a40e26; }
@media screen and (prefers-color-scheme: dark) { :root { --bg: #0f1419; --fg: #e6edf3; --muted: #9aa7b4; --line: #3a424c; --card: #161b22;
  --focus: #79b8ff; --read: #10305a; --read-fg: #cfe4ff; --write: #4d3300; --write-fg: #ffe0a6;
  --over: #5c1015; --over-fg: #ffdcd7; --over-line: #ff7b72; --under: #3c1f6e; --under-fg: #eadcff; --under-line: #b392f0;
  --unknown: #333a42; --unknown-fg: #e6edf3; --unknown-line: #9aa7b4; --accepted: #0b3d38; --accepted-fg: #c5f5ec; --accepted-line: #3fb6a8;
  --yes: #56d364; --no: #ff7b72; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 8.5rem; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 1rem/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.1rem; margin: 1.25rem 0 0; color: var(--muted); font-weight: 600; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
p { margin: .35rem 0; }
.verdict { font-size: 1.6rem; line-height: 1.25; font-weight: 700; margin: .25rem 0; overflow-wrap: anywhere; }
.yes { color: var(--yes); } .no { color: var(--no); }
.muted { color: var(--muted); }
code { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
[hidden] { display: none !important; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
#filter { position: sticky; top: 0; z-index: 5; background: var(--bg); border-bottom: 1px solid var(--line); padding: .6rem 0; display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; }
#filter .field { display: grid; flex: 1 1 9rem; min-width: 0; }
#filter label { font-size: .85rem; color: var(--muted); }
#filter .field:first-child { flex-grow: 3; }
input, select, button { font: inherit; color: var(--fg); background: var(--card); border: 1px solid var(--unknown-line); border-radius: 6px; padding: .35rem .6rem; min-height: 2.5rem; min-width: 0; width: 100%; }
button { width: auto; cursor: pointer; }
#count { flex: 1 0 100%; margin: 0; font-size: .9rem; }
ul.findings { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
.finding { border: 1px solid var(--line); border-left: 6px solid var(--unknown-line); border-radius: 6px; padding: .6rem .8rem; background: var(--card); break-inside: avoid; overflow-wrap: anywhere; }
.finding h3 { font-size: 1rem; margin: 0; }
.finding.over-grant { border-left-color: var(--over-line); } .finding.under-grant { border-left-color: var(--under-line); } .finding.accepted { border-left-color: var(--accepted-line); }
.badge { display: inline-block; border-radius: 4px; padding: 0 .45rem; font-size: .85rem; font-weight: 600; background: var(--unknown); color: var(--unknown-fg); }
.badge.over-grant { background: var(--over); color: var(--over-fg); } .badge.under-grant { background: var(--under); color: var(--under-fg); } .badge.accepted { background: var(--accepted); color: var(--accepted-fg); }
.scroll { position: relative; overflow: auto; border: 1px solid var(--line); border-radius: 6px; }
.scroll.tall { max-height: 85vh; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; width: 100%; }
caption { text-align: left; padding: .5rem; color: var(--muted); }
caption span { display: inline-block; position: sticky; left: .5rem; max-width: calc(100vw - 2.5rem); }
th, td { padding: .25rem .55rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--card); position: sticky; top: 0; z-index: 2; vertical-align: bottom; }
#calls th, #calls td { white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
#matrix { width: auto; }
#matrix th[scope=row] { position: sticky; left: 0; z-index: 1; background: var(--bg); font-weight: 400; min-width: 8rem; max-width: 14rem; overflow-wrap: break-word; }
#matrix thead th:first-child { left: 0; z-index: 3; background: var(--card); }
#matrix.many thead th:not(:first-child) { writing-mode: vertical-rl; max-height: 14rem; overflow: hidden; padding: .55rem .25rem; }
#matrix.many td { white-space: normal; text-align: center; padding: .25rem; font-size: .8rem; line-height: 1.2; }
#matrix td { white-space: nowrap; border-left: 1px solid var(--line); color: var(--muted); }
#matrix td.r { background: var(--read); color: var(--read-fg); }
#matrix td.w { background: var(--write); color: var(--write-fg); }
#matrix td.o { background: var(--over); color: var(--over-fg); box-shadow: inset 0 0 0 2px var(--over-line); font-weight: 700; }
#matrix td.u { background: var(--under); color: var(--under-fg); box-shadow: inset 0 0 0 2px var(--under-line); font-weight: 700; }
#matrix td.i { background: var(--unknown); color: var(--unknown-fg); box-shadow: inset 0 0 0 2px var(--unknown-line); }
#matrix td.a { box-shadow: inset 0 0 0 2px var(--accepted-line); }
#matrix td.c { box-shadow: inset 0 0 0 1px var(--read-fg); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .9rem; margin: .4rem 0; padding: 0; list-style: none; }
footer { padding-bottom: 2rem; }
@media (max-width: 30rem) { html { scroll-padding-top: 0; } header, main, footer { padding: 0 .6rem; } #filter { position: static; } .verdict { font-size: 1.3rem; } #matrix th[scope=row] { max-width: 9rem; } }
@media print { :root { color-scheme: light; } #filter, #calls-section, button { display: none !important; } .scroll, .scroll.tall { overflow: visible; max-height: none; border: 0; }
  html { font-size: 11px; } thead th, #matrix th[scope=row] { position: static; } * { print-color-adjust: exact; } tr { break-inside: avoid; } }
`;
