#pragma once
#include <string>
#include <vector>

#include "io/tokenizer.h"
#include "model/model.h"

namespace flowqat::nodes {

/// Greedy decoding: the likeliest token of every frame that stands for speech, then the tokenizer's
/// rules (repeats grouped, blanks dropped). One text a row; none for a batch without rows.
std::vector<std::string> recognize(const model::Model& model, const io::Tokenizer& tokenizer,
                                   const model::AudioBatch& audio);

}  // namespace flowqat::nodes
