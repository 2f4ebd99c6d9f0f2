#include "io/audio/av_file.h"

#include <algorithm>
#include <string_view>

#include "io/audio/av_formats.h"
#include "io/audio/av_input.h"
#include "io/audio/container/stated.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

/// A file opened for reading, its best audio stream and that stream's decoder.
class AvFile {
 public:
  explicit AvFile(const InputFile& file)
      : path_(file.path()),
        recognised_(recognise_recording(file)),
        input_(file, view_container(file, recognised_->name)) {
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
    check_promise(file);
  }

  /// Samples that the container states exactly, or 0.
  int64_t stated_samples() const { return stated_samples_; }
  /// Samples that a compressed stream states to have, or 0.
  int64_t promised_samples() const {
    const AVCodecParameters& codec = *stream_->codecpar;
    const std::string_view format = recognised_->name;
    if (format == "ogg" && codec.codec_id == AV_CODEC_ID_FLAC && codec.extradata_size >= 34) {
      // The total in STREAMINFO (RFC 9639, section 8.2).
      int64_t total = codec.extradata[13] & 15;
      for (int i = 14; i < 18; ++i) total = total << 8 | codec.extradata[i];
      return total;
    }
    const bool is_exact = format == "wv" || format == "tta" || format == "ape" || format == "tak";
    return is_exact ? stated_duration_ : 0;
  }
  int rate_hz() const { return stream_->codecpar->sample_rate; }
  int channels() const { return stream_->codecpar->ch_layout.nb_channels; }

