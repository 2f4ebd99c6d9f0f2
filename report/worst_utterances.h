#pragma once
#include <filesystem>
#include <string>

namespace flowqat::report {

/// Of a list that an evaluation wrote (nodes/support/score.h has its lines), the utterances with
/// the most wrong words, what was said and what was heard as one text: struck out what was missed,
/// underlined what came in its place. Empty where there is none, or no file.
std::string worst_utterances(const std::filesystem::path& list);

}  // namespace flowqat::report
