// Milliseconds to recognise one utterance of random sound, whole and by part of the model:
//   bench_model_infer FOLDER [SECONDS] [THREADS] [RUNS]   -> one JSON object on one line
// FOLDER is a Hugging Face model folder, float or int8.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <string>

#include "model/torch/torch_model.h"
#include "nodes/model_folder.h"

namespace {

using namespace flowqat;

using Clock = std::chrono::steady_clock;

double median_ms(int runs, const std::function<void()>& work) {
  std::vector<double> times_ms;
  for (int run = -2; run < runs; ++run) {
    const auto start = Clock::now();
    work();
    const std::chrono::duration<double, std::milli> time = Clock::now() - start;
    if (run >= 0) times_ms.push_back(time.count());
  }
  std::ranges::nth_element(times_ms, times_ms.begin() + runs / 2);
  return times_ms[static_cast<size_t>(runs / 2)];
}

/// Milliseconds of every kind of module, over all of its kind, on inputs of the right shape.
std::string parts_of(model::Model& model, int64_t samples, int runs) {
  const c10::InferenceMode inference;
  model::Wav2Vec2ForCtc& network = dynamic_cast<model::TorchModel&>(model).network();
  network.eval();
  const model::Config& config = model.config();
  const int64_t frames = model::frames_of(config, samples);
  const auto layers = static_cast<double>(config.num_hidden_layers);
  const torch::Tensor sound = torch::randn({1, samples});
  const torch::Tensor features = torch::randn({1, frames, config.conv_dim.back()});
  const torch::Tensor hidden = torch::randn({1, frames, config.hidden_size});
  std::string text;
  for (const auto& item : network.named_modules("", false)) {
    torch::nn::Module* module = item.value().get();
    const auto time = [&](const char* part, double count, const auto& forward) {
      const double part_ms = count * median_ms(runs, forward);
      text +=
          (text.empty() ? "" : ", ") + std::string("\"") + part + "\": " + std::to_string(part_ms);
    };
    using namespace model;
    if (auto* extractor = dynamic_cast<FeatureExtractor*>(module)) {
      time("feature extractor", 1, [&] { extractor->forward(sound); });
    } else if (auto* projection = dynamic_cast<FeatureProjection*>(module)) {
      time("feature projection", 1, [&] { projection->forward(features); });
    } else if (auto* positional = dynamic_cast<PositionalConv*>(module)) {
      time("positional convolution", 1, [&] { positional->forward(hidden); });
    } else if (item.key().ends_with("layers.0.attention")) {
      time("attention", layers, [&] { dynamic_cast<Attention&>(*module).forward(hidden, {}); });
    } else if (item.key().ends_with("layers.0.feed_forward")) {
      time("feed-forward", layers,
           [&] { dynamic_cast<FeedForward&>(*module).forward(hidden, hidden); });
    }
  }
  return text;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 2) {
      std::fprintf(stderr, "usage: bench_model_infer FOLDER [SECONDS] [THREADS] [RUNS]\n");
      return 2;
    }
    const double seconds = count > 2 ? std::stod(arguments[2]) : 10;
    const int threads = count > 3 ? std::stoi(arguments[3]) : 0;
    const int runs = count > 4 ? std::stoi(arguments[4]) : 7;
    model::engine().configure({.device = "cpu", .threads = threads});
    const nodes::ModelState state = nodes::load_model(arguments[1]);
    std::vector<float> samples(static_cast<size_t>(16000 * seconds));
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& sample : samples) sample = normal(random);
    model::AudioBatch batch;
    batch.samples = samples;
    batch.rows = 1;
    batch.padded_samples = static_cast<int64_t>(samples.size());
    batch.lengths_samples = {batch.padded_samples};
    const double whole_ms = median_ms(runs, [&] { state.model->infer(batch); });
    std::printf("{\"ms\": %.1f, \"parts\": {%s}}\n", whole_ms,
                parts_of(*state.model, batch.padded_samples, runs).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_model_infer: %s\n", error.what());
    return 1;
  }
  return 0;
}
