#pragma once
#include "graph/error.h"

namespace flowqat::graph {

/// A file, or standard output, that cannot be written: a full disk, a folder without the right to
/// write, a pipe that nobody reads any more. The program ends with status 3.
class OutputError : public RunError {
 public:
  using RunError::RunError;
};

}  // namespace flowqat::graph
