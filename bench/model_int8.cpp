// Milliseconds to recognise one utterance of random sound in int8, by kernels and by part:
//   bench_model_int8 FOLDER [SECONDS] [THREADS] [RUNS]   -> one JSON object on one line
// FOLDER is a float Hugging Face model folder; it is calibrated with the same sound and converted.
// The parts are those of the kernels for AVX-512 VNNI: empty on other processors.
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <exception>
#include <string>

#include "bench/one_utterance.h"
#include "model/torch/int8/attention.h"
#include "model/torch/int8/cpu_features.h"

namespace {

using namespace flowqat;

/// The layers whose fast products are timed together.
std::string part_of(const std::string& name) {
  if (name.find(".conv_layers.0.") != std::string::npos) return "convolution 0";
  if (name.find(".conv_layers.") != std::string::npos) return "convolutions 1 and up";
  return name.find(".attention.") != std::string::npos ? "attention's linears"
                                                       : "feed-forward's linears";
}

at::Tensor random_bytes(std::vector<int64_t> shape) {
  return at::randint(0, 256, shape).to(at::kByte);
}

/// Every product by itself, what lies between them as the difference to the whole.
bench::PartTimes fast_parts(model::TorchModel& int8, int64_t samples, double whole_ms, int runs) {
  using namespace model;
  const c10::InferenceMode inference;
  const Config& config = int8.config();
  const int64_t frames = frames_of(config, samples), hidden = config.hidden_size;
  bench::PartTimes parts;
  double sum_ms = 0;
  const auto add = [&](const std::string& part, int64_t count, const auto& work) {
    const double ms = static_cast<double>(count) * bench::median_ms(runs, work);
    sum_ms += ms;
    for (auto& [name, total_ms] : parts) {
      if (name == part) {
        total_ms += ms;
        return;
      }
    }
    parts.emplace_back(part, ms);
  };
  Wav2Vec2ForCtc& network = int8.network();
  at::Tensor x = random_bytes({1, samples, 1});
  for (const auto& [name, layer] : network.quantizable_layers()) {
    const auto product = layer->fast();
    if (!product) continue;
    const bool is_convolution = name.find(".conv_layers.") != std::string::npos;
    const at::Tensor in = is_convolution ? x : random_bytes({1, frames, product->depth()});
    at::Tensor out;
    add(part_of(name), 1, [&] { out = product->apply(in); });
    if (is_convolution) x = out;
  }
  const AttentionBytes operands{random_bytes({1, frames, hidden}),
                                random_bytes({1, frames, hidden}),
                                random_bytes({1, frames, hidden}),
                                {1e-2, 128},
                                {1e-2, 128},
                                {1e-2, 128}};
  const ActivationScale grid{1e-2, 128};
  add("attention's mixing", config.num_hidden_layers,
      [&] { int8_attention(operands, config.num_attention_heads, {}, &grid); });
  const at::Tensor y = at::randn({1, frames, hidden});
  auto& convolution = network.base().encoder().positional_conv();
  const FastPositionalConv positional(convolution.conv().float_weight(), convolution.conv().bias,
                                      convolution.conv().groups());
  add("positional convolution", 1, [&] { positional.run(y); });
  const at::Tensor features = at::randn({1, frames, config.conv_dim.back()});
  add("feature projection and head", 1, [&] {
    network.base().projection().forward(features);
    network.head().forward(y);
  });
  parts.emplace_back("norms, quantization and the rest", whole_ms - sum_ms);
  return parts;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 2) {
      std::fprintf(stderr, "usage: bench_model_int8 FOLDER [SECONDS] [THREADS] [RUNS]\n");
      return 2;
    }
    const bench::OneUtterance heard(count, arguments);
    const model::AudioBatch& batch = heard.batch;
    const int runs = heard.runs;
    const auto original = heard.model->clone();
    heard.model->insert_fake_quantizers({});
    heard.model->observe(batch);
    heard.model->finish_calibration();
    const auto converted = heard.model->convert();
    auto& int8 = dynamic_cast<model::TorchModel&>(*converted);
    const auto whole_ms = [&] { return bench::median_ms(runs, [&] { int8.infer(batch); }); };
    const double fastest_ms = whole_ms();
    bench::PartTimes parts;
    if (model::has_vnni()) {
      parts = fast_parts(int8, batch.padded_samples, fastest_ms, runs);
    } else {
      std::fprintf(stderr, "bench_model_int8: no parts, which need AVX-512 VNNI\n");
    }
    int8.use_kernels(model::Kernels::exact);
    const double exact_ms = bench::median_ms(1, [&] { int8.infer(batch); });
    auto& layers = dynamic_cast<model::TorchModel&>(*original).network().quantizable_layers();
    for (size_t i = 1; i <= 3; ++i) {
      const at::NoGradGuard no_grad;
      int8.network().quantizable_layers()[i].layer->copy_from(*layers[i].layer);
    }
    int8.use_kernels(model::Kernels::fastest);
    std::printf(
        "{\"fastest\": %.1f, \"float convolutions 1-3\": %.1f, \"exact\": %.1f, \"parts\": %s}\n",
        fastest_ms, whole_ms(), exact_ms, bench::as_json(parts).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_model_int8: %s\n", error.what());
    return 1;
  }
  return 0;
}
