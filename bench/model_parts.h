/// Where a model's time goes: every kind of its modules timed by itself.
#pragma once
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/engine/torch_model.h"

namespace flowqat::bench {

/// The median of `runs` runs behind two that warm up.
inline double median_ms(int runs, const std::function<void()>& work) {
  std::vector<double> times_ms;
  for (int run = -2; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (run >= 0) times_ms.push_back(time.count());
  }
  std::ranges::nth_element(times_ms, times_ms.begin() + runs / 2);
  return times_ms[static_cast<size_t>(runs / 2)];
}

using PartTimes = std::vector<std::pair<std::string, double>>;

/// Milliseconds of each kind of module, summed over all of that kind, on random input of the right
/// shape: forward, and with `training` backward too. On the CPU.
inline PartTimes part_times_ms(model::Model& model, int64_t rows, int64_t samples, bool training,
                               int runs) {
  using namespace model;
  const c10::InferenceMode inference(!training);
  Wav2Vec2ForCtc& network = dynamic_cast<TorchModel&>(model).network();
  network.train(training);
  const Config& config = model.config();
  const int64_t frames = frames_of(config, samples);
  const auto input = [&](std::vector<int64_t> shape) {
    return at::randn(shape).requires_grad_(training);
  };
  const at::Tensor sound = at::randn({rows, samples});
  const at::Tensor features = input({rows, frames, config.conv_dim.back()});
  const at::Tensor hidden = input({rows, frames, config.hidden_size});
  PartTimes parts;
  const auto time = [&](const char* part, int64_t count, const auto& forward) {
    const double once_ms = median_ms(runs, [&] {
      const at::Tensor y = forward();
      if (training) y.backward(at::ones_like(y));
    });
    parts.emplace_back(part, static_cast<double>(count) * once_ms);
  };
  for (const auto& [name, module] : network.named_modules()) {
    if (auto* extractor = module->as<FeatureExtractor>()) {
      time("feature extractor", 1, [&] { return extractor->forward(sound); });
    } else if (auto* projection = module->as<FeatureProjection>()) {
      time("feature projection", 1, [&] { return projection->forward(features); });
    } else if (auto* positional = module->as<PositionalConv>()) {
      time("positional convolution", 1, [&] { return positional->forward(hidden); });
    } else if (name.ends_with("layers.0.attention")) {
      auto& attention = dynamic_cast<Attention&>(*module);
      time("attention", config.num_hidden_layers, [&] { return attention.forward(hidden, {}); });
    } else if (name.ends_with("layers.0.feed_forward")) {
      auto& feed_forward = dynamic_cast<FeedForward&>(*module);
      time("feed-forward", config.num_hidden_layers,
           [&] { return feed_forward.forward(hidden, hidden); });
    }
  }
  network.zero_grad();
  return parts;
}

}  // namespace flowqat::bench
