#pragma once
#include <vector>

#include "graph/message.h"
#include "io/text/text_normalizer.h"
#include "io/text/tokenizer.h"
#include "model/model.h"

namespace flowqat::nodes {

/// The rows of a batch that a model can hear, as it takes them. Rejected rows and those shorter
/// than one frame are left out, so the memory of `samples` is the batch's own, or `compacted`'s
/// where rows are missing.
struct ModelBatch {
  model::AudioBatch audio;
  std::vector<const graph::Row*> rows;  ///< the utterance of each of audio's rows
  std::vector<const graph::Row*>
      too_short;  ///< speech of less than one frame: nothing to recognize
  std::vector<float> compacted;
};

/// `batch` outlives the result. Targets are the tokens of the normalized transcripts; what is
/// outside the vocabulary then becomes the unknown token (tell_transcripts() says how much that
/// is). Whoever reads no targets need not say how.
ModelBatch to_model_batch(const graph::Batch& batch, const io::Tokenizer& tokenizer,
                          const model::Config& config,
                          const io::TextRules& rules = io::TextNormalization::none);

/// The rows as batches of one each, without their padding, which a model without an attention mask
/// would hear; views of the same memory. What only training reads is left out.
std::vector<model::AudioBatch> one_by_one(const model::AudioBatch& batch);

}  // namespace flowqat::nodes
