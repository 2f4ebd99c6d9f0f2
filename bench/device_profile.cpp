// What a training step asks of a device, counted on the one that stands in for a GPU in the tests:
// launches, bytes, copies and waits, by operator. It tells nothing of time.
//   bench_device_profile [float32|bf16] [ROWS] [SECONDS]
// wav2vec2-base, in float and quantization-aware; the numbers of launches do not depend on the
// size.
#include <cstdio>
#include <exception>
#include <string>

#include "bench/random_speech.h"
#include "model/model.h"
#include "model/torch/engine/torch_model.h"
#include "tests/test_device/counts.h"

namespace {

using namespace flowqat::model;
using namespace flowqat::test_device;

Counts step(Model& model, const AudioBatch& batch) {
  const auto trainer = model.trainer({.clip_norm = 1, .reduction = CtcReduction::characters});
  trainer->step(batch, 1e-4, 1);  // the optimizer's first
  reset_counts();
  trainer->step(batch, 1e-4, 2);
  return counts();
}

/// Launches for the scales of all weights, and of one of them by itself.
void tell_of_weights(TorchModel& model) {
  model.see_weights();
  reset_counts();
  model.see_weights();
  const Counts together = counts();
  int layers = 0;
  int64_t alone = 0;
  const at::NoGradGuard no_grad;
  for (const auto& [name, layer] : model.network().quantizable_layers()) {
    const auto sight = layer->next_weight();
    if (!sight) continue;
    sight->quantizer->set_observer(true);  // as if it had not seen its weight
    reset_counts();
    sight->quantizer->forward(sight->x);
    alone += counts().launches - 2;  // the rounding itself
    ++layers;
  }
  std::printf("ranges and scales of %d weights: %lld launches together, %lld layer by layer\n\n",
              layers, static_cast<long long>(together.launches), static_cast<long long>(alone));
}

void run(const std::string& precision, int64_t rows, double seconds) {
  engine().configure({.device = "testdevice:0", .precision = precision});
  Config config;
  config.layerdrop = 0;  // every step does all the work
  const auto model = engine().create(config, 1);
  flowqat::bench::RandomSpeech speech(rows, seconds);
  speech.batch.time_masks.assign(static_cast<size_t>(rows), {{.start = 2, .length = 5}});
  std::printf("a float step, %s, %lld rows of %.1f s\n%s\n", precision.c_str(),
              static_cast<long long>(rows), seconds, profile(step(*model, speech.batch)).c_str());
  model->insert_fake_quantizers({});
  model->observe(speech.batch);
  model->finish_calibration();
  model->set_activation_observers(true);
  std::printf("a quantization-aware step\n%s\n", profile(step(*model, speech.batch)).c_str());
  tell_of_weights(dynamic_cast<TorchModel&>(*model));
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run(count > 1 ? arguments[1] : "float32", count > 2 ? std::stoll(arguments[2]) : 2,
        count > 3 ? std::stod(arguments[3]) : 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_device_profile: %s\n", error.what());
    return 1;
  }
  return 0;
}
