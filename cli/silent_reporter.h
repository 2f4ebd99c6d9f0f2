#pragma once
#include "graph/reporter.h"

namespace flowqat::cli {

/// Of a process that leaves it to another one to speak.
class SilentReporter : public graph::Reporter {
 public:
  void say(const std::string&) override {}
  void progress(const graph::Progress&) override {}
  void result(const std::string&) override {}
};

}  // namespace flowqat::cli
