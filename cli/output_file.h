#pragma once
#include <string>
#include <vector>

namespace flowqat::cli {

/// A file that a command writes: claimed before the work, so that hours do not end in a refusal;
/// in its place, whole, after it. Until then it has another name beside that, under which an
/// interrupted command leaves nothing. What is no regular file (a device, a pipe) is written as it
/// is.
class OutputFile {
 public:
  /// An empty path: no file at all. Throws GraphError where a file is there already and
  /// `overwrite` is false, OutputError where none can be written.
  OutputFile(const std::string& path, bool overwrite);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  explicit operator bool() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  /// The name to write to until keep().
  const std::string& partial() const { return partial_; }
  /// Puts the file in its place. Throws OutputError.
  void keep();
  /// Writes the whole content and keeps it.
  void write(const std::string& text);

 private:
  std::string path_, partial_;
  bool overwrite_;
};

/// Throws GraphError where one of `paths` is there already.
void refuse_existing(const std::vector<std::string>& paths);

}  // namespace flowqat::cli
