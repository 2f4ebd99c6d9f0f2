// Milliseconds a training step on random data, float and quantization-aware:
//   bench_model_step [tiny|base] [THREADS] [STEPS] [ROWS] [SECONDS] [float32|tf32|bf16]
// tiny is configs/tiny-wav2vec2 with 8 rows of 2 s, base wav2vec2-base with 4 rows of 5 s, unless
// said otherwise. On the GPU where there is one.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "bench/model_parts.h"
#include "bench/random_speech.h"
#include "model/model.h"

namespace {

using namespace flowqat::model;
using flowqat::bench::RandomSpeech;

constexpr int kStepsAhead = 10;

Config tiny() {
  Config config;
  config.hidden_size = 128;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 4;
  config.intermediate_size = 512;
  config.conv_dim = {32, 64, 64, 64, 128, 128, 128};
  config.num_conv_pos_embeddings = 32;
  config.num_conv_pos_embedding_groups = 8;
  config.hidden_dropout = config.attention_dropout = config.activation_dropout = 0;
  config.feat_proj_dropout = config.final_dropout = config.layerdrop = 0;
  config.initializer_range = 0.06;
  config.attention_mask = true;
  return config;
}

Config base() {
  Config config;
  config.layerdrop = 0;  // every step does all the work
  return config;
}

/// On a device the host goes ahead, as in a training: a run is then of as many steps as that.
double median_step_ms(Model& model, const AudioBatch& batch, int steps) {
  const auto trainer = model.trainer({.clip_norm = 1, .reduction = CtcReduction::characters});
  const int at_once = engine().device() == "cpu" ? 1 : kStepsAhead;
  uint64_t seed = 0;
  return flowqat::bench::median_ms(steps,
                                   [&] {
                                     for (int step = 0; step < at_once; ++step)
                                       trainer->step(batch, 1e-4, seed++);
                                     trainer->metrics();  // waits for the device
                                   }) /
         at_once;
}

void print_parts(Model& model, const AudioBatch& batch, double step_ms, int runs) {
  double rest_ms = step_ms;
  for (const auto& [part, ms] : flowqat::bench::part_times_ms(
           model, batch.rows, batch.padded_samples, /*training=*/true, runs)) {
    std::printf("  %-24s %8.0f ms\n", part.c_str(), ms);
    rest_ms -= ms;
  }
  std::printf("  %-24s %8.0f ms (norms, head, loss, clipping, optimizer)\n", "the rest, about",
              std::max(0.0, rest_ms));
}

void measure(const std::string& size, const EngineOptions& options, int steps, int64_t rows,
             double seconds) {
  const bool is_tiny = size == "tiny";
  engine().configure(options);
  const RandomSpeech speech(rows, seconds);
  const auto model = engine().create(is_tiny ? tiny() : base(), 1);
  const double plain_ms = median_step_ms(*model, speech.batch, steps);
  model->insert_fake_quantizers({});
  model->observe(speech.batch);
  model->finish_calibration();
  model->set_activation_observers(true);
  const double quantized_ms = median_step_ms(*model, speech.batch, steps);
  std::printf("%s on %s, %d threads: %.0f ms a float step, %.0f ms a quantization-aware one\n",
              size.c_str(), engine().device().c_str(), engine().threads(), plain_ms, quantized_ms);
  const double batch_ms = 1000 * seconds * static_cast<double>(rows);
  std::printf("%lld rows of %.1f s: %.0f x real time, %.0f x\n", static_cast<long long>(rows),
              seconds, batch_ms / plain_ms, batch_ms / quantized_ms);
  if (engine().device() != "cpu") return;
  const auto fresh = engine().create(is_tiny ? tiny() : base(), 1);
  std::printf("a float step by part, forward and backward:\n");
  print_parts(*fresh, speech.batch, plain_ms, std::min(steps, 5));
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const std::string size = count > 1 ? arguments[1] : "tiny";
    if (size != "tiny" && size != "base") {
      std::fprintf(stderr,
                   "usage: bench_model_step [tiny|base] [THREADS] [STEPS] [ROWS] [SECONDS] "
                   "[float32|tf32|bf16]\n");
      return 2;
    }
    const auto number = [&](int place, double otherwise) {
      return count > place ? std::stod(arguments[place]) : otherwise;
    };
    const EngineOptions options{.threads = static_cast<int>(number(2, 0)),
                                .precision = count > 6 ? arguments[6] : "float32"};
    measure(size, options, std::max(1, static_cast<int>(number(3, 20))),
            std::max<int64_t>(1, static_cast<int64_t>(number(4, size == "tiny" ? 8 : 4))),
            number(5, size == "tiny" ? 2 : 5));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_model_step: %s\n", error.what());
    return 1;
  }
  return 0;
}
