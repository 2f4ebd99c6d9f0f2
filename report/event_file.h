#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/json.h"
#include "report/metric_lines.h"

namespace flowqat::report {

/// What metrics.jsonl holds, for TensorBoard: a record a line, behind one that names the format.
/// Each is written out at once. When a run goes on, the file is made anew of the lines that are
/// left, with the times at which they came, under a new name and in the place of the one before: a
/// TensorBoard that looks on begins anew with it, and no step is in it twice.
class EventFile {
 public:
  /// Takes the times of the file that `run` holds, if there is one; add() is to be called with
  /// every line that is there, and put_in_place() behind them. Throws OutputError.
  explicit EventFile(std::filesystem::path run);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void put_in_place();
  void add(const graph::Json& line);

 private:
  double next_time();
  void write(const std::string& record);
  void flush();

  std::filesystem::path run_, partial_;
  int descriptor_ = -1;
  bool in_place_ = false;
  std::string waiting_;  ///< what is not written yet, before the file is in its place
  std::vector<std::filesystem::path> before_;
  std::vector<double> times_;  ///< of the records before
  size_t records_ = 0;
  int64_t number_ = 0;  ///< in the file's name: seconds since 1970, above those before
  RunSteps steps_;
};

}  // namespace flowqat::report
