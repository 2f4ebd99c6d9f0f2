#include "io/audio/mono.h"

#include <cmath>
#include <type_traits>

namespace flowqat::io {
namespace {

/// The value of full scale, and of silence, for samples of type T.
template <typename T>
constexpr double full_scale() {
  if constexpr (std::is_floating_point_v<T>) return 1;
  if constexpr (std::is_same_v<T, uint8_t>) return 128;
  if constexpr (std::is_same_v<T, int16_t>) return 32768;
  if constexpr (std::is_same_v<T, int32_t>) return 2147483648.0;
  if constexpr (std::is_same_v<T, int64_t>) return 9223372036854775808.0;
}
template <typename T>
constexpr double silence = std::is_same_v<T, uint8_t> ? 128 : 0;

template <typename T>
void average(const AVFrame& frame, bool planar, float* out) {
  const int samples = frame.nb_samples;
  const int channels = frame.ch_layout.nb_channels;
  const auto* first = reinterpret_cast<const T*>(frame.extended_data[0]);
  if (channels == 1) {
    // A power of two: the product is exact wherever the sample fits a float.
    using Wide = std::conditional_t<(sizeof(T) < 4), float, double>;
    constexpr auto unit = static_cast<Wide>(1 / full_scale<T>());
    for (int i = 0; i < samples; ++i) {
      out[i] =
          static_cast<float>((static_cast<Wide>(first[i]) - static_cast<Wide>(silence<T>)) * unit);
    }
    return;
  }
  const double unit = 1 / (full_scale<T>() * channels);
  for (int i = 0; i < samples; ++i) {
    double sum = -silence<T> * channels;
    for (int c = 0; c < channels; ++c) {
      sum += static_cast<double>(
          planar ? reinterpret_cast<const T*>(frame.extended_data[c])[i]
                 : first[static_cast<size_t>(i) * static_cast<size_t>(channels) +
                         static_cast<size_t>(c)]);
    }
    out[i] = static_cast<float>(sum * unit);
  }
}

}  // namespace

bool average_channels(const AVFrame& frame, float* out) {
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const bool planar = av_sample_fmt_is_planar(format) != 0;
  switch (av_get_packed_sample_fmt(format)) {
    case AV_SAMPLE_FMT_U8:
      average<uint8_t>(frame, planar, out);
      return true;
    case AV_SAMPLE_FMT_S16:
      average<int16_t>(frame, planar, out);
      return true;
    case AV_SAMPLE_FMT_S32:
      average<int32_t>(frame, planar, out);
      return true;
    case AV_SAMPLE_FMT_S64:
      average<int64_t>(frame, planar, out);
      return true;
    case AV_SAMPLE_FMT_FLT:
      average<float>(frame, planar, out);
      return true;
    case AV_SAMPLE_FMT_DBL:
      average<double>(frame, planar, out);
      return true;
    default:
      return false;
  }
}

bool average_channels(const FlacBlock& block, float* out) {
  const double full_scale = std::ldexp(1.0, block.bits() - 1);
  if (block.channels() == 1) {
    const auto unit = static_cast<float>(1 / full_scale);
    for (const int32_t sample : block.channel(0)) *out++ = static_cast<float>(sample) * unit;
    return true;
  }
  const double unit = 1 / (full_scale * block.channels());
  for (size_t i = 0; i < static_cast<size_t>(block.samples()); ++i) {
    double sum = 0;
    for (int c = 0; c < block.channels(); ++c) sum += block.channel(c)[i];
    *out++ = static_cast<float>(sum * unit);
  }
  return true;
}

}  // namespace flowqat::io
