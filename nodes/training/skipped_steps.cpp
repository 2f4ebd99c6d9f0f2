#include "nodes/training/skipped_steps.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_text.h"
#include "graph/error.h"
#include "graph/plain_numbers.h"
#include "nodes/support/named_utterances.h"
#include "nodes/training/checkpoints.h"

namespace flowqat::nodes {
namespace {

constexpr int64_t kLookEvery = 50;  ///< steps, at the latest
constexpr int64_t kSaid = 5;        ///< all are in metrics.jsonl

}  // namespace

void SkippedSteps::after_batch(Training& training, const Heard& heard) {
  const auto place =
      static_cast<size_t>(heard.batch.number % training.params.options.batches_per_step);
  round_.resize(std::max(round_.size(), place + 1));
  round_[place] = ids_of(heard.prepared.rows);
}

void SkippedSteps::after_step(Training& training) {
  rounds_.push_back(std::exchange(round_, {}));
  const int64_t every = std::min(kLookEvery, training.params.log_every_steps);
  if (training.progress.step % every != 0) return;
  look(training);
  end_beyond_budget(training);
}

void SkippedSteps::after_epoch(Training& training) {
  look(training);
  end_beyond_budget(training);
}

void SkippedSteps::look(Training& training) {
  const int64_t first = training.progress.step - std::ssize(rounds_) + 1;
  for (const model::SkippedUpdate& skipped : training.trainer.skipped()) {
    ++training.progress.skipped_steps;
    tell(training, first + skipped.update, skipped,
         rounds_.at(static_cast<size_t>(skipped.update)));
  }
  rounds_.clear();
}

/// What each process has of a round, in the order of its batches.
SkippedSteps::Ids SkippedSteps::of_all(graph::Together& together, const std::vector<Ids>& own) {
  std::vector<Ids> round;
  for (const std::string& text : together.gather(graph::Json(own).dump())) {
    const auto theirs = parse_json<graph::Json>(text).get<std::vector<Ids>>();
    round.resize(std::max(round.size(), theirs.size()));
    for (size_t i = 0; i < theirs.size(); ++i) {
      if (!theirs[i].empty()) round[i] = theirs[i];
    }
  }
  Ids all;
  for (const Ids& batch : round) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

void SkippedSteps::tell(Training& training, int64_t step, const model::SkippedUpdate& skipped,
                        const std::vector<Ids>& round) {
  std::vector<Ids> own(round.size());
  for (const auto& [batch, row] : skipped.rows) {
    const auto place = static_cast<size_t>(batch);
    own.at(place).push_back(round.at(place).at(static_cast<size_t>(row)));
  }
  Ids ids = of_all(training.context.together(), own);
  const std::string what = ids.empty() ? "gradient" : "loss";
  if (ids.empty()) ids = of_all(training.context.together(), round);
  training.context.metric({{"step", step}, {"skipped_for", what}, {"utterances", ids}});
  last_ = "step " + graph::whole_text(step) + " was skipped: the " + what + " of " +
          named_utterances(ids) + " is not a finite number";
  const int64_t count = training.progress.skipped_steps;
  if (count > kSaid) return;
  training.context.reporter().say(
      training.name + ": " + last_ +
      (count == kSaid ? "; further ones are told in metrics.jsonl alone" : ""));
}

void SkippedSteps::end_beyond_budget(Training& training) const {
  const int64_t count = training.progress.skipped_steps, most = training.params.max_skipped_steps;
  if (count <= most) return;
  save_checkpoint(training);
  throw graph::RunError(
      training.name + ": " + graph::counted(count, "step") + " of " +
      graph::whole_text(training.progress.step) +
      " had a loss or gradient that is not a finite number, more than \"max_skipped_steps\" (" +
      graph::whole_text(most) + "); at last " + last_ +
      ". The weights are those from before these steps, and saved. Look at the utterances in "
      "metrics.jsonl; where they are in order, a lower \"lr\", \"clip_norm\" or "
      "\"zero_infinity\": true may help in a new run. To go on as it is: --resume " +
      training.context.folder().string() + " --set " + training.name +
      ".max_skipped_steps=" + graph::whole_text(std::max<int64_t>(100, 10 * count)));
}

void SkippedSteps::end(Training& training) {
  const int64_t count = training.progress.skipped_steps;
  if (count == 0) return;
  graph::Json& train =
      training.context.summary().emplace("train", graph::Json::object()).first.value();
  train["skipped_steps"] = train.value("skipped_steps", int64_t{0}) + count;
  training.context.reporter().say(
      training.name + ": " + graph::counted(count, "step") + " of " +
      graph::whole_text(training.progress.step) +
      " skipped, because a loss or gradient was not a finite number; metrics.jsonl names the "
      "utterances");
}

graph::Json SkippedSteps::state() const { return {{"round", round_}, {"last", last_}}; }

void SkippedSteps::restore(const graph::Json& state) {
  round_ = state.at("round").get<std::vector<Ids>>();
  last_ = state.at("last").get<std::string>();
}

}  // namespace flowqat::nodes
