// Milliseconds to recognise one utterance of random sound in int8, by kernels and by part:
//   bench_model_int8 FOLDER [SECONDS] [THREADS] [RUNS]   -> one JSON object on one line
// FOLDER is a float Hugging Face model folder; it is calibrated with the same sound and converted.
// "parts" are those of the fastest kernels, as [ms, least ms]: the least is what the multiply-adds
// of a part would take at the rate of the same loop over data that never leaves the first cache.
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/one_utterance.h"
#include "runtime/acoustic_model.h"
#include "runtime/kernels/float_passes.h"
#include "runtime/kernels/int8_tile.h"

namespace {

using namespace flowqat;
using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int64_t depth = 768;

/// Multiply-adds a millisecond of one thread, the best of several.
template <class Work>
double rate_of(int64_t multiply_adds, const Work& work) {
  double best = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const auto started = Clock::now();
    for (int i = 0; i < 100; ++i) work();
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - started).count();
    best = std::max(best, 100.0 * static_cast<double>(multiply_adds) / ms);
  }
  return best;
}

double rate_of(const runtime::Int8Tile& tile) {
  const std::vector<int16_t> a(static_cast<size_t>(tile.rows * depth), 3);  // bytes or words
  const std::vector<int8_t> b(static_cast<size_t>(tile.columns * depth), 5);
  std::vector<int32_t> sums(static_cast<size_t>(tile.rows * tile.columns));
  return rate_of(tile.rows * tile.columns * depth, [&] {
    tile.run(tile.rows, tile.columns, a.data(), depth, b.data(), tile.groups_of(depth),
             sums.data());
  });
}

double float_rate(Target target) {
  const runtime::FloatPasses& passes = runtime::float_passes(target);
  const int64_t rows = passes.rows_of_tile, columns = passes.columns_of_tile;
  constexpr int64_t float_depth = depth / 8;  // that of a tile's weights in the first cache
  const std::vector<float> a(static_cast<size_t>(rows * float_depth), 0.5f);
  const std::vector<float> b(static_cast<size_t>(columns * float_depth), 0.5f);
  std::vector<float> sums(static_cast<size_t>(rows * columns));
  return rate_of(rows * columns * float_depth, [&] {
    passes.tile(rows, columns, a.data(), float_depth, b.data(), float_depth, false, sums.data());
  });
}

/// Multiply-adds of a part.
struct Work {
  double bytes = 0;   ///< of bytes by bytes
  double words = 0;   ///< of words by bytes
  double floats = 0;  ///< of floats
};

std::map<std::string, Work> multiply_adds(const model::Config& config, int64_t samples) {
  std::map<std::string, Work> parts;
  double frames = static_cast<double>(samples), in = 1;
  for (size_t i = 0; i < config.conv_dim.size(); ++i) {
    const auto kernel = static_cast<double>(config.conv_kernel[i]);
    frames = (frames - kernel) / static_cast<double>(config.conv_stride[i]) + 1;
    const auto out = static_cast<double>(config.conv_dim[i]);
    parts[i == 0 ? "convolution 0" : "convolutions 1 and up"].bytes += frames * in * kernel * out;
    in = out;
  }
  const auto layers = static_cast<double>(config.num_hidden_layers);
  const auto hidden = static_cast<double>(config.hidden_size);
  const auto inner = static_cast<double>(config.intermediate_size);
  parts["attention's linears"].bytes = layers * frames * 4 * hidden * hidden;
  parts["attention's mixing"] = {layers * frames * frames * hidden,
                                 layers * frames * frames * hidden, 0};
  parts["feed-forward's linears"].bytes = layers * frames * 2 * hidden * inner;
  parts["positional convolution"].floats =
      frames * hidden * hidden / static_cast<double>(config.num_conv_pos_embedding_groups) *
      static_cast<double>(config.num_conv_pos_embeddings);
  parts["feature projection and head"].floats =
      frames * hidden * (in + static_cast<double>(config.vocab_size));
  return parts;
}

ordered_json parts_of(const runtime::PartClock& clock, int runs, double whole_ms,
                      const model::Config& config, int64_t samples, int threads) {
  const double of_bytes = rate_of(runtime::int8_tiles(best_target()).back()) * threads;
  const double of_words = rate_of(runtime::word_tile(best_target())) * threads;
  const double of_floats = float_rate(best_target()) * threads;
  const auto work = multiply_adds(config, samples);
  ordered_json parts;
  double sum_ms = 0;
  for (const auto& [part, seconds] : clock.seconds) {
    const double ms = seconds * 1e3 / runs;
    sum_ms += ms;
    const auto found = work.find(part);
    const Work needed = found == work.end() ? Work{} : found->second;
    parts[part] = {ms,
                   needed.bytes / of_bytes + needed.words / of_words + needed.floats / of_floats};
  }
  parts["the rest"] = {whole_ms - sum_ms, 0};
  return parts;
}

std::unique_ptr<model::Model> int8_of(const model::Model& original, const model::Policy& policy,
                                      const model::AudioBatch& batch) {
  const auto model = original.clone();
  model->insert_fake_quantizers(policy);
  model->observe(batch);
  model->finish_calibration();
  return model->convert();
}

std::unique_ptr<model::AcousticModel> on_runtime(const model::Model& int8,
                                                 const runtime::Options& options) {
  return runtime::load(int8.config(), int8.tensors(), int8.quantization(), options);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 2) {
      std::fprintf(stderr, "usage: bench_model_int8 FOLDER [SECONDS] [THREADS] [RUNS]\n");
      return 2;
    }
    const bench::OneUtterance heard(count, arguments);
    const int runs = heard.runs, threads = model::engine().threads();
    const auto whole_ms = [&](const model::AcousticModel& model, int times) {
      model.infer(heard.batch);  // takes its memory
      return bench::median_ms(times, [&] { model.infer(heard.batch); });
    };
    model::Policy some_float;
    some_float.exceptions.push_back({"*.conv_layers.[123].conv", {}});
    const auto mixed = int8_of(*heard.model, some_float, heard.batch);
    const auto int8 = int8_of(*heard.model, {}, heard.batch);

    ordered_json found;
    for (const Target target : targets_here()) {
      if (target == Target::scalar || target == best_target()) continue;  // that takes minutes
      found["held to " + std::string(name_of(target))] = whole_ms(
          *on_runtime(*int8, {.threads = threads, .target = target, .bytes_read = {}}), runs);
    }
    runtime::PartClock clock;
    const auto timed =
        on_runtime(*int8, {.threads = threads, .target = {}, .bytes_read = {}, .clock = &clock});
    timed->infer(heard.batch);
    clock.seconds.clear();
    const auto started = Clock::now();
    for (int i = 0; i < runs; ++i) timed->infer(heard.batch);
    const double mean_ms =
        std::chrono::duration<double, std::milli>(Clock::now() - started).count() / runs;
    found["parts"] =
        parts_of(clock, runs, mean_ms, int8->config(), heard.batch.padded_samples, threads);
    found["fastest"] = whole_ms(*timed, runs);
    found["float convolutions 1-3"] =
        whole_ms(*on_runtime(*mixed, {.threads = threads, .target = {}, .bytes_read = {}}), runs);
    found["exact"] = bench::median_ms(1, [&] { int8->infer(heard.batch); });
    found["target"] = name_of(best_target());
    std::printf("%s\n", found.dump().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_model_int8: %s\n", error.what());
    return 1;
  }
  return 0;
}
