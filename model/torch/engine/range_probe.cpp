#include "model/torch/engine/range_probe.h"

#include <ATen/ops/fake_quantize_per_channel_affine_cachemask.h>
#include <ATen/ops/fake_quantize_per_tensor_affine_cachemask.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "model/torch/base/boundary.h"
#include "model/torch/network/batch.h"
#include "model/torch/quantization/layer_json.h"

namespace flowqat::model {
namespace {

template <class Number>
std::vector<Number> numbers(const nlohmann::json& one_or_more) {
  if (one_or_more.is_array()) return one_or_more.get<std::vector<Number>>();
  return {one_or_more.get<Number>()};
}

/// `state` as layer_to_json() gives it.
SeenValues seen_by(const nlohmann::json& state, const char* tensor,
                   const FakeQuantizerOptions& options) {
  const nlohmann::json& quantizer = state.at(tensor);
  if (quantizer.at("min").is_null()) return {};
  return SeenValues({.scale = numbers<double>(quantizer.at("scale")),
                     .zero_point = numbers<int64_t>(quantizer.at("zero_point")),
                     .lowest = options.quant_min,
                     .highest = options.quant_max});
}

}  // namespace

SeenValues::SeenValues(Grid grid) { range_.grid = std::move(grid); }

void SeenValues::add(const at::Tensor& x) {
  const at::Tensor values = x.detach().to(at::kFloat).contiguous();
  estimator_.add(values);
  range_.values += values.numel();
  if (range_.grid) compare(values);
}

void SeenValues::compare(const at::Tensor& x) {
  const Grid& grid = *range_.grid;
  at::Tensor rounded, is_inside;
  if (grid.scale.size() > 1) {
    const auto on_device = [&](const auto& of_channels, at::ScalarType type) {
      return at::tensor(of_channels).to(x.device(), type);
    };
    std::tie(rounded, is_inside) = at::fake_quantize_per_channel_affine_cachemask(
        x, on_device(grid.scale, at::kFloat), on_device(grid.zero_point, at::kInt),
        /*axis=*/0, grid.lowest, grid.highest);
  } else {
    std::tie(rounded, is_inside) = at::fake_quantize_per_tensor_affine_cachemask(
        x, grid.scale.front(), grid.zero_point.front(), grid.lowest, grid.highest);
  }
  const auto squares = [](const at::Tensor& values) {
    return values.to(at::kDouble).square().sum().item<double>();
  };
  range_.clipped += x.numel() - is_inside.sum().item<int64_t>();
  range_.power += squares(x);
  range_.noise += squares(x - rounded);
}

ValueRange SeenValues::range() const {
  ValueRange range = range_;
  std::tie(range.min, range.max) = estimator_.min_max();
  range.histogram = estimator_.histogram();
  return range;
}

TorchRangeProbe::TorchRangeProbe(TorchModel& model,
                                 const std::vector<Wav2Vec2ForCtc::NamedLayer>& layers)
    : model_(model) {
  for (const auto& named : layers) {
    Watched watched{.layer = named, .input = {}, .weight = {}, .output = {}};
    if (named.layer->is_fake_quantized()) {
      const nlohmann::json state = layer_to_json(*named.layer);
      const LayerScheme& scheme = named.layer->scheme();
      const auto activations = FakeQuantizerOptions::activation(scheme);
      watched.input = seen_by(state, "input", activations);
      watched.weight = seen_by(state, "weight", FakeQuantizerOptions::weight(scheme, 0));
      watched.output = seen_by(state, "output", activations);
    }
    watched_.push_back(std::move(watched));
  }
}

void TorchRangeProbe::add(const AudioBatch& batch) {
  at_boundary("measuring ranges", [&] {
    const c10::InferenceMode inference;
    // During this batch alone: other inference is none of the probe's.
    struct Attention {
      explicit Attention(std::vector<Watched>& watched) : layers(watched) {
        for (Watched& seen : layers) {
          seen.layer.layer->set_watch([&seen](const auto& x, const auto& w, const auto& y) {
            seen.input.add(x);
            if (seen.weight.empty()) seen.weight.add(w);
            seen.output.add(y);
          });
        }
      }
      ~Attention() {
        for (Watched& seen : layers) seen.layer.layer->set_watch(nullptr);
      }
      std::vector<Watched>& layers;
    } const attention(watched_);
    const std::vector<int64_t> frames = checked_frames(model_.config(), batch);
    model_.evaluate(network_input(model_.config(), batch, frames, model_.device()));
  });
}

std::vector<LayerRanges> TorchRangeProbe::ranges() const {
  std::vector<LayerRanges> all;
  for (const Watched& seen : watched_) {
    const auto& [name, layer] = seen.layer;
    all.push_back(
        {.layer = name,
         .choice = layer->is_fake_quantized() ? LayerChoice(layer->scheme()) : std::nullopt,
         .input = seen.input.range(),
         .weight = seen.weight.range(),
         .output = seen.output.range()});
  }
  return all;
}

std::unique_ptr<RangeProbe> TorchModel::probe(const std::vector<std::string>& layers) {
  return at_boundary("measuring ranges", [&] {
    if (precision_ == Precision::int8) {
      throw Error("an int8 model's ranges are fixed: measure the model that it was converted from");
    }
    std::set<std::string> chosen(layers.begin(), layers.end());
    std::vector<Wav2Vec2ForCtc::NamedLayer> found;
    for (const auto& layer : network_->quantizable_layers()) {
      if (chosen.erase(layer.name) > 0) found.push_back(layer);
    }
    if (!chosen.empty()) {
      throw Error("\"" + *chosen.begin() + "\" is no layer of this model; names are such as \"" +
                  network_->quantizable_layers().front().name + "\"");
    }
    enter(Mode::evaluating);
    return std::make_unique<TorchRangeProbe>(*this, found);
  });
}

}  // namespace flowqat::model
