#include "cli/int8_layers.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/value_range.h"
#include "graph/error.h"
#include "graph/format.h"
#include "model/packed_weights.h"

namespace flowqat::cli {
namespace {

using graph::format;
using graph::Json;
using model::Grid;

constexpr size_t shown_channels = 3, shown_weights = 10;

/// {"scale", "zero_point"}, of one channel or of several; a missing scale is in `scales`.
Grid grid_of(const nlohmann::json& state, model::GridEnds ends, const std::vector<double>& scales) {
  Grid grid{.scale = scales, .zero_point = {}, .lowest = ends.lowest, .highest = ends.highest};
  if (state.contains("scale")) grid.scale = {state.at("scale").get<double>()};
  const nlohmann::json& zero_point = state.at("zero_point");
  if (zero_point.is_array()) {
    grid.zero_point = zero_point.get<std::vector<int64_t>>();
  } else {
    grid.zero_point.assign(grid.scale.size(), zero_point.get<int64_t>());
  }
  return grid;
}

template <class Number>
std::vector<Number> numbers(const model::Tensor& tensor) {
  std::vector<Number> values(tensor.bytes.size() / sizeof(Number));
  std::memcpy(values.data(), tensor.bytes.data(), values.size() * sizeof(Number));
  return values;
}

Int8Layer layer_of(const std::string& name, const nlohmann::json& state,
                   const std::map<std::string, const model::Tensor*>& tensors) {
  const model::Tensor& weight = *tensors.at(name + ".weight");
  std::vector<double> scales;
  if (const auto found = tensors.find(name + ".weight_scale"); found != tensors.end()) {
    for (const float scale : numbers<float>(*found->second)) scales.push_back(scale);
  }
  const model::LayerChoice choice = model::choice_from_json(state.at("scheme"), name);
  if (!choice) throw graph::RunError(name + ": has no scheme");
  const int bits = choice->weight_bits;
  const auto shape = model::are_packed(bits)
                         ? state.at("weight").at("shape").get<std::vector<int64_t>>()
                         : weight.shape;
  const model::GridEnds activations = model::activation_grid(choice->activation_bits);
  Int8Layer layer{.layer = name,
                  .choice = choice,
                  .input = grid_of(state.at("input"), activations, {}),
                  .weight = grid_of(state.at("weight"), model::weight_grid(bits), scales),
                  .output = grid_of(state.at("output"), activations, {}),
                  .shape = shape,
                  .weights = model::stored_weight(weight, shape, bits)};
  const size_t channels = layer.weight.scale.size();
  if (shape.empty() || shape[0] == 0 || layer.weight.zero_point.size() != channels ||
      (channels != 1 && channels != static_cast<size_t>(shape[0]))) {
    throw graph::RunError(name + ": weight, scales and zero points do not fit one another");
  }
  return layer;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

std::string activation_line(const char* name, const Grid& grid) {
  const auto [low, high] = ends(grid);
  return format("  %-7s scale %.6g, zero point %lld: %lld to %lld stand for %.4g to %.4g\n", name,
                grid.scale[0], static_cast<long long>(grid.zero_point[0]),
                static_cast<long long>(grid.lowest), static_cast<long long>(grid.highest), low,
                high);
}

std::string weight_lines(const Int8Layer& layer) {
  const auto [smallest, largest] =
      std::minmax_element(layer.weight.scale.begin(), layer.weight.scale.end());
  std::string text = "  weight  " + shape_text(layer.shape) + " integers; ";
  text += layer.weight.scale.size() == 1
              ? format("scale %.6g\n", layer.weight.scale[0])
              : format("a scale a channel, %.4g to %.4g\n", *smallest, *largest);
  const auto per_channel = static_cast<size_t>(layer.weights_per_channel());
  for (size_t channel = 0; channel < shown_channels; ++channel) {
    if (channel >= static_cast<size_t>(layer.shape[0])) break;
    const size_t grid = layer.weight.scale.size() > 1 ? channel : 0;
    const double scale = layer.weight.scale[grid];
    std::string integers, values;
    for (size_t i = 0; i < std::min(per_channel, shown_weights); ++i) {
      const int q = layer.weights[channel * per_channel + i];
      integers += format("%8d", q);
      values += format("%8.4f", static_cast<double>(q - layer.weight.zero_point[grid]) * scale);
    }
    const char* const more = per_channel > shown_weights ? " ..." : "";
    text += format("    channel %-3zu", channel) + integers + more +
            format("\n    x %-9.4g", scale) + values + more + "\n";
  }
  return text;
}

}  // namespace

int64_t Int8Layer::weights_per_channel() const { return std::ssize(weights) / shape.at(0); }

model::ValueHistogram Int8Layer::histogram() const {
  model::ValueHistogram histogram{.low = -128.5, .width = 1, .counts = std::vector<int64_t>(256)};
  for (const int8_t weight : weights) ++histogram.counts[static_cast<size_t>(weight + 128)];
  return histogram;
}

std::vector<Int8Layer> int8_layers(const nodes::ModelFiles& files,
                                   const std::vector<std::string>& names) {
  std::map<std::string, const model::Tensor*> tensors;
  for (const model::Tensor& tensor : files.tensors) tensors[tensor.name] = &tensor;
  std::vector<Int8Layer> layers;
  try {
    for (const std::string& name : names) {
      layers.push_back(layer_of(name, files.quantization.at("layers").at(name), tensors));
    }
  } catch (const nlohmann::json::exception& error) {
    throw graph::RunError(files.quantization_file.string() + ": " + error.what());
  } catch (const std::out_of_range&) {
    throw graph::RunError(files.quantization_file.string() +
                          ": names a layer whose weight is not in the folder");
  }
  return layers;
}

Json as_json(const std::vector<Int8Layer>& layers) {
  Json json = Json::array();
  for (const Int8Layer& layer : layers) {
    const model::ValueHistogram histogram = layer.histogram();
    Json excerpt = Json::array();
    const auto per_channel = layer.weights_per_channel();
    for (int64_t channel = 0; channel < std::min<int64_t>(shown_channels, layer.shape[0]);
         ++channel) {
      const auto first = layer.weights.begin() + channel * per_channel;
      excerpt.push_back(
          std::vector<int>(first, first + std::min<int64_t>(per_channel, shown_weights)));
    }
    json.push_back({{"layer", layer.layer},
                    {"choice", Json(model::choice_to_json(layer.choice))},
                    {"input", as_json(layer.input)},
                    {"weight", as_json(layer.weight)},
                    {"output", as_json(layer.output)},
                    {"shape", layer.shape},
                    {"excerpt", excerpt},
                    {"counts", histogram.counts}});
  }
  return json;
}

std::string as_text(const std::vector<Int8Layer>& layers) {
  std::string text;
  for (const Int8Layer& layer : layers) {
    text += layer.layer + " (" + describe(layer.choice) + ")\n" +
            activation_line("input", layer.input) + activation_line("output", layer.output) +
            weight_lines(layer);
  }
  return text;
}

std::vector<PictureRow> as_picture(const std::vector<Int8Layer>& layers) {
  std::vector<PictureRow> rows;
  for (const Int8Layer& layer : layers) {
    rows.push_back({.title = layer.layer + " (" + describe(layer.choice) + ")",
                    .panels = {{.title = "weight",
                                .note = shape_text(layer.shape) + " integers",
                                .histogram = layer.histogram(),
                                .grid = {},
                                .most = {}}}});
  }
  return rows;
}

}  // namespace flowqat::cli
