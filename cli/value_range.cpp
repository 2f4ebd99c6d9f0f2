#include "cli/value_range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

namespace flowqat::cli {
namespace {

using graph::Json;
using model::Grid;
using model::ValueHistogram;
using model::ValueRange;

constexpr double kFew = 0.001;  ///< the share of values on either side of "most"

}  // namespace

ValueHistogram merged(const ValueHistogram& histogram, size_t most_bins) {
  size_t together = 1;
  while (histogram.counts.size() > most_bins * together) together *= 2;
  ValueHistogram result{
      .low = histogram.low, .width = histogram.width * static_cast<double>(together), .counts = {}};
  for (size_t begin = 0; begin < histogram.counts.size(); begin += together) {
    const auto first = histogram.counts.begin() + static_cast<int64_t>(begin);
    const size_t size = std::min(together, histogram.counts.size() - begin);
    result.counts.push_back(std::accumulate(first, first + static_cast<int64_t>(size), int64_t{0}));
  }
  return result;
}

double quantile(const ValueRange& range, double share) {
  const ValueHistogram& histogram = range.histogram;
  const auto all = std::accumulate(histogram.counts.begin(), histogram.counts.end(), int64_t{0});
  double left = share * static_cast<double>(all);
  double edge = histogram.low;
  for (const int64_t count : histogram.counts) {
    const auto here = static_cast<double>(count);
    if (here > 0 && left <= here) {
      return std::clamp(edge + histogram.width * left / here, range.min, range.max);
    }
    left -= here;
    edge += histogram.width;
  }
  return range.max;
}

std::pair<double, double> ends(const Grid& grid) {
  double low = 0, high = 0;
  for (size_t i = 0; i < grid.scale.size(); ++i) {
    low = std::min(low, static_cast<double>(grid.lowest - grid.zero_point[i]) * grid.scale[i]);
    high = std::max(high, static_cast<double>(grid.highest - grid.zero_point[i]) * grid.scale[i]);
  }
  return {low, high};
}

double step(const Grid& grid) {
  std::vector<double> scales = grid.scale;
  const auto middle = scales.begin() + std::ssize(scales) / 2;
  std::nth_element(scales.begin(), middle, scales.end());
  return *middle;
}

double steps_for_half(const ValueRange& range) {
  if (!range.grid) return 0;
  return (quantile(range, 0.75) - quantile(range, 0.25)) / step(*range.grid);
}

double signal_to_noise_db(const ValueRange& range) {
  if (range.noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(range.power / range.noise);
}

std::string describe(const model::LayerChoice& choice) {
  if (!choice) return "none";
  for (const std::string& name : model::preset_names()) {
    if (model::preset(name) == *choice) return name;
  }
  const Json fields = Json(model::choice_to_json(choice));
  std::string text = fields.at("engine");
  const Json usual = Json(model::choice_to_json(model::preset(text)));
  for (const auto& [name, value] : fields.items()) {
    if (value == usual.at(name)) continue;
    text += ", " + name + " " + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

Json as_json(const Grid& grid) {
  const bool is_one = grid.scale.size() == 1;
  return {{"scale", is_one ? Json(grid.scale.front()) : Json(grid.scale)},
          {"zero_point", is_one ? Json(grid.zero_point.front()) : Json(grid.zero_point)},
          {"lowest", grid.lowest},
          {"highest", grid.highest}};
}

Json as_json(const ValueRange& range) {
  const ValueHistogram histogram = merged(range.histogram, 256);
  Json json = {{"values", range.values},
               {"min", range.min},
               {"p0_1", quantile(range, kFew)},
               {"p25", quantile(range, 0.25)},
               {"p75", quantile(range, 0.75)},
               {"p99_9", quantile(range, 1 - kFew)},
               {"max", range.max},
               {"grid", nullptr}};
  if (range.grid) {
    const double decibels = signal_to_noise_db(range);
    json["grid"] = as_json(*range.grid);
    json["steps_for_half"] = steps_for_half(range);
    json["clipped_share"] = static_cast<double>(range.clipped) /
                            static_cast<double>(std::max<int64_t>(range.values, 1));
    json["snr_db"] = std::isfinite(decibels) ? Json(decibels) : Json();
  }
  json["histogram"] = {
      {"low", histogram.low}, {"width", histogram.width}, {"counts", histogram.counts}};
  return json;
}

}  // namespace flowqat::cli
