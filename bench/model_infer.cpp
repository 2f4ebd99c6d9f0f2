// Milliseconds to recognise one utterance of random sound, whole and by part of the model:
//   bench_model_infer FOLDER [SECONDS] [THREADS] [RUNS]   -> one JSON object on one line
// FOLDER is a Hugging Face model folder, float or int8.
#include <cstdio>
#include <exception>
#include <random>
#include <string>

#include "bench/model_parts.h"
#include "nodes/model_folder.h"

namespace {

using namespace flowqat;

std::string as_json(const bench::PartTimes& parts) {
  std::string text;
  for (const auto& [part, ms] : parts) {
    text += (text.empty() ? "\"" : ", \"") + part + "\": " + std::to_string(ms);
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
    const double whole_ms = bench::median_ms(runs, [&] { state.model->infer(batch); });
    std::printf(
        "{\"ms\": %.1f, \"parts\": {%s}}\n", whole_ms,
        as_json(bench::part_times_ms(*state.model, 1, batch.padded_samples, false, runs)).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_model_infer: %s\n", error.what());
    return 1;
  }
  return 0;
}
