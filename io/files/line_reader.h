/// The lines of a text file, plain or compressed with gzip.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "io/files/input_file.h"

struct gzFile_s;

namespace flowqat::io {

class LineReader {
 public:
  /// Whether the file is compressed is decided by its first bytes, never by its name. Throws Error
  /// when it is missing, empty or no regular file.
  explicit LineReader(const std::filesystem::path& path);

  /// Puts the next line into `line`, without its end ("\n" or "\r\n") and without a UTF-8 byte
  /// order mark at the beginning of the file; false behind the last line. Throws Error when the
  /// disk fails, for a line of more than 16 MiB, which no text has, and when the compressed file is
  /// damaged or cut off. Its checksum is known to be right only behind the last line. Bytes behind
  /// the compressed ones are passed over, as gzip does.
  bool next(std::string& line);

  const std::filesystem::path& path() const { return file_.path(); }
  /// Of the line that next() gave last; the first one is 1.
  int64_t number() const { return number_; }
  /// "PATH, line NUMBER", for an Error about that line.
  std::filesystem::path here() const;

 private:
  bool fill();
  [[noreturn]] void fail() const;

  struct Closer {
    void operator()(gzFile_s* opened) const;
  };
  InputFile file_;
  std::unique_ptr<gzFile_s, Closer> text_file_;
  std::string text_;  ///< what was decompressed last; from at_ on it is not yet handed out
  size_t at_ = 0;
  int64_t number_ = 0;
};

/// Whether there is nothing but spaces and tabs in `line`.
bool is_blank(const std::string& line);

}  // namespace flowqat::io
