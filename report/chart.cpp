#include "report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "report/html.h"

namespace flowqat::report {
namespace {

using graph::format;

constexpr double width = 430, height = 150, left = 50, right = 10, top = 8, bottom = 22;
constexpr double most_hovers = 110, log_from = 30;

/// From numbers to places in the picture.
struct Axis {
  double low = 0, high = 1;
  bool is_log = false;
  std::vector<double> ticks = {};

  double share(double value) const {
    if (is_log) return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
};

/// Round numbers inside of `low` and `high`, about `count` of them.
std::vector<double> round_ticks(double low, double high, int count) {
  const double step = round_up((high - low) / count);
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) {
    ticks.push_back(i * step);
  }
  return ticks;
}

Axis x_axis(const Chart& chart) {
  Axis axis{.low = std::numeric_limits<double>::infinity(), .high = 0};
  for (const Curve& curve : chart.curves) {
    if (curve.series->empty()) continue;
    axis.low = std::min(axis.low, curve.series->buckets().front().first_x);
    axis.high = std::max(axis.high, curve.series->buckets().back().last_x);
  }
  if (axis.high <= axis.low) axis.low -= 0.5, axis.high = axis.low + 1;
  for (const double tick : round_ticks(axis.low, axis.high, 4)) {
    if (tick == std::round(tick)) axis.ticks.push_back(tick);
  }
  return axis;
}

Axis y_axis(const Chart& chart) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Curve& curve : chart.curves) {
    for (const Series::Bucket& bucket : curve.series->buckets()) {
      low = std::min(low, chart.factor * bucket.min);
      high = std::max(high, chart.factor * bucket.max);
    }
  }
  Axis axis{.low = low, .high = high};
  if (chart.may_be_log && low > 0 && high > log_from * low) {
    axis.is_log = true;
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10) {
      const bool few = high / low < 1000;
      for (const double step : {1.0, few ? 3.0 : 1.0}) {
        const double tick = power * step;
        if (tick >= low && tick <= high && (axis.ticks.empty() || tick > axis.ticks.back())) {
          axis.ticks.push_back(tick);
        }
      }
    }
    return axis;
  }
  if (chart.from_zero && low >= 0) axis.low = 0;
  if (axis.high <= axis.low) {
    axis.high = axis.low == 0 ? 1 : axis.low + std::abs(axis.low) / 10;
  }
  axis.ticks = round_ticks(axis.low, axis.high, 4);
  // The uppermost line is one of the grid.
  const double step = axis.ticks.size() > 1 ? axis.ticks[1] - axis.ticks[0] : 0;
  if (step > 0 && axis.ticks.back() < axis.high - 1e-9 * step) {
    axis.ticks.push_back(axis.ticks.back() + step);
    axis.high = axis.ticks.back();
  }
  return axis;
}

struct Place {
  const Axis &x_axis, &y_axis;
  double factor;
  double x(double value) const { return left + x_axis.share(value) * (width - left - right); }
  double y(double value) const { return top + (1 - y_axis.share(factor * value)) * height; }
};

std::string grid(const Axis& x_axis, const Axis& y_axis, const Place& place) {
  std::string text;
  for (const double tick : y_axis.ticks) {
    const double y = place.y(tick / place.factor);
    text += format("<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>", left,
                   width - right, y, y) +
            format("<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">", left - 6, y + 4) +
            short_number(tick) + "</text>\n";
  }
  for (const double tick : x_axis.ticks) {
    const double x = place.x(tick);
    text += format("<text x=\"%.1f\" y=\"%g\" text-anchor=\"%s\">", x, top + height + 16,
                   x > width - 25 ? "end" : "middle") +
            short_number(tick) + "</text>\n";
  }
  return text;
}

std::string curve_lines(const Curve& curve, size_t number, bool with_points, const Place& place) {
  std::string means, upper, lower, marks;
  for (const Series::Bucket& bucket : curve.series->buckets()) {
    const double x = place.x(bucket.x());
    means += format("%.1f,%.1f ", x, place.y(bucket.mean()));
    upper += format("%.1f,%.1f ", x, place.y(bucket.max));
    lower = format("%.1f,%.1f ", x, place.y(bucket.min)) + lower;
    if (with_points || curve.series->buckets().size() == 1) {
      marks += format("<circle r=\"3\" cx=\"%.1f\" cy=\"%.1f\"/>", x, place.y(bucket.mean()));
    }
  }
  std::string text = format("<g class=\"c%zu\">", number % 6);
  if (curve.series->points_each() > 1) text += "<polygon points=\"" + upper + lower + "\"/>";
  return text + "<polyline points=\"" + means + "\"/>" + marks + "</g>\n";
}

/// Columns that cannot be seen, with what stands there.
std::string hovers(const Chart& chart, const Curve& curve, const Place& place) {
  const auto& buckets = curve.series->buckets();
  const size_t stride =
      static_cast<size_t>(std::ceil(static_cast<double>(buckets.size()) / most_hovers));
  std::string text;
  for (size_t begin = 0; begin < buckets.size(); begin += stride) {
    const size_t end = std::min(begin + stride, buckets.size());
    double min = buckets[begin].min, max = buckets[begin].max, sum = 0;
    int64_t points = 0;
    for (size_t i = begin; i < end; ++i) {
      min = std::min(min, buckets[i].min);
      max = std::max(max, buckets[i].max);
      sum += buckets[i].sum;
      points += buckets[i].points;
    }
    const double first = buckets[begin].first_x, last = buckets[end - 1].last_x;
    const double from = begin == 0 ? left : place.x((buckets[begin - 1].last_x + first) / 2);
    const double to =
        end == buckets.size() ? place.x(last) + 4 : place.x((last + buckets[end].first_x) / 2);
    const auto value = [&](double number) {
      return short_number(chart.factor * number) + (chart.unit.empty() ? "" : " " + chart.unit);
    };
    std::string title = (chart.curves.size() > 1 ? curve.name + ", " : "") + "step " +
                        short_number(first) + (last > first ? " to " + short_number(last) : "") +
                        ": " + value(sum / static_cast<double>(points));
    if (points > 1) title += " (" + value(min) + " to " + value(max) + ")";
    text += format("<rect class=\"hover\" x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"%g\"><title>",
                   from, top, std::max(1.0, to - from), height) +
            escape_html(title) + "</title></rect>\n";
  }
  return text;
}

}  // namespace

