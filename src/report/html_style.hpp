// SPDX-License-Identifier: Apache-2.0
// The style of the HTML report, inlined so that the page stands alone. Status colours keep a
// contrast of at least 4.5 to 1 on both grounds; the words carry the meaning without them.
#pragma once

#include <string_view>

namespace gpuvet::report {

inline constexpr std::string_view html_style = R"css(
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --soft: #57606a; --line: #d5d9de;
  --pass: #11652f; --warn: #7d4e00; --fail: #b3161d; --none: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1d2127; --ink: #e8eaed; --soft: #a4acb6; --line: #39404a;
    --pass: #6fd08c; --warn: #e9b949; --fail: #ff8f8a; --none: #a4acb6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; color: var(--soft); font-weight: 600; }
h4 { font-size: 1rem; margin: 0; }
p, ul, dl { margin: .4rem 0; }
ul { padding-left: 1.3rem; }
code { font: .875em ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.soft, .soft code { color: var(--soft); }
header { border-left: .5rem solid var(--tone); background: var(--panel); padding: 1rem 1.25rem; }
header .server { font-size: 1.05rem; margin: .25rem 0; }
.pass, .fit { --tone: var(--pass); }
.warn, .uncertain, .inconclusive { --tone: var(--warn); }
.fail, .error, .unfit { --tone: var(--fail); }
.no_evidence, .not_applicable { --tone: var(--none); }
.badge {
  display: inline-block; padding: 0 .5rem; border: 1px solid var(--tone); border-radius: .25rem;
  color: var(--tone); font-size: .8125rem; font-weight: 600; white-space: nowrap;
}
.finding { border-left: .25rem solid var(--tone); padding: .1rem 0 .1rem .9rem; margin: 1rem 0; }
summary { cursor: pointer; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
dd ul { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; overflow-wrap: normal; }
td { min-width: 4.5rem; }
td:first-child { min-width: 7.5rem; }
footer { margin-top: 3rem; color: var(--soft); font-size: .875rem; }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; }
}
@media print {
  :root { --ground: #fff; --panel: #fff; --ink: #000; --soft: #333; --line: #999; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .finding, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
}
)css";

}  // namespace gpuvet::report
