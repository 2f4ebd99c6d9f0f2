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
    std::printf("{\"ms\": %.1f}\n", whole_ms);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_model_infer: %s\n", error.what());
    return 1;
  }
  return 0;
}
