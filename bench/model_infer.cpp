// Milliseconds to recognise one utterance of random sound, whole and by part of the model:
//   bench_model_infer FOLDER [SECONDS] [THREADS] [RUNS]   -> one JSON object on one line
// FOLDER is a Hugging Face model folder, float or int8.
#include <cstdio>
#include <exception>

#include "bench/one_utterance.h"

int main(int count, char** arguments) {
  try {
    if (count < 2) {
      std::fprintf(stderr, "usage: bench_model_infer FOLDER [SECONDS] [THREADS] [RUNS]\n");
      return 2;
    }
    const flowqat::bench::OneUtterance heard(count, arguments);
    const double whole_ms =
        flowqat::bench::median_ms(heard.runs, [&] { heard.model->infer(heard.batch); });
    const auto parts = flowqat::bench::part_times_ms(*heard.model, 1, heard.batch.padded_samples,
                                                     false, heard.runs);
    std::printf("{\"ms\": %.1f, \"parts\": %s}\n", whole_ms,
                flowqat::bench::as_json(parts).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_model_infer: %s\n", error.what());
    return 1;
  }
  return 0;
}
