#include "io/audio/av_file.h"

#include "io/files/error.h"

namespace flowqat::io {
namespace {

/// A file opened for reading, its best audio stream and that stream's decoder.
class AvFile {
 public:
  explicit AvFile(const InputFile& file) : file_(file), path_(file.path()) {
    keep_ffmpeg_messages();
    open_container();
    const int found = av_find_best_stream(format_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, &codec_, 0);
    if (found == AVERROR_DECODER_NOT_FOUND) {
      throw Error(path_, "holds audio in a codec that libavcodec on this system cannot decode");
    }
    if (found < 0) throw Error(path_, "expected audio, found none in the file");
    for (unsigned i = 0; i < format_->nb_streams; ++i) {
      if (static_cast<int>(i) != found) format_->streams[i]->discard = AVDISCARD_ALL;
    }
    stream_ = format_->streams[found];
    open_decoder();
  }

  /// Samples that the container states exactly, or 0.
  int64_t stated_samples() const { return stated_samples_; }
  int rate_hz() const { return stream_->codecpar->sample_rate; }
  int channels() const { return stream_->codecpar->ch_layout.nb_channels; }

  /// Hands on frames until one ends at or behind sample `end`.
  void decode(const PartHandler& handle, int64_t end = INT64_MAX) {
    PacketPtr packet(allocated(av_packet_alloc()));
    FramePtr frame(allocated(av_frame_alloc()));
    while (position_ < end && read(packet.get())) {
      if (packet->stream_index == stream_->index) {
        if (is_damaged(*packet)) check(AVERROR_INVALIDDATA, "broken packet");
        check(avcodec_send_packet(decoder_.get(), packet.get()), "broken audio");
        drain(frame.get(), handle);
      }
      av_packet_unref(packet.get());
    }
    if (position_ >= end) return;
    check(avcodec_send_packet(decoder_.get(), nullptr), "broken audio");
    drain(frame.get(), handle);
  }

  /// Goes to `first_sample`, or somewhat before it. False, and not to be used any more, where that
  /// cannot be believed to be where decoding from the beginning on would come: containers keep
  /// account of time in fields that nothing else needs, and that may be wrong. Of PCM, though, the
  /// bytes between two packets say how many samples they are apart.
  bool seek(int64_t first_sample) {
    const int64_t frame_bytes = pcm_frame_bytes();
    if (stated_samples_ == 0 || stream_->codecpar->block_align != frame_bytes) return false;
    PacketPtr packet(allocated(av_packet_alloc()));
    if (!read_own(packet.get())) return false;
    const int64_t begin_bytes = packet->pos, begin_pts = packet->pts;
    // What libavformat goes by. Many programs leave nonsense here.
    stream_->codecpar->bit_rate = 8 * frame_bytes * rate_hz();
    av_packet_unref(packet.get());
    if (av_seek_frame(format_.get(), stream_->index, first_sample, AVSEEK_FLAG_BACKWARD) < 0 ||
        !read_own(packet.get())) {
      return false;
    }
    constexpr int64_t none = AV_NOPTS_VALUE;
    if (begin_bytes < 0 || packet->pos < 0 || begin_pts == none || packet->pts == none)
      return false;
    position_ = packet->pts - begin_pts;
    if (position_ < 0 || position_ > first_sample ||
        packet->pos - begin_bytes != position_ * frame_bytes) {
      return false;
    }
    next_ = std::move(packet);
    return true;
  }

 private:
  /// The next packet of any stream; false at the end.
  bool read(AVPacket* packet) {
    if (next_) {
      av_packet_move_ref(packet, next_.get());
      next_.reset();
      return true;
    }
    const int code = av_read_frame(format_.get(), packet);
    if (code == AVERROR_EOF) return false;
    check(code, "cannot be read");
    // A demuxer that finds damage may only log it and step over what is broken.
    if (!messages_.empty()) check(AVERROR_INVALIDDATA, "broken container");
    return true;
  }
  bool read_own(AVPacket* packet) {
    while (read(packet)) {
      if (packet->stream_index == stream_->index) return true;
      av_packet_unref(packet);
    }
    return false;
  }

  /// Of one sample of all channels; 0 if it is no whole number, or not PCM.
  int64_t pcm_frame_bytes() const {
    const int64_t bits =
        int64_t{av_get_exact_bits_per_sample(stream_->codecpar->codec_id)} * channels();
    return bits % 8 == 0 ? bits / 8 : 0;
  }

  void check(int code, const char* what) const {
    if (code < 0) {
      throw Error(path_, std::string(what) + ": " + av_error_text(code, messages_) +
                             "; the file is damaged or not audio, copy it again from its source");
    }
  }

  /// PCM whose container does not know its end always ends in a "damaged" packet: a short one.
  bool is_damaged(const AVPacket& packet) const {
    const bool pcm = av_get_exact_bits_per_sample(stream_->codecpar->codec_id) > 0;
    return (packet.flags & AV_PKT_FLAG_CORRUPT) != 0 && !pcm;
  }

