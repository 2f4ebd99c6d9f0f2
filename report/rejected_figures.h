#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flowqat::report {

/// What rejected.jsonl tells, read as it grows.
class RejectedFigures {
 public:
  explicit RejectedFigures(std::filesystem::path list) : list_(std::move(list)) {}

  /// Reads the lines that have come since the last call.
  void read();
  int64_t count() const { return count_; }
  /// A table of how many each node rejected, and the first utterances with their reasons; empty
  /// where there is none.
  std::string html() const;

 private:
  struct Utterance {
    std::string id, node, reason;
  };

  std::filesystem::path list_;
  int64_t bytes_ = 0, count_ = 0;
  std::map<std::string, int64_t> by_node_;
  std::set<std::string> named_;
  std::vector<Utterance> first_;
};

}  // namespace flowqat::report