std::string short_number(double value) {
  const double size = std::abs(value);
  if (size < 1e15 && value == std::round(value)) {
    return graph::whole_text(static_cast<int64_t>(value));
  }
  if (size >= 1000 && size < 1e15) return graph::whole_text(std::llround(value));
  if (size >= 1e-3) return format("%.3g", value);
  // "2.5e-4"
  const double power = std::floor(std::log10(size) + 1e-9);
  return format("%.3g", value / std::pow(10, power)) + format("e%.0f", power);
}

std::string draw(const Chart& chart) {
  int64_t each = 1;
  bool has_points = false;
  for (const Curve& curve : chart.curves) {
    has_points = has_points || !curve.series->empty();
    each = std::max(each, curve.series->points_each());
  }
  if (!has_points) return "";
  const Axis x = x_axis(chart), y = y_axis(chart);
  const Place place{x, y, chart.factor};
  std::string title = escape_html(chart.title);
  std::string notes = chart.unit;
  if (y.is_log) notes += std::string(notes.empty() ? "" : ", ") + "logarithmic";
  if (each > 1) {
    notes += std::string(notes.empty() ? "" : ", ") + "mean and range of " +
             graph::whole_text(each) + " at a time";
  }
  if (!notes.empty()) title += " <span class=\"quiet\">" + escape_html(notes) + "</span>";
  std::string text = "<figure><figcaption>" + title + "</figcaption>\n";
  if (chart.curves.size() > 1) {
    text += "<p class=\"legend\">";
    for (size_t i = 0; i < chart.curves.size(); ++i) {
      if (chart.curves[i].series->empty()) continue;
      text += format("<span><i class=\"c%zu\"></i>", i % 6) + escape_html(chart.curves[i].name) +
              "</span>";
    }
    text += "</p>\n";
  }
  text += format("<svg class=\"chart\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", width,
                 top + height + bottom) +
          escape_html(chart.title) + "\">\n" + grid(x, y, place);
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    if (!chart.curves[i].series->empty()) {
      text += curve_lines(chart.curves[i], i, chart.points, place);
    }
  }
  for (const Curve& curve : chart.curves) text += hovers(chart, curve, place);
  return text + "</svg></figure>\n";
}

std::string draw_band(const Series& lower, const Series& upper) {
  constexpr double wide = 120, tall = 26;
  double low = 0, high = 0;
  for (const auto& bucket : lower.buckets()) low = std::min(low, bucket.min);
  for (const auto& bucket : upper.buckets()) high = std::max(high, bucket.max);
  if (high <= low) high = low + 1;
  const size_t count = std::min(lower.buckets().size(), upper.buckets().size());
  const auto x = [&](size_t i) {
    return count > 1 ? wide * static_cast<double>(i) / static_cast<double>(count - 1) : 0;
  };
  const auto y = [&](double value) { return 1 + (high - value) / (high - low) * (tall - 2); };
  std::string above, below;
  for (size_t i = 0; i < count; ++i) {
    above += format("%.0f,%.1f ", x(i), y(upper.buckets()[i].mean()));
    below = format("%.0f,%.1f ", x(i), y(lower.buckets()[i].mean())) + below;
  }
  if (count == 1) {
    above += format("%g,%.1f ", wide, y(upper.buckets()[0].mean()));
    below = format("%g,%.1f ", wide, y(lower.buckets()[0].mean())) + below;
  }
  return format("<svg class=\"band\" viewBox=\"0 0 %g %g\" preserveAspectRatio=\"none\">", wide,
                tall) +
         format("<line class=\"grid\" x1=\"0\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>", wide, y(0),
                y(0)) +
         "<polygon points=\"" + above + below + "\"/></svg>";
}

}  // namespace flowqat::report
