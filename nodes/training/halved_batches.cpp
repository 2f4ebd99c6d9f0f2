#include "nodes/training/halved_batches.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "graph/error.h"
#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "nodes/support/named_utterances.h"
#include "nodes/support/out_of_memory.h"
#include "nodes/training/checkpoints.h"

namespace flowqat::nodes {
namespace {

constexpr int64_t kSaid = 5;  ///< all are in metrics.jsonl

constexpr const char* kSmaller =
    "a smaller \"max_padded_s\" or \"size\" of the batch node, where a larger "
    "\"batches_per_step\" keeps the step as it is";

double padded_s(const ModelBatch& batch) {
  return static_cast<double>(batch.audio.rows * batch.audio.padded_samples) /
         batch.rows.front()->entry->shape.rate_hz;
}

std::string failure(const Training& training) {
  return training.name + ": step " + graph::whole_text(training.progress.step + 1) +
         ": the device has not the memory for ";
}

/// `from`: where --resume goes on.
std::string way_out(const Training& training, const std::string& from) {
  const std::string go_on = "--resume " + training.context.folder().string();
  return ". To go on" + from + ": " +
         (training.params.options.gradient_checkpointing
              ? go_on + " where the device has more memory"
              : go_on + " --set " + training.name +
                    ".gradient_checkpointing=true, which takes less memory and more time, or " +
                    go_on + " where the device has more") +
         ". A new run takes less with " + kSmaller + ", a smaller \"max_duration_s\" of " +
         training.name + ", or \"precision\": \"bf16\" of the model node";
}

}  // namespace

void HalvedBatches::after_batch(Training& training, const Heard& heard) {
  if (!heard.in_halves) return;
  ++count_;
  const int64_t step = training.progress.step + 1;
  const double size_s = padded_s(heard.prepared);
  training.context.metric({{"step", step},
                           {"halved_batch_padded_s", size_s},
                           {"utterances", ids_of(heard.prepared.rows)}});
  if (count_ > kSaid) return;
  const std::string last = "; further ones are told in metrics.jsonl alone";
  training.context.reporter().say(
      training.name + ": step " + graph::whole_text(step) + ": the device has not the memory for " +
      rows_text(heard.prepared.rows) + graph::format(", padded to %.1f s, at once", size_s) +
      ": they were heard in two halves, with the same result in more time; faster is " + kSmaller +
      (count_ == kSaid ? last : ""));
}

void HalvedBatches::end(Training& training) {
  if (count_ == 0) return;
  graph::Json& train =
      training.context.summary().emplace("train", graph::Json::object()).first.value();
  train["halved_batches"] = train.value("halved_batches", int64_t{0}) + count_;
  training.context.reporter().say(
      training.name + ": " + graph::counted(count_, "batch", "batches") +
      " heard in two halves, for lack of memory on the device; metrics.jsonl names the utterances");
}

void end_out_of_memory(Training& training, const ModelBatch& batch,
                       const model::OutOfMemory& error) {
  std::string text = failure(training) + rows_text(batch.rows) +
                     graph::format(", padded to %.1f s", padded_s(batch));
  if (error.rows() > 0 && error.rows() < batch.audio.rows) {
    const auto first = batch.rows.begin() + error.first_row();
    text += ", nor for a half of them (" + named_utterances(ids_of({first, first + error.rows()})) +
            ")";
  }
  text += std::string(" (") + error.what() + ")";
  const bool saves = training.context.together().is_alone();
  if (saves) {
    save_checkpoint(training);
    text += ". All that was learned before this batch is saved";
  }
  throw graph::RunError(text + way_out(training, saves ? "" : " from the last checkpoint"));
}

void end_out_of_memory(const Training& training, const model::OutOfMemory& error) {
  throw graph::RunError(failure(training) + "the update of the weights (" + error.what() + ")" +
                        way_out(training, " from the last checkpoint"));
}

}  // namespace flowqat::nodes
