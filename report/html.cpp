#include "report/html.h"

#include <algorithm>
#include <cmath>

namespace flowqat::report {
namespace {

constexpr const char* style = R"(<style>
:root { color-scheme: light dark; --line: #8884; --mark: #e69f0033; --bar: #0072b2; --quiet: #666; }
@media (prefers-color-scheme: dark) { :root { --bar: #56b4e9; --quiet: #aaa; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; overflow-wrap: anywhere; } h2 { font-size: 1.1em; margin-top: 2em; } h3 { font-size: 1em; margin: 1.5em 0 .5em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; white-space: nowrap; padding: .3em .6em; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { white-space: normal; font-weight: 600; vertical-align: bottom; }
.bottleneck { background: var(--mark); }
.bar { display: inline-block; height: .7em; background: #0072b2; }
table.words td, table.words th { text-align: left; white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
table.words td:first-child { width: 16em; }
table.names td:first-child { width: 62%; }
.quiet { color: var(--quiet); }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
svg rect { fill: var(--bar); }
.grid { stroke: var(--line); } .mark { stroke: #d55e00; stroke-dasharray: 4 3; }
.legend span { margin-right: 1.2em; white-space: nowrap; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
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

std::string html_head(const std::string& title) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>" +
         escape_html(title) + "</title>\n" + style + "</head><body>\n<h1>" + escape_html(title) +
         "</h1>\n";
}

double round_up(double value) {
  const double power = std::pow(10.0, std::floor(std::log10(std::max(value, 1e-9))));
  for (const double step : {1.0, 2.0, 2.5, 5.0}) {
    if (step * power >= value) return step * power;
  }
  return 10 * power;
}

}  // namespace flowqat::report
