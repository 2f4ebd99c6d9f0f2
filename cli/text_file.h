#pragma once
#include <fstream>
#include <string>

#include "graph/error.h"

namespace flowqat::cli {

/// Throws RunError when `file` cannot be written.
inline void write_text(const std::string& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  if (!out) throw graph::RunError(file + ": cannot be written");
}

/// Whoever measures for minutes wants to hear beforehand that the result has no place to go.
inline void require_writable(const std::string& file) {
  if (!file.empty() && !std::ofstream(file, std::ios::app)) {
    throw graph::RunError(file + ": cannot be written");
  }
}

}  // namespace flowqat::cli
