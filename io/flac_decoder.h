/// libavcodec's FLAC decoder, kept and reused: opening one costs as much as decoding a short clip.
#pragma once
#include <memory>
#include <string>

#include "io/ffmpeg.h"

namespace flowqat::io {

/// All that a decoder must know of a file before its first frame.
struct FlacFormat {
  int rate_hz = 0;
  int channels = 0;
  int bits = 0;
  int max_block_samples = 0;
  bool operator==(const FlacFormat&) const = default;
};

class FlacDecoder {
 public:
  /// Throws Error when libavcodec was built without FLAC.
  explicit FlacDecoder(const FlacFormat& format);

  /// A decoder from the pool, or a new one.
  static std::unique_ptr<FlacDecoder> take(const FlacFormat& format);
  /// Resets the decoder and keeps it for the next file of its format.
  static void give_back(std::unique_ptr<FlacDecoder> decoder);

  /// Room for a file's bytes, owned by the decoder and followed by the padding that FFmpeg wants.
  uint8_t* reserve(size_t bytes);
  /// Starts on `bytes` bytes at `offset` of the room. To be followed by next().
  void start(size_t offset, size_t bytes);
  /// The next frame, valid until the next call; null when the bytes are used up. `*error` is set to
  /// 0, or to FFmpeg's code when the bytes are no sound frame (then null is returned).
  const AVFrame* next(int* error);
  /// What FFmpeg logged about the error.
  const std::string& messages() const { return messages_; }

 private:
  FlacFormat format_;
  std::string messages_;  // outlives the context that logs into it
  BufferPtr room_;
  size_t room_bytes_ = 0;
  CodecContextPtr context_;
  FramePtr frame_;
  PacketPtr packet_;
  int start_error_ = 0;
};

}  // namespace flowqat::io
