/// What the inference benchmarks recognise, from their command line: FOLDER [SECONDS] [THREADS]
/// [RUNS].
#pragma once
#include <random>
#include <string>
#include <vector>

#include "bench/model_parts.h"
#include "nodes/support/model_folder.h"

namespace flowqat::bench {

/// Random sound, and the model of the folder on the CPU.
struct OneUtterance {
  explicit OneUtterance(int count, char** arguments) {
    const double seconds = count > 2 ? std::stod(arguments[2]) : 10;
    if (count > 4) runs = std::stoi(arguments[4]);
    model::engine().configure(
        {.device = "cpu", .threads = count > 3 ? std::stoi(arguments[3]) : 0});
    model = nodes::load_model(arguments[1]).model;
    samples.resize(static_cast<size_t>(16000 * seconds));
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& sample : samples) sample = normal(random);
    batch.samples = samples;
    batch.rows = 1;
    batch.padded_samples = static_cast<int64_t>(samples.size());
    batch.lengths_samples = {batch.padded_samples};
  }
  OneUtterance(const OneUtterance&) = delete;  // `batch` may look into `samples`

  int runs = 7;
  decltype(nodes::ModelState::model) model;
  std::vector<float> samples;
  model::AudioBatch batch;
};

inline std::string as_json(const PartTimes& parts) {
  std::string text;
  for (const auto& [part, ms] : parts) {
    text += (text.empty() ? "\"" : ", \"") + part + "\": " + std::to_string(ms);
  }
  return "{" + text + "}";
}

}  // namespace flowqat::bench
