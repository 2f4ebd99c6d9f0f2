#include "nodes/recognize.h"

#include <algorithm>

namespace flowqat::nodes {

std::vector<std::string> recognize(const model::Model& model, const io::Tokenizer& tokenizer,
                                   const model::AudioBatch& audio) {
  if (audio.rows == 0) return {};
  const model::Logits logits = model.infer(audio);
  std::vector<std::string> texts;
  for (int64_t row = 0; row < logits.rows; ++row) {
    std::vector<int32_t> tokens;
    for (int64_t frame = 0; frame < logits.lengths_frames[static_cast<size_t>(row)]; ++frame) {
      const float* scores =
          logits.values.data() + (row * logits.frames + frame) * logits.vocabulary;
      tokens.push_back(
          static_cast<int32_t>(std::max_element(scores, scores + logits.vocabulary) - scores));
    }
    texts.push_back(tokenizer.decode(tokens));
  }
  return texts;
}

}  // namespace flowqat::nodes
