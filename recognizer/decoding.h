/// From scores of tokens to text.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/text/tokenizer.h"
#include "model/model.h"
#include "recognizer/windows.h"

namespace flowqat::recognizer {

/// The likeliest token of each of a row's frames from `begin` up to `end`.
std::vector<int32_t> best_tokens(const model::Logits& logits, int64_t row, int64_t begin,
                                 int64_t end);

/// Adds to `tokens` the likeliest of each frame that counts in a window, of which `logits` has one
/// row, and where `keep_logits` their scores to `kept`.
void add_window(const model::Logits& logits, const Window& window, bool keep_logits,
                std::vector<int32_t>& tokens, std::vector<float>& kept);

/// Greedy decoding: the likeliest token of every frame that stands for speech, then the tokenizer's
/// rules (repeats grouped, blanks dropped). One text a row.
std::vector<std::string> texts_of(const model::Logits& logits, const io::Tokenizer& tokenizer);

/// The same of what the model hears; none for a batch without rows.
std::vector<std::string> recognize(const model::AcousticModel& model,
                                   const io::Tokenizer& tokenizer, const model::AudioBatch& audio);

}  // namespace flowqat::recognizer
