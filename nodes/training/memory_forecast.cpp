#include "nodes/training/memory_forecast.h"

#include <algorithm>
#include <cmath>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "graph/usable_memory.h"
#include "model/config_size.h"

namespace flowqat::nodes {
namespace {

constexpr double kFloat = sizeof(float);
/// Of LibTorch, the data side and what lies between blocks.
constexpr double kProcessBytes = 3e8;

std::string size_text(double bytes) {
  return bytes < 1e9 ? graph::format("%.0f MB", std::ceil(1e-6 * bytes))
                     : graph::format("%.1f GB", 1e-9 * bytes);
}

/// Values of one row.
struct Extractor {
  double kept = 0, largest = 0;  ///< for the way back; what one layer gives at the most
};

Extractor extractor_values(const model::Config& config, int64_t samples, const MemoryUse& use) {
  Extractor found;
  for (size_t layer = 0; layer < config.conv_dim.size(); ++layer) {
    samples = (samples - config.conv_kernel[layer]) / config.conv_stride[layer] + 1;
    const double values = static_cast<double>(std::max<int64_t>(samples, 0)) *
                          static_cast<double>(config.conv_dim[layer]);
    // What goes into the activation, what comes out of it, and what goes into a norm before it.
    const bool has_norm = layer == 0 || config.feat_extract_norm == model::ConvolutionNorm::layer;
    double kept = values * (has_norm ? 3 : 2);
    // The rounded input and output, and which of their values were clamped.
    if (use.fake_quantized) kept += values * 1.5;
    if (use.trains_extractor) found.kept += kept;
    found.largest = std::max(found.largest, values);
  }
  return found;
}

double encoder_values(const model::Config& config, double frames, const MemoryUse& use) {
  const auto hidden = static_cast<double>(config.hidden_size),
             intermediate = static_cast<double>(config.intermediate_size),
             heads = static_cast<double>(config.num_attention_heads),
             layers = static_cast<double>(config.num_hidden_layers);
  double layer = frames * (14 * hidden + 3 * intermediate);
  if (use.fake_quantized) layer += frames * (9 * hidden + 3 * intermediate) * 1.25;
  // Without dropout attention goes without the whole square of its weights.
  if (config.attention_dropout > 0) layer += 2 * heads * frames * frames;
  return use.gradient_checkpointing ? layers * frames * hidden + layer : layers * layer;
}

struct Largest {
  uint32_t longest = 0;  ///< in the index
  int64_t rows = 0;      ///< 0: there is none
  double padded_s = 0, bytes = 0;
};

/// Of the first epoch, without what max_duration_s leaves out.
Largest largest_batch(const Training& training, const graph::Pipeline& pipeline,
                      const MemoryUse& use) {
  const model::Config& config = training.state.model->config();
  const double most_s = training.params.max_duration_s;
  const graph::Index& index = pipeline.index();
  Largest largest;
  const auto look_at = [&](const graph::PlannedBatch& batch) {
    double longest_s = -1;
    uint32_t longest = 0;
    int64_t rows = 0;
    for (const graph::Presentation& at : batch.rows) {
      const double duration_s = index.shape(at.entry).seconds();
      if (most_s > 0 && duration_s > most_s) continue;
      ++rows;
      if (duration_s > longest_s) longest_s = duration_s, longest = at.entry;
    }
    if (rows == 0 || batch.rate_hz == 0) return;
    double padded_s = static_cast<double>(batch.padded_samples) / batch.rate_hz;
    if (rows < std::ssize(batch.rows)) padded_s = longest_s;  // cut to that
    const double bytes = training_bytes(config, rows, std::llround(padded_s * batch.rate_hz), use);
    if (bytes > largest.bytes) largest = {longest, rows, padded_s, bytes};
  };
  const auto epoch = pipeline.epoch_plan(training.name, 0);
  for (size_t window = 0; window < epoch->windows(); ++window) {
    for (const graph::PlannedBatch& batch : epoch->window(window)) look_at(batch);
  }
  return largest;
}

}  // namespace

double training_bytes(const model::Config& config, int64_t rows, int64_t padded_samples,
                      const MemoryUse& use) {
  const auto frames = static_cast<double>(model::frames_of(config, padded_samples));
  const auto row_count = static_cast<double>(rows);
  const Extractor extractor = extractor_values(config, padded_samples, use);
  const double parameters = model::parameters_of(config);
  const double stands = parameters * (3 + (use.has_teacher ? 1 : 0) + (use.has_average ? 1 : 0));
  const double begins =
      row_count * (extractor.kept + 2 * extractor.largest + encoder_values(config, frames, use));
  const double ends = parameters + row_count * (extractor.kept +
                                                (use.trains_extractor ? 6 : 2) * extractor.largest);
  return kProcessBytes + kFloat * (stands + std::max(begins, ends));
}

void MemoryForecast::begin(Training& training) {
  const model::TrainOptions& options = training.params.options;
  const Largest largest =
      largest_batch(training, pipeline_,
                    {.fake_quantized = training.state.stage == Stage::fake_quantized,
                     .trains_extractor = options.feature_gradient_scale != 0,
                     .gradient_checkpointing = options.gradient_checkpointing,
                     .has_teacher = has_teacher_,
                     .has_average = options.ema_decay > 0});
  if (largest.rows == 0) return;
  const graph::IndexEntry entry = pipeline_.index()[largest.longest];
  const int processes = training.context.together().local_size();
  const double there = graph::usable_memory_bytes(processes);
  std::string line = training.name + ": the largest batch, " + graph::counted(largest.rows, "row") +
                     " of " + graph::duration_text(largest.padded_s) + " with " + entry.id + " (" +
                     graph::duration_text(entry.shape.seconds()) +
                     ") as the longest, needs about " + size_text(largest.bytes);
  if (model::engine().device() != "cpu") {
    line += " of the GPU's memory";
  } else if (largest.bytes > there) {
    line += ", more than the " + size_text(there) + " that are there" +
            graph::for_each_of(processes) + ": " +
            "a smaller \"max_padded_s\" of the batch node or \"max_duration_s\" of the corpus "
            "needs less";
  } else {
    line += "; " + size_text(there) + " are there" + graph::for_each_of(processes);
  }
  training.context.reporter().say(line);
}

}  // namespace flowqat::nodes
