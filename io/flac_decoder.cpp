#include "io/flac_decoder.h"

#include <cstring>

#include "io/error.h"
#include "io/pool.h"

namespace flowqat::io {
namespace {

constexpr size_t most_idle_decoders = 64;
/// Rooms above this are given back to the system with their file.
constexpr size_t most_idle_room_bytes = 8 << 20;

Pool<FlacFormat, FlacDecoder>& pool() {
  static Pool<FlacFormat, FlacDecoder> decoders(most_idle_decoders);
  return decoders;
}

/// STREAMINFO (RFC 9639, section 8.2) with only what the decoder needs: the rest (frame sizes,
/// total, MD5) is that of one file, and a zero there means unknown.
void put_streaminfo(const FlacFormat& format, uint8_t* out) {
  const auto block = static_cast<uint32_t>(format.max_block_samples);
  const auto rate = static_cast<uint32_t>(format.rate_hz);
  const auto channels = static_cast<uint32_t>(format.channels - 1);
  const auto bits = static_cast<uint32_t>(format.bits - 1);
  out[0] = out[2] = static_cast<uint8_t>(block >> 8);
  out[1] = out[3] = static_cast<uint8_t>(block);
  out[10] = static_cast<uint8_t>(rate >> 12);
  out[11] = static_cast<uint8_t>(rate >> 4);
  out[12] = static_cast<uint8_t>(rate << 4 | channels << 1 | bits >> 4);
  out[13] = static_cast<uint8_t>(bits << 4);
}

}  // namespace

FlacDecoder::FlacDecoder(const FlacFormat& format)
    : format_(format), frame_(allocated(av_frame_alloc())), packet_(allocated(av_packet_alloc())) {
  const AVCodec* codec = avcodec_find_decoder(AV_CODEC_ID_FLAC);
  if (codec == nullptr) throw Error("libavcodec on this system was built without a FLAC decoder");
  context_ = make_decoder(codec, messages_);
  constexpr int streaminfo_bytes = 34;
  context_->extradata =
      static_cast<uint8_t*>(allocated(av_mallocz(streaminfo_bytes + AV_INPUT_BUFFER_PADDING_SIZE)));
  context_->extradata_size = streaminfo_bytes;
  put_streaminfo(format, context_->extradata);
  const int code = avcodec_open2(context_.get(), codec, nullptr);
  if (code < 0) throw Error("FLAC decoder cannot be opened: " + av_error_text(code, messages_));
}

std::unique_ptr<FlacDecoder> FlacDecoder::take(const FlacFormat& format) {
  auto decoder = pool().take(format);
  return decoder ? std::move(decoder) : std::make_unique<FlacDecoder>(format);
}

void FlacDecoder::give_back(std::unique_ptr<FlacDecoder> decoder) {
  avcodec_flush_buffers(decoder->context_.get());
  decoder->messages_.clear();
  if (decoder->room_bytes_ > most_idle_room_bytes) {
    decoder->room_.reset();
    decoder->room_bytes_ = 0;
  }
  const FlacFormat format = decoder->format_;
  pool().give_back(format, std::move(decoder));
}

uint8_t* FlacDecoder::reserve(size_t bytes) {
  if (bytes > room_bytes_) {
    room_.reset();
    room_bytes_ = 0;
    room_.reset(allocated(av_buffer_alloc(bytes + AV_INPUT_BUFFER_PADDING_SIZE)));
    room_bytes_ = bytes;
  }
  return room_->data;
}

void FlacDecoder::start(size_t offset, size_t bytes) {
  std::memset(room_->data + offset + bytes, 0, AV_INPUT_BUFFER_PADDING_SIZE);
  // A reference to the room: a packet without one would be copied.
  packet_->buf = allocated(av_buffer_ref(room_.get()));
  packet_->data = room_->data + offset;
  packet_->size = static_cast<int>(bytes);
  start_error_ = avcodec_send_packet(context_.get(), packet_.get());
  av_packet_unref(packet_.get());
}

const AVFrame* FlacDecoder::next(int* error) {
  // Sending a packet already decodes its first frame, so it fails where that one is broken.
  *error = start_error_;
  if (*error < 0) return nullptr;
  *error = avcodec_receive_frame(context_.get(), frame_.get());
  if (*error == AVERROR(EAGAIN))
    *error = 0;
  else if (*error == 0)
    return frame_.get();
  return nullptr;
}

}  // namespace flowqat::io
