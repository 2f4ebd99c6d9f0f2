#pragma once
#include <functional>
#include <set>
#include <string>

#include "graph/message.h"

namespace flowqat::graph {

/// What a person is told of utterances that are silence: they are no mistake of a file's, so they
/// are not rejected, but they have nothing to teach. For one thread.
class Silences {
 public:
  static constexpr size_t named = 3;

  /// `say` gets a line for each of the first few.
  explicit Silences(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  /// A row that is silence. The same utterance, in another epoch, is not told again.
  void add(const Row& row);
  /// How many utterances they are.
  size_t count() const { return utterances_.size(); }

 private:
  std::function<void(const std::string&)> say_;
  std::set<std::string> utterances_;  ///< ids
};

}  // namespace flowqat::graph
