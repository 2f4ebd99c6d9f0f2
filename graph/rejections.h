/// What a person is told of utterances that could not be used: the first few by name, and in the
/// end all of them by reason.
#pragma once
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "graph/json.h"
#include "graph/message.h"

namespace flowqat::graph {

/// For one thread.
class Rejections {
 public:
  static constexpr size_t named = 3;

  /// `say` gets a line for each of the first few.
  explicit Rejections(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  /// A row that was rejected, or is used but bears a note: the first few of these are told too, and
  /// not counted. Any other is passed over. The same utterance, in another epoch, is counted but
  /// not named again.
  void add(const Row& row);
  int64_t count() const { return count_; }
  /// "decode: MD5 differs (4), holds no audio (1)": the most frequent reasons first, paths left out
  /// and numbers put as N; empty where nothing was rejected.
  std::string by_reason() const;

  /// For a checkpoint, so that a resumed run counts all that the run rejected; the first few are
  /// named again.
  Json state() const;
  void restore(const Json& state);

 private:
  void add_note(const Row& row);

  struct Reason {
    std::string node, text;
    int64_t count = 0;
  };

  std::function<void(const std::string&)> say_;
  int64_t count_ = 0;
  std::set<std::string> named_;  ///< ids
  std::set<std::string> noted_;  ///< the same of notes
  bool noted_more_ = false;
  bool told_more_ = false;
  std::vector<Reason> reasons_;  ///< few
};

/// What is wrong with which file: the reason, behind the path where it does not hold it.
std::string reason_with_path(const Row& row);

}  // namespace flowqat::graph
