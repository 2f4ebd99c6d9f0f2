#include "cli/ranges_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/value_range.h"
#include "graph/format.h"

namespace flowqat::cli {
namespace {

using graph::format;
using model::LayerRanges;
using model::ValueRange;

constexpr std::pair<const char*, ValueRange LayerRanges::*> tensors[] = {
    {"input", &LayerRanges::input},
    {"weight", &LayerRanges::weight},
    {"output", &LayerRanges::output},
};

double clipped_percent(const ValueRange& range) {
  return range.values > 0
             ? 100 * static_cast<double>(range.clipped) / static_cast<double>(range.values)
             : 0;
}

std::string decibels(const ValueRange& range) {
  const double value = signal_to_noise_db(range);
  return std::isfinite(value) ? format("%.1f", value) : "exact";
}

std::string line(const char* name, const ValueRange& range) {
  const std::string values = format("  %-7s%10.4g%10.4g%10.4g%10.4g", name, range.min,
                                    quantile(range, 0.001), quantile(range, 0.999), range.max);
  if (!range.grid) return values + "\n";
  return values + format("%11.3g%7.1f%8.2f%8s\n", step(*range.grid), steps_for_half(range),
                         clipped_percent(range), decibels(range).c_str());
}

}  // namespace

graph::Json as_json(const std::vector<LayerRanges>& layers) {
  graph::Json json = graph::Json::array();
  for (const LayerRanges& layer : layers) {
    graph::Json object = {{"layer", layer.layer},
                          {"choice", graph::Json(model::choice_to_json(layer.choice))}};
    for (const auto& [name, tensor] : tensors) object[name] = as_json(layer.*tensor);
    json.push_back(object);
  }
  return json;
}

std::string as_text(const std::vector<LayerRanges>& layers) {
  std::string text = format("  %-7s%10s%10s%10s%10s%11s%7s%8s%8s\n", "", "min", "p0.1", "p99.9",
                            "max", "step", "steps", "clip %", "SNR dB");
  for (const LayerRanges& layer : layers) {
    text += layer.layer + " (" + (layer.choice ? describe(layer.choice) : "float") + ")\n";
    for (const auto& [name, tensor] : tensors) text += line(name, layer.*tensor);
  }
  return text;
}

std::vector<PictureRow> as_picture(const std::vector<LayerRanges>& layers) {
  std::vector<PictureRow> rows;
  for (const LayerRanges& layer : layers) {
    PictureRow row{
        .title = layer.layer + " (" + (layer.choice ? describe(layer.choice) : "float") + ")",
        .panels = {}};
    for (const auto& [name, tensor] : tensors) {
      const ValueRange& range = layer.*tensor;
      Panel panel{.title = name, .note = {}, .histogram = range.histogram, .grid = {}, .most = {}};
      panel.most = {{quantile(range, 0.001), quantile(range, 0.999)}};
      if (range.grid) {
        panel.grid = ends(*range.grid);
        panel.note = format("%.1f steps for half, %.2f %% clipped, ", steps_for_half(range),
                            clipped_percent(range)) +
                     decibels(range) + (std::isfinite(signal_to_noise_db(range)) ? " dB" : "");
      }
      row.panels.push_back(std::move(panel));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace flowqat::cli
