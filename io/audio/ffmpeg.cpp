#include "io/audio/ffmpeg.h"

#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace flowqat::io {
namespace {

constexpr size_t messages_limit_bytes = 300;
/// The index of the longest film is not half as large.
constexpr size_t most_block_bytes = 256 << 20;

void keep_message(void* context, int level, const char* format, va_list arguments) {
  if (context == nullptr || level > AV_LOG_ERROR) return;
  const AVClass* type = *static_cast<AVClass**>(context);
  void* opaque = nullptr;
  if (type == avcodec_get_class()) opaque = static_cast<AVCodecContext*>(context)->opaque;
  if (type == avformat_get_class()) opaque = static_cast<AVFormatContext*>(context)->opaque;
  auto* messages = static_cast<std::string*>(opaque);
  if (messages == nullptr || messages->size() > messages_limit_bytes) return;
  char line[200];
  std::vsnprintf(line, sizeof line, format, arguments);
  std::string text = line;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (!messages->empty()) *messages += "; ";
  *messages += text;
}

}  // namespace

std::string av_error_text(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

std::string av_error_text(int code, const std::string& messages) {
  return av_error_text(code) + (messages.empty() ? "" : " (" + messages + ")");
}

void keep_ffmpeg_messages() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_log_set_callback(keep_message);
    av_max_alloc(most_block_bytes);
  });
}

CodecContextPtr make_decoder(const AVCodec* codec, std::string& messages) {
  keep_ffmpeg_messages();
  CodecContextPtr context(allocated(avcodec_alloc_context3(codec)));
  context->opaque = &messages;
  // CRCCHECK alone only logs; EXPLODE makes a wrong checksum an error.
  context->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  context->thread_count = 1;  // utterances are decoded side by side instead
  return context;
}

}  // namespace flowqat::io
