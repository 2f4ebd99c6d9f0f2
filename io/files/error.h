/// The one exception of this room.
#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/message.h"

namespace flowqat::io {

/// A file that is missing, broken, foreign or not what was promised. The text names the file, says
/// what was expected and found there, and what to do about it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(message(what)) {}
  /// "PATH: WHAT".
  Error(const std::filesystem::path& path, const std::string& what)
      : Error(path.string() + ": " + what) {}
};

}  // namespace flowqat::io
