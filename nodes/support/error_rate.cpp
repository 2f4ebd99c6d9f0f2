#include "nodes/support/error_rate.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "io/text/unicode.h"

namespace flowqat::nodes {
namespace {

std::u32string_view strip(std::u32string_view text) {
  return io::strip_right(io::strip_left(text));
}

std::vector<std::string> words_of(const std::string& text) {
  const std::u32string wide = io::from_utf8(text);
  const std::u32string_view rest = strip(wide);
  std::vector<std::string> words;
  std::u32string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(io::to_utf8(word));
    word.clear();
  };
  for (size_t at = 0; at < rest.size();) {
    size_t spaces = 0;
    while (io::is_space(rest[at + spaces])) ++spaces;  // the last character is none
    if (spaces > 1 || (spaces == 1 && rest[at] == U' ')) {
      end_word();
      at += spaces;
    } else {
      word += rest[at++];
    }
  }
  end_word();
  return words;
}

std::vector<std::string> characters_of(const std::string& text) {
  const std::u32string wide = io::from_utf8(text);
  std::vector<std::string> characters;
  for (const char32_t c : strip(wide)) characters.push_back(io::to_utf8({&c, 1}));
  return characters;
}

/// One bit for each pair of a reference and a hypothesis.
class Table {
 public:
  Table(size_t references, size_t hypotheses)
      : hypotheses_(hypotheses), bits_(references * hypotheses) {}
  std::vector<bool>::reference at(size_t reference, size_t hypothesis) {
    return bits_[reference * hypotheses_ + hypothesis];
  }

 private:
  size_t hypotheses_;
  std::vector<bool> bits_;
};

/// The edits between two sequences without a common beginning or end, found backwards: a deletion
/// wherever one lies on a shortest way; else an insertion where, one hypothesis before, a reference
/// more made the way shorter; else a step along both. Hyyrö, "A Note on Bit-Parallel Alignment
/// Computation", Stringology 2004, whose order rapidfuzz keeps.
std::vector<Edit> reversed_edits(const std::vector<int>& reference,
                                 const std::vector<int>& hypothesis) {
  const size_t references = reference.size(), hypotheses = hypothesis.size();
  Table deletes(references, hypotheses), inserts(references, hypotheses);
  std::vector<size_t> above(hypotheses + 1), row(hypotheses + 1);
  std::iota(above.begin(), above.end(), 0);
  for (size_t i = 0; i < references; ++i) {
    row[0] = i + 1;
    for (size_t j = 0; j < hypotheses; ++j) {
      const size_t along = above[j] + (reference[i] == hypothesis[j] ? 0 : 1);
      row[j + 1] = std::min({along, above[j + 1] + 1, row[j] + 1});
      deletes.at(i, j) = row[j + 1] == above[j + 1] + 1;
      inserts.at(i, j) = row[j] + 1 == above[j];
    }
    std::swap(above, row);
  }
  std::vector<Edit> edits;
  size_t i = references, j = hypotheses;
  while (i > 0 && j > 0) {
    if (deletes.at(i - 1, j - 1)) {
      edits.push_back(Edit::deletion);
      --i;
    } else if (inserts.at(i - 1, j - 1)) {
      edits.push_back(Edit::insertion);
      --j;
    } else {
      --i, --j;
      edits.push_back(reference[i] == hypothesis[j] ? Edit::hit : Edit::substitution);
    }
  }
  edits.insert(edits.end(), i, Edit::deletion);
  edits.insert(edits.end(), j, Edit::insertion);
  return edits;
}

std::vector<Edit> edits_between(std::vector<int> reference, std::vector<int> hypothesis) {
  const auto differ =
      std::mismatch(reference.begin(), reference.end(), hypothesis.begin(), hypothesis.end());
  const auto begin = static_cast<size_t>(differ.first - reference.begin());
  reference.erase(reference.begin(), differ.first);
  hypothesis.erase(hypothesis.begin(), differ.second);
  size_t end = 0;
  while (!reference.empty() && !hypothesis.empty() && reference.back() == hypothesis.back()) {
    reference.pop_back();
    hypothesis.pop_back();
    ++end;
  }
  std::vector<Edit> edits(end, Edit::hit);
  const std::vector<Edit> middle = reversed_edits(reference, hypothesis);
  edits.insert(edits.end(), middle.begin(), middle.end());
  edits.insert(edits.end(), begin, Edit::hit);
  std::reverse(edits.begin(), edits.end());
  return edits;
}

Alignment align(std::vector<std::string> reference, std::vector<std::string> hypothesis) {
  std::unordered_map<std::string, int> numbers;  // equal texts become equal numbers
  const auto numbered = [&](const std::vector<std::string>& units) {
    std::vector<int> result;
    for (const std::string& unit : units) {
      result.push_back(numbers.try_emplace(unit, static_cast<int>(numbers.size())).first->second);
    }
    return result;
  };
  std::vector<Edit> edits = edits_between(numbered(reference), numbered(hypothesis));
  return {std::move(reference), std::move(hypothesis), std::move(edits)};
}

}  // namespace

double ErrorCounts::rate() const {
  if (references() == 0) return static_cast<double>(insertions);
  return static_cast<double>(errors()) / static_cast<double>(references());
}

ErrorCounts& ErrorCounts::operator+=(const ErrorCounts& other) {
  hits += other.hits;
  substitutions += other.substitutions;
  deletions += other.deletions;
  insertions += other.insertions;
  return *this;
}

ErrorCounts Alignment::counts() const {
  ErrorCounts counts;
  for (const Edit edit : edits) {
    switch (edit) {
      case Edit::hit:
        ++counts.hits;
        break;
      case Edit::substitution:
        ++counts.substitutions;
        break;
      case Edit::deletion:
        ++counts.deletions;
        break;
      case Edit::insertion:
        ++counts.insertions;
        break;
    }
  }
  return counts;
}

Alignment align_words(const std::string& reference, const std::string& hypothesis) {
  return align(words_of(reference), words_of(hypothesis));
}

Alignment align_characters(const std::string& reference, const std::string& hypothesis) {
  return align(characters_of(reference), characters_of(hypothesis));
}

}  // namespace flowqat::nodes
