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

void add_window(const model::Logits& logits, const Window& window, bool keep_logits,
                std::vector<int32_t>& tokens, std::vector<float>& kept) {
  const int64_t end = std::min(window.end_frame, logits.lengths_frames.front());
  if (end <= window.begin_frame) return;
  const std::vector<int32_t> best = best_tokens(logits, 0, window.begin_frame, end);
  tokens.insert(tokens.end(), best.begin(), best.end());
  if (!keep_logits) return;
  const auto values = logits.values.begin();
  kept.insert(kept.end(), values + window.begin_frame * logits.vocabulary,
              values + end * logits.vocabulary);
}

std::vector<std::string> texts_of(const model::Logits& logits, const io::Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (int64_t row = 0; row < logits.rows; ++row) {
    const int64_t frames = logits.lengths_frames[static_cast<size_t>(row)];
    texts.push_back(tokenizer.decode(best_tokens(logits, row, 0, frames)));
  }
  return texts;
}

std::vector<std::string> recognize(const model::AcousticModel& model,
                                   const io::Tokenizer& tokenizer, const model::AudioBatch& audio) {
  if (audio.rows == 0) return {};
  return texts_of(model.infer(audio), tokenizer);
}

}  // namespace flowqat::recognizer
