#pragma once
#include <vector>

#include "graph/message.h"
#include "io/tokenizer.h"
#include "model/model.h"

namespace flowqat::nodes {

/// The rows of a batch that hold speech, as the model takes them. Rejected rows are left out, so
/// the memory of `samples` is the batch's own, or `compacted`'s where rows are missing.
struct ModelBatch {
  model::AudioBatch audio;
  std::vector<const graph::Row*> rows;  ///< the utterance of each of audio's rows
  std::vector<float> compacted;
  int64_t unknown_characters = 0;  ///< of the transcripts: encoded as <unk>
};

/// `batch` outlives the result.
ModelBatch to_model_batch(const graph::Batch& batch, const io::Tokenizer& tokenizer);

}  // namespace flowqat::nodes
