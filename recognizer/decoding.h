/// From scores of tokens to the likeliest of each frame.
#pragma once
#include <cstdint>
#include <vector>

#include "model/model.h"

namespace flowqat::recognizer {

/// The likeliest token of each of a row's frames from `begin` up to `end`.
std::vector<int32_t> best_tokens(const model::Logits& logits, int64_t row, int64_t begin,
                                 int64_t end);

}  // namespace flowqat::recognizer
