#pragma once
#include <chrono>

#include "graph/reporter.h"

namespace flowqat::cli {

/// Results to standard output, all else to standard error. On a terminal progress is one line that
/// is written over and never wider than the terminal is at that time (or than COLUMNS says);
/// elsewhere it is a line now and then.
class Terminal : public graph::Reporter {
 public:
  Terminal();
  ~Terminal() override;
  void say(const std::string& line) override;
  void progress(const graph::Progress& progress) override;
  /// Throws OutputError.
  void result(const std::string& text) override;

 private:
  void wipe();

  bool is_terminal_;
  bool has_status_ = false;
  std::chrono::steady_clock::time_point
      last_{};  ///< the first status comes at once, the first line late
};

}  // namespace flowqat::cli
