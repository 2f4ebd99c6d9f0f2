#include "nodes/support/recognize.h"

#include <algorithm>

namespace flowqat::nodes {

std::vector<int32_t> best_tokens(const model::Logits& logits, int64_t row, int64_t begin,
                                 int64_t end) {
  std::vector<int32_t> tokens;
  for (int64_t frame = begin; frame < end; ++frame) {
    const float* scores = logits.values.data() + (row * logits.frames + frame) * logits.vocabulary;
    tokens.push_back(
        static_cast<int32_t>(std::max_element(scores, scores + logits.vocabulary) - scores));
  }
  return tokens;
}

std::vector<std::string> texts_of(const model::Logits& logits, const io::Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (int64_t row = 0; row < logits.rows; ++row) {
    const int64_t frames = logits.lengths_frames[static_cast<size_t>(row)];
    texts.push_back(tokenizer.decode(best_tokens(logits, row, 0, frames)));
  }
  return texts;
}

std::vector<std::string> recognize(const model::AcousticModel& model, const io::Tokenizer& tokenizer,
                                   const model::AudioBatch& audio) {
  if (audio.rows == 0) return {};
  return texts_of(model.infer(audio), tokenizer);
}

}  // namespace flowqat::nodes
