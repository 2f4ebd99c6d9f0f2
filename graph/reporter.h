#pragma once
#include <string>

namespace flowqat::graph {

/// Where a run speaks to a person; the command line decides what that looks like.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// A line worth keeping.
  virtual void say(const std::string& line) = 0;
  /// Where things stand; each call replaces the one before.
  virtual void progress(const std::string& status) = 0;
  /// A result, for standard output.
  virtual void result(const std::string& text) = 0;
};

}  // namespace flowqat::graph