  void open_container() {
    AVFormatContext* format = allocated(avformat_alloc_context());
    format->opaque = &messages_;
    constexpr int buffer_bytes = 1 << 16;
    auto* buffer = static_cast<unsigned char*>(allocated(av_malloc(buffer_bytes)));
    input_.reset(allocated(
        avio_alloc_context(buffer, buffer_bytes, 0, this, &read_bytes, nullptr, &seek_bytes)));
    format->pb = input_.get();
    // Not AV_EF_EXPLODE: it refuses files for a cover picture of an unknown kind.
    format->error_recognition = AV_EF_CRCCHECK;
    AVDictionary* options = nullptr;
    // A playlist must not make us open other files or the network.
    av_dict_set(&options, "protocol_whitelist", "none", 0);
    av_dict_set(&options, "format_blacklist", "hls,concat,dash,sdp,rtsp,tty", 0);
    const int code = avformat_open_input(&format, path_.c_str(), nullptr, &options);
    av_dict_free(&options);
    if (code < 0) {  // avformat_open_input has freed the context
      throw Error(path_, "expected an audio file, found nothing that FFmpeg recognises: " +
                             av_error_text(code, messages_));
    }
    format_.reset(format);
    remember_stated_samples();
    check(avformat_find_stream_info(format_.get(), nullptr), "cannot be examined");
    messages_.clear();  // what stood in the metadata does not touch the audio
  }

  /// To be asked before avformat_find_stream_info, which fills durations with estimates.
  void remember_stated_samples() {
    for (unsigned i = 0; i < format_->nb_streams; ++i) {
      const AVStream& stream = *format_->streams[i];
      const AVCodecParameters& codec = *stream.codecpar;
      const bool in_samples =
          stream.time_base.num == 1 && stream.time_base.den == codec.sample_rate;
      if (format_->nb_streams == 1 && av_get_exact_bits_per_sample(codec.codec_id) >= 8 &&
          stream.duration > 0 && in_samples) {
        stated_samples_ = stream.duration;
      }
    }
  }

  void open_decoder() {
    decoder_ = make_decoder(codec_, messages_);
    check(avcodec_parameters_to_context(decoder_.get(), stream_->codecpar), "no decoder");
    decoder_->pkt_timebase = stream_->time_base;
    check(avcodec_open2(decoder_.get(), codec_, nullptr), "no decoder");
  }

  void drain(AVFrame* frame, const PartHandler& handle) {
    for (;;) {
      const int code = avcodec_receive_frame(decoder_.get(), frame);
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      check(code, "broken audio");
      handle(*frame, position_);
      position_ += frame->nb_samples;
    }
  }

  static int read_bytes(void* self, uint8_t* bytes, int count) {
    auto& at = *static_cast<AvFile*>(self);
    try {
      const size_t done = at.file_.read(at.offset_bytes_, {bytes, static_cast<size_t>(count)});
      at.offset_bytes_ += static_cast<int64_t>(done);
      return done == 0 ? AVERROR_EOF : static_cast<int>(done);
    } catch (const std::exception& error) {  // no exception may cross FFmpeg's C code
      at.messages_ = error.what();
      return AVERROR(EIO);
    }
  }

  static int64_t seek_bytes(void* self, int64_t offset, int whence) {
    auto& at = *static_cast<AvFile*>(self);
    const int64_t size = at.file_.size_bytes();
    if ((whence & AVSEEK_SIZE) != 0) return size;
    const int from = whence & ~AVSEEK_FORCE;
    if (from == SEEK_CUR) offset += at.offset_bytes_;
    if (from == SEEK_END) offset += size;
    if (offset < 0) return AVERROR(EINVAL);
    return at.offset_bytes_ = offset;
  }

  /// The buffer is the context's, which may have replaced it.
  struct FreeInput {
    void operator()(AVIOContext* input) const {
      av_freep(&input->buffer);
      avio_context_free(&input);
    }
  };

  const InputFile& file_;
  const std::filesystem::path& path_;
  int64_t offset_bytes_ = 0;
  std::string messages_;  // outlives the contexts that log into it
  std::unique_ptr<AVIOContext, FreeInput> input_;
  FormatContextPtr format_;
  CodecContextPtr decoder_;
  const AVCodec* codec_ = nullptr;
  AVStream* stream_ = nullptr;
  int64_t stated_samples_ = 0;
  int64_t position_ = 0;  ///< of the next frame's first sample
  PacketPtr next_;        ///< read already, to be handed on first
};

}  // namespace

AudioInfo read_av_info(const InputFile& input) {
  AvFile file(input);
  if (file.stated_samples() > 0) return {file.stated_samples(), file.rate_hz(), file.channels()};
  AudioInfo info;
  file.decode([&](const AVFrame& frame, int64_t) {
    const AudioInfo now{0, frame.sample_rate, frame.ch_layout.nb_channels};
    if (info.samples == 0) {
      info = now;
    } else if (now.rate_hz != info.rate_hz || now.channels != info.channels) {
      throw Error(input.path(), "changes from " + std::to_string(info.rate_hz) + " Hz and " +
                                    std::to_string(info.channels) + " channels to " +
                                    std::to_string(now.rate_hz) + " Hz and " +
                                    std::to_string(now.channels) +
                                    " channels midway; convert it first");
    }
    info.samples += frame.nb_samples;
  });
  if (info.samples == 0) throw Error(input.path(), "holds an audio stream without a single sample");
  return info;
}

bool can_seek_av(const InputFile& file) {
  AvFile av(file);
  return av.seek(av.stated_samples() / 2);
}

void decode_av(const InputFile& file, const FrameHandler& handle) {
  AvFile(file).decode([&handle](const AVFrame& frame, int64_t) { handle(frame); });
}

void decode_av_part(const InputFile& file, int64_t first_sample, int64_t samples,
                    const PartHandler& handle) {
  if (first_sample > 0) {
    AvFile av(file);
    if (av.seek(first_sample)) return av.decode(handle, first_sample + samples);
  }
  AvFile(file).decode(handle, first_sample + samples);
}

}  // namespace flowqat::io
