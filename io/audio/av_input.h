/// A file as libavformat reads it: through our own eyes, and no more often than a sound file needs.
#pragma once
#include <memory>
#include <string>

#include "io/audio/container/container.h"
#include "io/audio/ffmpeg.h"

namespace flowqat::io {

class AvInput {
 public:
  /// Shows what the view does of the file, which outlives the object.
  AvInput(const InputFile& file, ContainerView view);
  AvInput(const AvInput&) = delete;

  AVIOContext* context() const { return context_.get(); }
  /// Why reading failed; empty where it did not. No exception may cross FFmpeg's C code.
  const std::string& failure() const { return failure_; }
  /// Throws Error when this thread has computed for longer on the file than any sound one of its
  /// size takes: 60 s, and 10 s for each of its megabytes. To be asked now and then; reading fails
  /// from then on too.
  void check_time() const;

 private:
  static int read(void* self, uint8_t* bytes, int count);
  static int64_t seek(void* self, int64_t offset, int whence);
  /// The buffer is the context's, which may have replaced it.
  struct Free {
    void operator()(AVIOContext* context) const {
      av_freep(&context->buffer);
      avio_context_free(&context);
    }
  };

  const InputFile& file_;
  const ContainerView view_;
  const double end_of_time_s_;
  int64_t offset_bytes_ = 0;
  std::string failure_;
  std::unique_ptr<AVIOContext, Free> context_;
};

}  // namespace flowqat::io
