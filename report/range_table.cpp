#include "report/range_table.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "report/chart.h"
#include "report/html.h"

namespace flowqat::report {
namespace {

constexpr size_t shown_at_once = 12;

std::string range_text(double lower, double upper) {
  return graph::format("%.3g to %.3g", lower, upper);
}

/// Every layer's name begins so.
std::string short_name(const std::string& layer) {
  const std::string prefix = "wav2vec2.";
  return layer.starts_with(prefix) ? layer.substr(prefix.size()) : layer;
}

std::string row(const RangeFigures& range) {
  return "<tr><td>" + escape_html(short_name(range.layer)) + "</td><td>" +
         escape_html(range.tensor) + "</td><td>" + draw_band(range.lower, range.upper) +
         "</td><td>" + range_text(range.lower.first(), range.upper.first()) + "</td><td>" +
         range_text(range.lower.last(), range.upper.last()) +
         graph::format("</td><td>%+.1f %%</td></tr>\n", 100 * (range.change() - 1));
}

std::string table(const std::vector<const RangeFigures*>& ranges, size_t begin, size_t end) {
  std::string text =
      "<div class=\"wide\"><table class=\"ranges\"><tr><th>layer</th><th>of</th><th>over time</th>"
      "<th>first</th><th>last</th><th>width</th></tr>\n";
  for (size_t i = begin; i < end; ++i) text += row(*ranges[i]);
  return text + "</table></div>\n";
}

}  // namespace

std::string range_table(const std::deque<RangeFigures>& ranges) {
  if (ranges.empty()) return "";
  // Of one train node after another: of the last one that has any.
  std::vector<const RangeFigures*> sorted;
  for (const RangeFigures& range : ranges) {
    if (range.node == ranges.back().node) sorted.push_back(&range);
  }
  const auto moved = [](const RangeFigures* range) { return std::abs(std::log(range->change())); };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const auto* left, const auto* right) { return moved(left) > moved(right); });
  const size_t first = std::min(shown_at_once, sorted.size());
  std::string text = "<p>The numbers that each quantizer's grid reaches from and to while " +
                     escape_html(ranges.back().node) +
                     " trains; of weights with a grid for each channel the widest. Those whose "
                     "width changed most come first.</p>\n" +
                     table(sorted, 0, first);
  if (sorted.size() > first) {
    text += "<details><summary>" +
            graph::counted(std::ssize(sorted) - static_cast<int64_t>(first), "more quantizer") +
            "</summary>\n" + table(sorted, first, sorted.size()) + "</details>\n";
  }
  return text;
}

}  // namespace flowqat::report
