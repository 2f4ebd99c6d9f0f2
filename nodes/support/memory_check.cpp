#include "nodes/support/memory_check.h"

#include <cmath>
#include <filesystem>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "graph/usable_memory.h"

namespace flowqat::nodes {

void check_memory(const graph::CheckContext& context, const graph::Batcher& audio,
                  const ModelStep& model, const graph::Step& step, double most_s) {
  const graph::CheckedStream* stream = context.stream(audio);
  if (stream == nullptr || !model.knows_config()) return;
  const model::Config& config = model.config();
  // Elsewhere attention goes without the whole square of its weights.
  const bool keeps_weights =
      config.attention_dropout > 0 && !std::filesystem::exists("/dev/nvidia0");
  const graph::IndexEntry* longest = nullptr;
  for (const graph::Presentation& at : stream->known.selection.presentations) {
    const graph::IndexEntry& entry = stream->known.index[at.entry];
    if (most_s > 0 && entry.shape.seconds() > most_s) continue;
    if (longest == nullptr || entry.shape.seconds() > longest->shape.seconds()) longest = &entry;
  }
  if (!keeps_weights || longest == nullptr) return;
  const auto frames = static_cast<double>(
      frames_of(config, std::llround(longest->shape.seconds() * model.extractor().rate_hz)));
  // What each head's softmax gives and what dropout leaves of it, kept for the way back.
  const double needed = 2 * sizeof(float) * frames * frames *
                        static_cast<double>(config.num_attention_heads * config.num_hidden_layers);
  const double there = graph::usable_memory_bytes();
  if (needed <= there) return;
  throw graph::RunError("node \"" + step.name() + "\", key \"audio\": " + longest->id + " (" +
                        longest->path + ") has " + graph::duration_text(longest->shape.seconds()) +
                        graph::format(" of audio: a training step over it takes %.0f GB for "
                                      "attention alone, and %.0f GB are there; leave such ones "
                                      "out with the corpus's \"max_duration_s\"",
                                      std::ceil(1e-9 * needed), std::floor(1e-9 * there)));
}

}  // namespace flowqat::nodes
