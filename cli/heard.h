/// What was said and what a model heard, an utterance each: in memory, and in the files that
/// `flowqat evaluate --out` and evaluate nodes write.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "graph/json.h"

namespace flowqat::cli {

struct Heard {
  std::string id, speaker;
  double duration_s = 0;  ///< 0 where it is not known
  std::string reference, hypothesis;
};

/// Whether `given`, in the place of a model, is a file and therefore one of hypotheses.
bool is_file_of_hypotheses(const std::string& given);

/// Reads an object a line, with "id", "reference" and "hypothesis" (texts), and "speaker" and
/// "duration_s" where they are known; other keys are passed over. Throws io::Error naming the line.
std::vector<Heard> read_hypotheses(const std::filesystem::path& file);

}  // namespace flowqat::cli
