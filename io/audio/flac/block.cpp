#include "io/audio/flac/block.h"

#include "io/audio/flac/crc16.h"
#include "io/audio/flac/subframe.h"

namespace flowqat::io {
namespace {

/// How two channels are stored (section 9.1.3); the other codes are that many channels less one.
enum StereoCode { left_side = 8, side_right = 9, mid_side = 10 };

/// Undoes the coding of two channels as one and their difference (section 4.2). Sums wrap around
/// where a file lies about its samples' size.
void restore_stereo(int code, std::span<int32_t> first, std::span<int32_t> second) {
  const auto wide = [](int32_t sample) { return static_cast<uint32_t>(sample); };
  const auto sample = [](uint32_t bits) { return static_cast<int32_t>(bits); };
  const size_t samples = first.size();
  if (code == left_side) {
    for (size_t i = 0; i < samples; ++i) second[i] = sample(wide(first[i]) - wide(second[i]));
  } else if (code == side_right) {
    for (size_t i = 0; i < samples; ++i) first[i] = sample(wide(first[i]) + wide(second[i]));
  } else {
    for (size_t i = 0; i < samples; ++i) {
      const uint32_t side = wide(second[i]);
      const uint32_t sum = wide(first[i]) * 2 + (side & 1);
      first[i] = sample(sum + side) >> 1;
      second[i] = sample(sum - side) >> 1;
    }
  }
}

/// The same with the difference in a plane of its own, which has no room in that of its channel.
void restore_stereo(int code, std::span<int32_t> first, std::span<int32_t> second,
                    std::span<const int64_t> sides) {
  const auto sample = [](uint64_t bits) { return static_cast<int32_t>(bits); };
  for (size_t i = 0; i < sides.size(); ++i) {
    const auto side = static_cast<uint64_t>(sides[i]);
    if (code == left_side) {
      second[i] = sample(static_cast<uint64_t>(first[i]) - side);
    } else if (code == side_right) {
      first[i] = sample(static_cast<uint64_t>(second[i]) + side);
    } else {
      const uint64_t sum = static_cast<uint64_t>(first[i]) * 2 + (side & 1);
      first[i] = sample((sum + side) >> 1);
      second[i] = sample((sum - side) >> 1);
    }
  }
}

}  // namespace

const char* FlacBlock::decode(std::span<const uint8_t> bytes, const FlacHeader& header,
                              size_t* frame_bytes, bool* ran_out) {
  const auto frame = parse_flac_frame_header(bytes, header);
  *ran_out = !frame && bytes.size() < longest_flac_frame_header_bytes;
  if (!frame) return "no frame header of this file's format stands there";
  frame_ = *frame;
  channels_ = header.channels;
  bits_ = header.bits;
  planes_.resize(static_cast<size_t>(channels_) * static_cast<size_t>(samples()));
  FlacBits reader(bytes.subspan(frame->header_bytes));
  if (const char* wrong = decode_subframes(reader); wrong || reader.ran_out()) {
    *ran_out = reader.ran_out();
    return wrong ? wrong : "a frame ends early";
  }
  reader.align();
  const size_t checked = frame->header_bytes + reader.position_bytes();
  const uint64_t stated = reader.take(16);
  *ran_out = reader.ran_out();
  if (*ran_out) return "a frame ends early";
  if (crc16(bytes.first(checked)) != stated) return "a frame's checksum is wrong";
  const int code = frame->channel_code;
  if (code >= left_side && side_.empty()) restore_stereo(code, plane(0), plane(1));
  if (code >= left_side && !side_.empty()) restore_stereo(code, plane(0), plane(1), side_);
  wrap_samples();
  *frame_bytes = checked + 2;
  return nullptr;
}

const char* FlacBlock::decode_subframes(FlacBits& reader) {
  const int code = frame_.channel_code;
  side_.clear();
  for (int channel = 0; channel < channels_; ++channel) {
    // A difference of two channels takes a bit more.
    const bool is_side = code == side_right ? channel == 0 : code >= left_side && channel == 1;
    const char* wrong = nullptr;
    if (is_side && bits_ == 32) {
      side_.resize(static_cast<size_t>(samples()));
      wrong = decode_flac_subframe(reader, 33, std::span(side_));
    } else {
      wrong = decode_flac_subframe(reader, bits_ + (is_side ? 1 : 0), plane(channel));
    }
    if (wrong || reader.ran_out()) return wrong;
  }
  return nullptr;
}

void FlacBlock::wrap_samples() {
  uint32_t magnitudes = 0;  // every bit that one of them takes, beside its sign
  for (const int32_t sample : planes_) magnitudes |= static_cast<uint32_t>(sample ^ sample >> 31);
  has_wrapped_ = magnitudes >> (bits_ - 1) != 0;
  if (!has_wrapped_) return;
  const int unused = 32 - bits_;
  for (int32_t& sample : planes_) {
    sample = static_cast<int32_t>(static_cast<uint32_t>(sample) << unused) >> unused;
  }
}

}  // namespace flowqat::io
