#include "cli/range_picture.h"

#include <algorithm>
#include <cmath>

#include "cli/value_range.h"
#include "graph/format.h"
#include "report/html.h"

namespace flowqat::cli {
namespace {

using graph::format;

// Okabe and Ito's colours: blue for values, orange for the grid. Viewers without media queries see
// the light ones.
constexpr const char* style = R"(<style>
text { font: 11px system-ui, sans-serif; fill: #222; } .title { font-weight: 600; font-size: 12px; }
.paper { fill: #fff; } .values { fill: #0072b2; } .grid { fill: #d55e00; } .reach { fill: #e69f00; opacity: .16; }
.line { stroke: #888; stroke-opacity: .35; } .end { stroke: #d55e00; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; } .paper { fill: #15181c; } .values { fill: #56b4e9; } .reach { opacity: .2; }
}
</style>
)";

constexpr size_t most_bars = 128;
constexpr double column = 290, margin = 14, panel_left = 30, panel_width = 246, panel_height = 120;
constexpr double legend_height = 34, row_height = 222;

std::string rectangle(const char* kind, double x, double y, double width, double height) {
  return format("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", kind,
                x, y, std::max(width, 0.0), height);
}

std::string line(const char* kind, double x1, double y1, double x2, double y2) {
  return format("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kind, x1,
                y1, x2, y2);
}

std::string words(double x, double y, const std::string& text, const char* more = "") {
  return format("<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, more) + report::escape_html(text) +
         "</text>\n";
}

/// One panel, its axes' top left corner at (left, top).
class Drawing {
 public:
  Drawing(const Panel& panel, double left, double top)
      : panel_(panel), bars_(merged(panel.histogram, most_bars)), left_(left), top_(top) {
    low_ = bars_.low;
    high_ = bars_.low + bars_.width * static_cast<double>(bars_.counts.size());
    if (panel.grid) {
      low_ = std::min(low_, panel.grid->first);
      high_ = std::max(high_, panel.grid->second);
    }
    const double edge = 0.02 * (high_ - low_);
    low_ -= edge;
    high_ += edge;
    for (const int64_t count : bars_.counts) {
      powers_ = std::max(powers_, std::ceil(std::log10(static_cast<double>(count + 1))));
    }
  }

  std::string draw() const {
    std::string text = words(left_, top_ - 22, panel_.title, " class=\"title\"");
    if (bars_.counts.empty()) return text + words(left_, top_ + 20, "nothing to draw");
    text += words(left_, top_ - 7, panel_.note);
    if (panel_.grid) {
      const auto [from, to] = *panel_.grid;
      text += rectangle("reach", x(from), top_, x(to) - x(from), panel_height);
    }
    text += count_axis() + histogram() + value_axis();
    if (panel_.grid) {
      const auto [from, to] = *panel_.grid;
      for (const double end : {from, to}) {
        text += line("end", x(end), top_, x(end), top_ + panel_height);
      }
      text += rectangle("grid", x(from), bottom() + 30, x(to) - x(from), 4);
    }
    if (!panel_.most) return text;
    const auto [from, to] = *panel_.most;
    return text + rectangle("values", x(from), bottom() + 23, std::max(1.0, x(to) - x(from)), 4);
  }

 private:
  double bottom() const { return top_ + panel_height; }
  double x(double value) const { return left_ + (value - low_) / (high_ - low_) * panel_width; }
  /// A single value has a third of a power's height.
  double y(double count) const {
    const double floor = -1.0 / 3;
    return bottom() - (std::log10(count) - floor) / (powers_ - floor) * panel_height;
  }

  std::string count_axis() const {
    std::string text;
    const int apart = powers_ > 4 ? 2 : 1;
    for (int power = 0; power <= static_cast<int>(powers_); power += apart) {
      const double at = y(std::pow(10.0, power));
      text += line("line", left_, at, left_ + panel_width, at);
      text += words(left_ - 4, at + 4,
                    power < 4 ? format("%.0f", std::pow(10.0, power)) : format("1e%d", power),
                    " text-anchor=\"end\"");
    }
    return text;
  }

  std::string histogram() const {
    std::string path = format("M%.1f %.1f", x(bars_.low), bottom());
    for (size_t bar = 0; bar < bars_.counts.size(); ++bar) {
      const auto count = static_cast<double>(bars_.counts[bar]);
      path += format("V%.1fH%.1f", count > 0 ? y(count) : bottom(),
                     x(bars_.low + bars_.width * static_cast<double>(bar + 1)));
    }
    return "<path class=\"values\" d=\"" + path + format("V%.1fZ\"/>\n", bottom());
  }

  std::string value_axis() const {
    std::string text = line("line", left_, bottom(), left_ + panel_width, bottom());
    const double apart = report::round_up((high_ - low_) / 5);
    for (double tick = std::ceil(low_ / apart); tick * apart <= high_; ++tick) {
      text += line("line", x(tick * apart), bottom(), x(tick * apart), bottom() + 4);
      text += words(x(tick * apart), bottom() + 16, format("%.4g", tick == 0 ? 0.0 : tick * apart),
                    " text-anchor=\"middle\"");
    }
    return text;
  }

  const Panel& panel_;
  model::ValueHistogram bars_;
  double left_, top_, low_ = 0, high_ = 0;
  double powers_ = 1;  ///< of ten, on the axis of counts
};

}  // namespace

std::string range_picture(const std::vector<PictureRow>& rows) {
  const double width = 3 * column + 2 * margin;
  const double height = legend_height + row_height * static_cast<double>(rows.size()) + margin;
  std::string text =
      format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n",
             width, height);
  text += style + rectangle("paper", 0, 0, width, height);
  text += rectangle("values", margin, 15, 20, 4) +
          words(margin + 26, 21,
                "values, their number on a logarithmic axis, and where all but 2 in 1,000 lie");
  text += rectangle("grid", 500, 15, 20, 4) +
          words(526, 21, "what the 8-bit grid can stand for; beyond it values are clipped");
  double top = legend_height;
  for (const PictureRow& row : rows) {
    text += words(margin, top + 18, row.title, " class=\"title\"");
    double left = margin + panel_left;
    for (const Panel& panel : row.panels) {
      text += Drawing(panel, left, top + 62).draw();
      left += column;
    }
    top += row_height;
  }
  return text + "</svg>\n";
}

}  // namespace flowqat::cli
