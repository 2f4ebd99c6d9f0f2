#include "io/av_file.h"

#include "io/error.h"

namespace flowqat::io {
namespace {

/// A file opened for reading, its best audio stream and that stream's decoder.
class AvFile {
 public:
  explicit AvFile(const std::filesystem::path& path) : path_(path) {
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

  void decode(const FrameHandler& handle) {
    PacketPtr packet(allocated(av_packet_alloc()));
    FramePtr frame(allocated(av_frame_alloc()));
    for (;;) {
      const int code = av_read_frame(format_.get(), packet.get());
      if (code == AVERROR_EOF) break;
      check(code, "cannot be read");
      // A demuxer that finds damage may only log it and step over what is broken.
      if (!messages_.empty()) check(AVERROR_INVALIDDATA, "broken container");
      if (packet->stream_index == stream_->index) {
        if (is_damaged(*packet)) check(AVERROR_INVALIDDATA, "broken packet");
        check(avcodec_send_packet(decoder_.get(), packet.get()), "broken audio");
        drain(frame.get(), handle);
      }
      av_packet_unref(packet.get());
    }
    check(avcodec_send_packet(decoder_.get(), nullptr), "broken audio");
    drain(frame.get(), handle);
  }

 private:
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
    // Not AV_EF_EXPLODE: it refuses files for a cover picture of an unknown kind.
    format->error_recognition = AV_EF_CRCCHECK;
    AVDictionary* options = nullptr;
    // A playlist must not make us open other files or the network.
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    av_dict_set(&options, "format_blacklist", "hls,concat,dash,sdp,rtsp,tty", 0);
    // Without the prefix, "a:b.wav" would be read as protocol "a".
    const std::string url = "file:" + path_.string();
    const int code = avformat_open_input(&format, url.c_str(), nullptr, &options);
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

  void drain(AVFrame* frame, const FrameHandler& handle) {
    for (;;) {
      const int code = avcodec_receive_frame(decoder_.get(), frame);
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      check(code, "broken audio");
      handle(*frame);
    }
  }

  std::filesystem::path path_;
  std::string messages_;  // outlives the contexts that log into it
  FormatContextPtr format_;
  CodecContextPtr decoder_;
  const AVCodec* codec_ = nullptr;
  AVStream* stream_ = nullptr;
  int64_t stated_samples_ = 0;
};

}  // namespace

AudioInfo read_av_info(const std::filesystem::path& path) {
  AvFile file(path);
  if (file.stated_samples() > 0) return {file.stated_samples(), file.rate_hz(), file.channels()};
  AudioInfo info;
  file.decode([&](const AVFrame& frame) {
    const AudioInfo now{0, frame.sample_rate, frame.ch_layout.nb_channels};
    if (info.samples == 0) {
      info = now;
    } else if (now.rate_hz != info.rate_hz || now.channels != info.channels) {
      throw Error(path, "changes from " + std::to_string(info.rate_hz) + " Hz and " +
                            std::to_string(info.channels) + " channels to " +
                            std::to_string(now.rate_hz) + " Hz and " +
                            std::to_string(now.channels) + " channels midway; convert it first");
    }
    info.samples += frame.nb_samples;
  });
  if (info.samples == 0) throw Error(path, "holds an audio stream without a single sample");
  return info;
}

void decode_av(const std::filesystem::path& path, const FrameHandler& handle) {
  AvFile(path).decode(handle);
}

}  // namespace flowqat::io
