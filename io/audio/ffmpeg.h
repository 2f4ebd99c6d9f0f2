/// FFmpeg's handles as owners, and its errors as text. Only this room's sources include it.
#pragma once
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <functional>
#include <memory>
#include <string>

namespace flowqat::io {

/// Frees what FFmpeg frees through a pointer to the pointer.
template <auto Free>
struct FreeBy {
  template <typename T>
  void operator()(T* handle) const {
    Free(&handle);
  }
};
using CodecContextPtr = std::unique_ptr<AVCodecContext, FreeBy<avcodec_free_context>>;
using FormatContextPtr = std::unique_ptr<AVFormatContext, FreeBy<avformat_close_input>>;
using FramePtr = std::unique_ptr<AVFrame, FreeBy<av_frame_free>>;
using PacketPtr = std::unique_ptr<AVPacket, FreeBy<av_packet_free>>;
using BufferPtr = std::unique_ptr<AVBufferRef, FreeBy<av_buffer_unref>>;

/// Receives decoded frames in order; valid during the call only.
using FrameHandler = std::function<void(const AVFrame&)>;
/// The same for a part of a recording, with the number of the frame's first sample in the whole.
using PartHandler = std::function<void(const AVFrame&, int64_t first_sample)>;

/// FFmpeg's text for an error code.
std::string av_error_text(int code);

/// `code` and the errors that FFmpeg logged into `messages`, as one line.
std::string av_error_text(int code, const std::string& messages);

/// Makes FFmpeg log into a string instead of onto stderr: errors of a codec or format context are
/// appended to the std::string that the context's `opaque` points to, and anything else is dropped.
/// Lets FFmpeg have no more than 256 MiB in one piece, whatever a file makes it ask for.
/// Process-wide; called by whoever makes a context.
void keep_ffmpeg_messages();

/// Throws std::bad_alloc for null, which FFmpeg's allocators return when memory is out.
template <typename T>
T* allocated(T* handle) {
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

/// A decoder for `codec` that verifies checksums and fails at the first broken frame. The caller
/// fills in the parameters and opens it. `messages` outlives the context.
CodecContextPtr make_decoder(const AVCodec* codec, std::string& messages);

}  // namespace flowqat::io
