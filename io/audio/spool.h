/// What cannot be read at any place, kept in a temporary file that can: a pipe, or compressed audio
/// without exact positions.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>

#include "io/audio/audio_file.h"

namespace flowqat::io {

/// A temporary file without a name, which is gone with the object or the process, however that
/// ends.
class Spool {
 public:
  /// In the system's temporary folder (TMPDIR). Throws Error when it cannot be made.
  Spool();
  ~Spool();
  Spool(Spool&& other) noexcept;
  Spool& operator=(Spool&&) = delete;

  /// Appends. Throws Error when the disk refuses.
  void write(std::span<const std::byte> bytes);
  int64_t bytes() const { return bytes_; }
  /// Where this process can open the file, while the object lives.
  std::filesystem::path path() const;

 private:
  int descriptor_ = -1;
  int64_t bytes_ = 0;
};

/// Called now and then while a pipe is waited for; what it throws ends the waiting.
using Waiting = std::function<void()>;

/// All that an open file or pipe still has to give.
Spool spool_stream(int descriptor, const Waiting& waiting = {});

/// All that comes out of a pipe with a name: a FIFO, what the shell makes of `<(...)`, and
/// /dev/stdin where that is a pipe or a terminal. None for a file, which needs none, and for what
/// can never be read (InputFile says so). A FIFO that nobody writes to is waited for.
std::optional<Spool> spool_pipe(const std::filesystem::path& path, const Waiting& waiting = {});

/// A recording, decoded once: a WAV file of its samples as decode_audio() gives them, of which
/// segments_are_quick(). Memory does not grow with its length. Throws Error as decode_audio() does.
Spool spool_decoded(const AudioPlace& place, const AudioInfo& expected);

}  // namespace flowqat::io
