// SPDX-License-Identifier: GPL-2.0-or-later
// The look of a report.
#pragma once

namespace dyetrace::report {

inline constexpr const char* report_style = R"css(
:root { --ink: #1f2933; --soft: #5f6c7b; --line: #e1e6eb; --truth: #7b3f98; --sick: #b93c00; --well: #00795a; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f6f8; color: var(--ink);
       font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
header { background: #12344d; color: #fff; padding: 1.1rem 0; }
header > * { display: block; max-width: 62rem; margin: 0 auto; padding: 0 1.5rem; }
header span { letter-spacing: .12em; text-transform: uppercase; font-size: .75rem; color: #9fc3dc; }
h1 { font-size: 1.45rem; font-weight: 600; }
main { max-width: 62rem; margin: 1.2rem auto 3rem; padding: 0 1.5rem; }
h2 { font-size: 1.05rem; margin: 0 0 .8rem; }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 1.1rem 1.3rem; margin: 1rem 0; }
.verdict { background: #fff; border: 1px solid var(--line); border-left: 5px solid; border-radius: 8px;
           padding: .8rem 1.2rem; margin: .6rem 0; font-size: 1.05rem; }
.verdict.sick { border-left-color: var(--sick); } .verdict.well { border-left-color: var(--well); }
.badge { font-size: .75rem; border-radius: 1rem; padding: .15rem .65rem; margin-left: .4rem; white-space: nowrap; }
.badge.good { background: #dff3ec; color: var(--well); } .badge.bad { background: #fbe5dc; color: var(--sick); }
.badge.neutral { background: #e9edf1; color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; }
.card { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.card b { display: block; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: .8rem; }
.timeline { list-style: none; margin: 0; padding: 0; border-left: 2px solid var(--line); }
.timeline li { display: grid; grid-template-columns: 7rem 6.2rem 1fr; padding: .22rem 0 .22rem 1rem; position: relative; }
.timeline li::before { content: ""; position: absolute; left: -6px; top: .72rem; width: 10px; height: 10px;
                       border-radius: 50%; background: #8aa0b3; border: 2px solid #fff; }
.timeline time { color: var(--soft); font-variant-numeric: tabular-nums; }
.timeline em { font-style: normal; color: var(--soft); }
.timeline .truth { color: var(--truth); } .timeline .truth em { color: var(--truth); font-weight: 600; }
.timeline .truth::before { background: var(--truth); } .timeline .confirmed::before { background: #009e73; }
.timeline .detection::before, .timeline .evidence::before { background: #e69f00; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .32rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); }
.marked td { background: #fdf1ea; font-weight: 600; } td:first-child { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; } td.number { white-space: nowrap; }
.long td { overflow-wrap: anywhere; } .long td:first-child { width: 12rem; }
td.truth, th.truth, p.truth { color: var(--truth); } td.truth, th.truth { background: #faf6fc; }
.note { color: var(--soft); font-size: .82rem; margin: .7rem 0 0; }
figure { margin: 0 0 1.4rem; } figcaption { font-weight: 600; font-size: .92rem; margin-bottom: .2rem; } figure svg { width: 100%; height: auto; display: block; }
details { margin-top: .8rem; } summary { cursor: pointer; color: #12648f; }
pre { background: #f4f6f8; padding: .9rem; border-radius: 6px; overflow-x: auto; font-size: .82rem; }
@media print { body { background: #fff; } section, .verdict, .card { break-inside: avoid; } }
)css";

}  // namespace dyetrace::report
