#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "graph/json.h"

namespace flowqat::graph {

/// `json` as it goes to files and programs: on one line that ends, its fractions rounded to seven
/// digits, and bytes that are no UTF-8 (a path may hold some) replaced.
std::string json_line(const Json& json);

/// A file of one JSON object a line, written out at once, so that nothing is lost when the program
/// is killed. It can be cut back to what a checkpoint knew.
class JsonLines {
 public:
  /// Writes nowhere.
  JsonLines() = default;
  /// Starts the file afresh, or with `keep` leaves what is there for cut_back(). Throws OutputError
  /// if it cannot be written.
  explicit JsonLines(std::filesystem::path path, bool keep = false);

  void add(const Json& line);
  int64_t bytes() const { return bytes_; }
  void cut_back(int64_t bytes);

 private:
  void open(std::ios::openmode mode);

  std::filesystem::path path_;
  std::ofstream file_;
  int64_t bytes_ = 0;
};

}  // namespace flowqat::graph
