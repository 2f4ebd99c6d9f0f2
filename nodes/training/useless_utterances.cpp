#include "nodes/training/useless_utterances.h"

#include <set>

#include "graph/plain_numbers.h"

namespace flowqat::nodes {

int64_t frames_for(const std::vector<int32_t>& target) {
  auto frames = static_cast<int64_t>(target.size());
  for (size_t i = 1; i < target.size(); ++i) frames += target[i] == target[i - 1] ? 1 : 0;
  return frames;
}

void UselessUtterances::begin(Training& training) {
  const double most_s = training.params.max_duration_s;
  const graph::Index& index = pipeline_.index();
  std::set<uint32_t> long_ones;
  uint32_t longest_at = 0;
  double longest_s = 0;
  for (const graph::Presentation& at : pipeline_.selection().presentations) {
    const double duration_s = index.shape(at.entry).seconds();
    if (most_s == 0 || duration_s <= most_s || index.is_broken(at.entry)) continue;
    long_ones.insert(at.entry);
    if (duration_s > longest_s) longest_s = duration_s, longest_at = at.entry;
  }
  if (long_ones.empty()) return;
  training.context.reporter().say(
      training.name + ": " + graph::counted(std::ssize(long_ones), "utterance") + " of more than " +
      graph::duration_text(most_s) + " will not be trained on, the longest of them " +
      index[longest_at].id + " with " + graph::duration_text(longest_s) +
      "; another limit is the node's \"max_duration_s\"");
}

void UselessUtterances::after_batch(Training& training, const Heard& heard) {
  const auto list = [&](const graph::Row* row, const std::string& reason) {
    training.context.useless(heard.batch, static_cast<size_t>(row - heard.batch.rows.data()),
                             training.progress.epoch, reason);
  };
  for (const graph::Row* row : heard.long_ones) {
    list(row, "has " + graph::duration_text(row->entry->shape.seconds()) +
                  ", and the node's max_duration_s is " +
                  graph::duration_text(training.params.max_duration_s));
  }
  for (const graph::Row* row : heard.prepared.too_short) {
    ++training.counted.too_short;
    list(row, "shorter than one frame of the model");
  }
  const model::AudioBatch& audio = heard.prepared.audio;
  for (size_t row = 0; row < heard.prepared.rows.size(); ++row) {
    const int64_t needed = frames_for(audio.targets[row]);
    const int64_t there =
        model::frames_of(training.state.model->config(), audio.lengths_samples[row]);
    if (needed <= there) continue;
    ++training.counted.too_long;
    list(heard.prepared.rows[row], "its transcript needs " + graph::counted(needed, "frame") +
                                       ", and its audio has " + graph::whole_text(there));
  }
}

void UselessUtterances::end(Training& training) {
  const Progress& progress = training.progress;
  const std::string listed =
      ", listed in " + (training.context.folder() / graph::kRejectedFile).string();
  if (progress.too_long > 0) {
    training.context.reporter().say(training.name + ": " +
                                    graph::counted(progress.too_long, "time") +
                                    " a transcript was too long for its frames" + listed);
  }
  if (progress.too_short > 0) {
    training.context.reporter().say(training.name + ": " +
                                    graph::counted(progress.too_short, "time") +
                                    " an utterance was shorter than one frame" + listed);
  }
}

}  // namespace flowqat::nodes