  /// Hands on frames until one ends at or behind sample `end`, or at the last that the container
  /// states exactly: what stands behind it is something else.
  void decode(const PartHandler& handle, int64_t end = INT64_MAX) {
    if (stated_samples_ > 0) end = std::min(end, stated_samples_);
    PacketPtr packet(allocated(av_packet_alloc()));
    FramePtr frame(allocated(av_frame_alloc()));
    while (position_ < end && read(packet.get())) {
      if (packet->stream_index == stream_->index) {
        if (is_damaged(*packet)) check(AVERROR_INVALIDDATA, "broken packet");
        drop_surplus(*packet);
        if (packet->size > 0 && !is_opus_header(*packet)) {
          check(avcodec_send_packet(decoder_.get(), packet.get()), "broken audio");
          drain(frame.get(), handle);
        }
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
    // A demuxer may take a disk that fails for the file's end.
    if (code == AVERROR_EOF && input_.failure().empty()) return false;
    check(code, "cannot be read");
    // A demuxer that finds damage may only log it and step over what is broken.
    if (!messages_.empty()) check(AVERROR_INVALIDDATA, "broken container");
    input_.check_time();
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
    const int64_t bits = int64_t{exact_bits()} * channels();
    return bits % 8 == 0 ? bits / 8 : 0;
  }

  void check(int code, const char* what) const {
    if (code >= 0) return;
    if (!input_.failure().empty()) throw Error(input_.failure());
    if (messages_.find(" differ") != std::string::npos) {  // as WavPack's demuxer says it
      throw Error(path_, "changes its format midway (" + messages_ +
                             "): it is several recordings in one file; convert it, or take it "
                             "apart");
    }
    throw Error(path_, std::string(what) + ": " + av_error_text(code, messages_) +
                           "; the file is damaged or not audio, copy it again from its source");
  }

  int exact_bits() const { return av_get_exact_bits_per_sample(stream_->codecpar->codec_id); }

  /// PCM whose container does not know its end always ends in a "damaged" packet: a short one.
  bool is_damaged(const AVPacket& packet) const {
    return (packet.flags & AV_PKT_FLAG_CORRUPT) != 0 && exact_bits() == 0;
  }

  /// Bytes at the end that are no whole sample in all channels are none; nor are those that are no
  /// whole block of GSM in a WAV, which sox pads.
  void drop_surplus(AVPacket& packet) const {
    const bool is_gsm = stream_->codecpar->codec_id == AV_CODEC_ID_GSM_MS;
    const int64_t block = is_gsm ? stream_->codecpar->block_align : pcm_frame_bytes();
    if (block > 0) av_shrink_packet(&packet, static_cast<int>(packet.size / block * block));
  }

  /// Where streams of Opus follow one another in an Ogg, the demuxer hands on the later ones'
  /// headers.
  bool is_opus_header(const AVPacket& packet) const {
    const std::string_view bytes(reinterpret_cast<const char*>(packet.data),
                                 static_cast<size_t>(packet.size));
    return stream_->codecpar->codec_id == AV_CODEC_ID_OPUS &&
           (bytes.starts_with("OpusHead") || bytes.starts_with("OpusTags"));
  }

  void open_container() {
    AVFormatContext* format = allocated(avformat_alloc_context());
    format->opaque = &messages_;
    format->pb = input_.context();
    // Not AV_EF_EXPLODE: it refuses files for a cover picture of an unknown kind.
    format->error_recognition = AV_EF_CRCCHECK;
    AVDictionary* options = nullptr;
    // A file must not make us open other files or the network, nor run a decoder of pictures.
    av_dict_set(&options, "protocol_whitelist", "none", 0);
    av_dict_set(&options, "format_whitelist", allowed_formats().c_str(), 0);
    av_dict_set(&options, "codec_whitelist", allowed_decoders().c_str(), 0);
    const int code = avformat_open_input(&format, path_.c_str(), recognised_, &options);
    av_dict_free(&options);
    if (code < 0) {  // avformat_open_input has freed the context
      check(code, "cannot be opened");
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
      if (in_samples) stated_duration_ = std::max<int64_t>(stream.duration, 0);
      if (format_->nb_streams == 1 && av_get_exact_bits_per_sample(codec.codec_id) >= 8 &&
          stream.duration > 0 && in_samples) {
        stated_samples_ = stream.duration;
      }
    }
  }

  /// Nothing is allocated for samples that the file has no bytes for.
  void check_promise(const InputFile& file) const {
    const auto needed_bits = static_cast<double>(stated_samples_) * exact_bits() * channels();
    if (needed_bits <= 8 * static_cast<double>(file.size_bytes())) return;
    throw Error(path_, "the header promises " + std::to_string(stated_samples_) + " samples of " +
                           std::to_string(exact_bits()) + " bits in " + std::to_string(channels()) +
                           " channel(s), the file holds " + std::to_string(file.size_bytes()) +
                           " bytes; it is cut off or damaged, copy it again from its source");
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
      if (stated_samples_ > 0) {
        const int64_t left = std::max<int64_t>(stated_samples_ - position_, 0);
        frame->nb_samples = static_cast<int>(std::min<int64_t>(frame->nb_samples, left));
      }
      if (frame->nb_samples > 0) handle(*frame, position_);
      position_ += frame->nb_samples;
    }
  }

  const std::filesystem::path& path_;
  const AVInputFormat* recognised_;
  AvInput input_;
  std::string messages_;  // outlives the contexts that log into it
  FormatContextPtr format_;
  CodecContextPtr decoder_;
  const AVCodec* codec_ = nullptr;
  AVStream* stream_ = nullptr;
  int64_t stated_samples_ = 0, stated_duration_ = 0;
  int64_t position_ = 0;  ///< of the next frame's first sample
  PacketPtr next_;        ///< read already, to be handed on first
};

}  // namespace

AudioInfo read_av_info(const InputFile& input) {
  AvFile file(input);
  if (file.stated_samples() > 0) return {file.stated_samples(), file.rate_hz(), file.channels()};
  AudioInfo info;
  file.decode([&](const AVFrame& frame, int64_t) {
    const StreamFormat now{frame.sample_rate, frame.ch_layout.nb_channels};
    const StreamFormat before{info.rate_hz, info.channels};
    if (info.samples > 0 && now != before) fail_changed(input, before, now);
    info.rate_hz = now.rate_hz;
    info.channels = now.channels;
    info.samples += frame.nb_samples;
  });
  if (info.samples < file.promised_samples()) {
    throw Error(input.path(), "the header promises " + std::to_string(file.promised_samples()) +
                                  " samples, the file holds " + std::to_string(info.samples) +
                                  "; it is cut off or damaged, copy it again from its source");
  }
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
