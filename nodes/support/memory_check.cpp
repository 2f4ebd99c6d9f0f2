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
  const graph::Index& index = stream->known.index;
  double longest_s = -1;
  uint32_t longest_at = 0;
  for (const graph::Presentation& at : stream->known.selection.presentations) {
    const double duration_s = index.shape(at.entry).seconds();
    if ((most_s > 0 && duration_s > most_s) || duration_s <= longest_s) continue;
    longest_s = duration_s;
    longest_at = at.entry;
  }
  if (!keeps_weights || longest_s < 0) return;
  const graph::IndexEntry longest = index[longest_at];
  const auto frames = static_cast<double>(
      frames_of(config, std::llround(longest.shape.seconds() * model.extractor().rate_hz)));
  // What each head's softmax gives and what dropout leaves of it, kept for the way back.
  const double needed = 2 * sizeof(float) * frames * frames *
                        static_cast<double>(config.num_attention_heads * config.num_hidden_layers);
  const int processes = context.local_processes();
  const double there = graph::usable_memory_bytes(processes);
  if (needed <= there) return;
  throw graph::RunError("node \"" + step.name() + "\", key \"audio\": " + longest.id + " (" +
                        longest.path + ") has " + graph::duration_text(longest.shape.seconds()) +
                        graph::format(" of audio: a training step over it takes %.0f GB for "
                                      "attention alone, and %.0f GB are there%s; leave such ones "
                                      "out with the corpus's \"max_duration_s\"",
                                      std::ceil(1e-9 * needed), std::floor(1e-9 * there),
                                      graph::for_each_of(processes).c_str()));
}

}  // namespace flowqat::nodes
