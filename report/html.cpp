#include "report/html.h"

#include <algorithm>
#include <cmath>

namespace flowqat::report {
namespace {

constexpr const char* style = R"(<style>
:root { color-scheme: light dark; --line: #8884; --mark: #e69f0033; --bar: #0072b2; --quiet: #666; --hover: #8882;
  --c0: #0072b2; --c1: #c26a00; --c2: #00825f; --c3: #b0518d; --c4: #666; --c5: #8a6d00; --gone: #b3261e; --come: #00825f; }
@media (prefers-color-scheme: dark) { :root { --bar: #56b4e9; --quiet: #aaa;
  --c0: #56b4e9; --c1: #e69f00; --c2: #2fbf97; --c3: #e08fc0; --c4: #bbb; --c5: #f0e442; --gone: #ff8a80; --come: #2fbf97; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; overflow-wrap: anywhere; } h2 { font-size: 1.1em; margin-top: 2em; } h3 { font-size: 1em; margin: 1.5em 0 .5em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; white-space: nowrap; padding: .3em .6em; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { white-space: normal; font-weight: 600; vertical-align: bottom; }
.wide { overflow-x: auto; }
.bottleneck { background: var(--mark); }
.bar { display: inline-block; height: .7em; background: #0072b2; }
table.words td, table.words th { text-align: left; white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
table.words td:first-child { width: 16em; }
table.names td:first-child { width: 62%; }
table.ranges { font-size: .85em; } table.ranges th, table.ranges td { padding: .2em .5em; }
.quiet { color: var(--quiet); font-weight: normal; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
svg rect { fill: var(--bar); }
.grid { stroke: var(--line); } .mark { stroke: #d55e00; stroke-dasharray: 4 3; }
.legend span { margin-right: 1.2em; white-space: nowrap; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 1em 1.5em; }
figure { margin: 0; } figcaption { font-weight: 600; } figure .legend { margin: 0; font-size: .87em; }
.chart polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; } .chart polygon { opacity: .25; }
.chart .hover { fill: transparent; } .chart .hover:hover { fill: var(--hover); }
.c0 { stroke: var(--c0); fill: var(--c0); background: var(--c0); } .c1 { stroke: var(--c1); fill: var(--c1); background: var(--c1); }
.c2 { stroke: var(--c2); fill: var(--c2); background: var(--c2); } .c3 { stroke: var(--c3); fill: var(--c3); background: var(--c3); }
.c4 { stroke: var(--c4); fill: var(--c4); background: var(--c4); } .c5 { stroke: var(--c5); fill: var(--c5); background: var(--c5); }
.chart g polygon { stroke: none; }
.band { width: 7.5em; height: 1.6em; vertical-align: middle; } .band polygon { fill: var(--bar); opacity: .6; }
.figures { display: flex; flex-wrap: wrap; gap: .6em 2.2em; margin: 1em 0; } .figures div { display: flex; flex-direction: column-reverse; }
.figures dd { margin: 0; font-size: 1.35em; font-variant-numeric: tabular-nums; } .figures dt { color: var(--quiet); font-size: .87em; }
.utterance { margin: .4em 0 1em; overflow-wrap: anywhere; }
del { color: var(--gone); } ins { color: var(--come); text-decoration-thickness: 2px; }
details > summary { cursor: pointer; } pre { overflow-x: auto; font-size: .87em; }
</style>
)";

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_head(const std::string& title, int refresh_s) {
  std::string text =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      // A browser holds the page to needing nothing but itself.
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  if (refresh_s > 0) {
    text += "<meta http-equiv=\"refresh\" content=\"" + std::to_string(refresh_s) + "\">\n";
  }
  return text + "<title>" + escape_html(title) + "</title>\n" + style + "</head><body>\n<h1>" +
         escape_html(title) + "</h1>\n";
}

std::string html_end() { return "</body></html>\n"; }

double round_up(double value) {
  const double power = std::pow(10.0, std::floor(std::log10(std::max(value, 1e-9))));
  for (const double step : {1.0, 2.0, 2.5, 5.0}) {
    if (step * power >= value) return step * power;
  }
  return 10 * power;
}

}  // namespace flowqat::report
