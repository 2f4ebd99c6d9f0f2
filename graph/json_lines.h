#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "graph/checksum.h"
#include "graph/json.h"

namespace flowqat::graph {

/// `json` as it goes to files and programs: on one line that ends, its fractions rounded to seven
/// digits, bytes that are no UTF-8 (a path may hold some) replaced, and every control character
/// escaped.
std::string json_line(const Json& json);

/// A file of one JSON object a line, written out at once, so that nothing is lost when the program
/// is killed. A saved state counts on the lines before it: they are on the disk before it is, and
/// who goes on from it finds exactly them.
class JsonLines {
 public:
  /// Writes nowhere.
  JsonLines() = default;
  /// Starts the file afresh. Throws OutputError if it cannot be written.
  explicit JsonLines(std::filesystem::path path);
  /// Goes on behind what state() told and cuts off what came after it, but never makes the file
  /// longer; a `state` that is null starts it afresh. Throws RunError, with nothing changed, where
  /// why_not() has something to say, unless `accepts`: then as many whole lines stay as there are
  /// of so many bytes. Throws OutputError.
  JsonLines(std::filesystem::path path, const Json& state, bool accepts = false);
  ~JsonLines();
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  /// Throws OutputError.
  void add(const Json& line);
  /// Waits until all of it is on the disk. Throws OutputError.
  void sync() const;
  /// Cuts off what came since state() told `state`. Throws OutputError.
  void cut_back(const Json& state);
  /// How much there is of the file, and its XXH3.
  Json state() const;

  /// Why the file's beginning is not what `state` tells, by the file's name; empty: it is.
  static std::string why_not(const std::filesystem::path& path, const Json& state);

 private:
  void open(int flags);

  std::filesystem::path path_;
  int descriptor_ = -1;
  int64_t bytes_ = 0;
  Checksum checksum_;
};

}  // namespace flowqat::graph
