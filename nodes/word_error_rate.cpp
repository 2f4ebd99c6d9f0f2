#include "nodes/word_error_rate.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace flowqat::nodes {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

int64_t cost(const WordErrors& path) { return path.errors(); }

}  // namespace

double WordErrors::rate() const {
  if (reference_words == 0) return errors() == 0 ? 0 : 1;
  return static_cast<double>(errors()) / static_cast<double>(reference_words);
}

WordErrors& WordErrors::operator+=(const WordErrors& other) {
  substitutions += other.substitutions;
  deletions += other.deletions;
  insertions += other.insertions;
  reference_words += other.reference_words;
  return *this;
}

WordErrors count_word_errors(const std::string& reference, const std::string& hypothesis) {
  const std::vector<std::string> spoken = words(reference), heard = words(hypothesis);
  // row[j]: the cheapest way from the reference words so far to the first j heard words.
  std::vector<WordErrors> row(heard.size() + 1);
  for (size_t j = 1; j <= heard.size(); ++j) row[j].insertions = static_cast<int64_t>(j);
  for (size_t i = 1; i <= spoken.size(); ++i) {
    WordErrors diagonal = row[0];
    row[0].deletions = static_cast<int64_t>(i);
    for (size_t j = 1; j <= heard.size(); ++j) {
      WordErrors replace = diagonal, remove = row[j], insert = row[j - 1];
      diagonal = row[j];
      if (spoken[i - 1] != heard[j - 1]) ++replace.substitutions;
      ++remove.deletions;
      ++insert.insertions;
      row[j] = std::min({replace, remove, insert},
                        [](const WordErrors& a, const WordErrors& b) { return cost(a) < cost(b); });
    }
  }
  WordErrors result = row.back();
  result.reference_words = static_cast<int64_t>(spoken.size());
  return result;
}

}  // namespace flowqat::nodes
