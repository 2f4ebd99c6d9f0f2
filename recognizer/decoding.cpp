#include "recognizer/decoding.h"

#include <algorithm>

namespace flowqat::recognizer {

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

}  // namespace flowqat::recognizer
