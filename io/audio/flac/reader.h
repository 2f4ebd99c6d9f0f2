/// The frames of a FLAC file one after another, read in large pieces.
#pragma once
#include <memory>

#include "io/audio/flac/block.h"
#include "io/files/input_file.h"

namespace flowqat::io {

/// Takes up more memory than the pieces only where a frame does. Kept and reused, so that its
/// memory is taken from the system once.
class FlacReader {
 public:
  /// An idle reader, or a new one.
  static std::unique_ptr<FlacReader> take();
  static void give_back(std::unique_ptr<FlacReader> reader);

  /// Goes to the frame at byte `begin`; nothing at or behind `end` belongs to a frame. The file
  /// outlives the reading.
  void start(const InputFile& file, int64_t begin, int64_t end);
  /// The next frame, valid until the next call; null at the end. Where the bytes are no sound frame
  /// `*wrong` says why, and null is returned. Throws Error when the disk fails.
  const FlacBlock* next(const FlacHeader& header, const char** wrong);

 private:
  /// Reads on behind the bytes that are left; false where the file has no more.
  bool read_more();

  const InputFile* file_ = nullptr;
  int64_t offset_ = 0, end_ = 0;  ///< of the file: what is to be read
  std::unique_ptr<uint8_t[]> room_;
  size_t room_bytes_ = 0;
  size_t begin_ = 0, filled_ = 0;  ///< of the room: what is to be decoded
  FlacBlock block_;
};

}  // namespace flowqat::io
