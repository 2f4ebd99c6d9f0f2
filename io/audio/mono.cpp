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

/// Sum of squares over `unit`. In partial sums, that additions need not wait for one another.
template <typename T>
double energy(const T* samples, size_t count, double unit) {
  constexpr size_t lanes_count = 8;
  const auto square = [factor = static_cast<float>(unit)](T sample) {
    const float x = (static_cast<float>(sample) - static_cast<float>(silence<T>)) * factor;
    return x * x;
  };
  float lanes[lanes_count] = {};
  size_t i = 0;
  for (; i + lanes_count <= count; i += lanes_count) {
    for (size_t lane = 0; lane < lanes_count; ++lane) lanes[lane] += square(samples[i + lane]);
  }
  double sum = 0;
  for (; i < count; ++i) sum += square(samples[i]);
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// One channel, whose samples are `stride` apart.
template <typename T>
void convert(const T* in, size_t stride, size_t count, float* out) {
  // A power of two: the product is exact wherever the sample fits a float.
  using Wide = std::conditional_t<(sizeof(T) < 4), float, double>;
  constexpr auto unit = static_cast<Wide>(1 / full_scale<T>());
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(
        (static_cast<Wide>(in[i * stride]) - static_cast<Wide>(silence<T>)) * unit);
  }
}

}  // namespace

template <class T>
void MonoMixer::mix_frame(const AVFrame& frame, bool planar, int64_t first, int64_t samples,
                          float* out) {
  const int channels = frame.ch_layout.nb_channels;
  const auto count = static_cast<size_t>(samples), stride = static_cast<size_t>(channels);
  // Of one channel where they are planar, else of the first, with the others between.
  const auto plane = [&](int channel) {
    const auto* data = reinterpret_cast<const T*>(frame.extended_data[planar ? channel : 0]);
    return data + static_cast<size_t>(first) * (planar ? 1 : stride);
  };
  if (channels == 1) return convert(plane(0), 1, count, out);
  if (channel_) {
    return planar ? convert(plane(*channel_), 1, count, out)
                  : convert(plane(0) + *channel_, stride, count, out);
  }
  const double unit = 1 / (full_scale<T>() * channels);
  for (size_t i = 0; i < count; ++i) {
    double sum = -silence<T> * channels;
    for (int c = 0; c < channels; ++c) {
      sum +=
          static_cast<double>(planar ? plane(c)[i] : plane(0)[i * stride + static_cast<size_t>(c)]);
    }
    out[i] = static_cast<float>(sum * unit);
  }
  for (int c = 0; c < (planar ? channels : 1); ++c) {
    channels_energy_ += energy(plane(c), planar ? count : count * stride, 1 / full_scale<T>());
  }
  mono_energy_ += energy(out, count, 1);
  channels_ = channels;
  samples_ += samples;
}

bool MonoMixer::mix(const AVFrame& frame, int64_t first, int64_t samples, float* out) {
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const bool planar = av_sample_fmt_is_planar(format) != 0;
  switch (av_get_packed_sample_fmt(format)) {
    case AV_SAMPLE_FMT_U8:
      mix_frame<uint8_t>(frame, planar, first, samples, out);
      return true;
    case AV_SAMPLE_FMT_S16:
      mix_frame<int16_t>(frame, planar, first, samples, out);
      return true;
    case AV_SAMPLE_FMT_S32:
      mix_frame<int32_t>(frame, planar, first, samples, out);
      return true;
    case AV_SAMPLE_FMT_S64:
      mix_frame<int64_t>(frame, planar, first, samples, out);
      return true;
    case AV_SAMPLE_FMT_FLT:
      mix_frame<float>(frame, planar, first, samples, out);
      return true;
    case AV_SAMPLE_FMT_DBL:
      mix_frame<double>(frame, planar, first, samples, out);
      return true;
    default:
      return false;
  }
}

bool MonoMixer::mix(const FlacBlock& block, int64_t first, int64_t samples, float* out) {
  const double full_scale = std::ldexp(1.0, block.bits() - 1);
  const auto begin = static_cast<size_t>(first), count = static_cast<size_t>(samples);
  if (block.channels() == 1 || channel_) {
    const auto unit = static_cast<float>(1 / full_scale);
    for (const int32_t sample : block.channel(channel_.value_or(0)).subspan(begin, count)) {
      *out++ = static_cast<float>(sample) * unit;
    }
    return true;
  }
  const double unit = 1 / (full_scale * block.channels());
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int c = 0; c < block.channels(); ++c) sum += block.channel(c)[begin + i];
    out[i] = static_cast<float>(sum * unit);
  }
  for (int c = 0; c < block.channels(); ++c) {
    channels_energy_ += energy(block.channel(c).data() + begin, count, 1 / full_scale);
  }
  mono_energy_ += energy(out, count, 1);
  channels_ = block.channels();
  samples_ += samples;
  return true;
}

bool MonoMixer::has_cancelled() const {
  // -80 dB below full scale: what is softer, like the noise of a pause, nobody hears either way.
  constexpr double quiet_power = 1e-8, least_share = 0.01;
  const double values = static_cast<double>(samples_) * channels_;
  if (channels_ == 1 || channels_energy_ <= quiet_power * values) return false;
  const double unrelated = channels_energy_ / (static_cast<double>(channels_) * channels_);
  return mono_energy_ < least_share * unrelated;
}

}  // namespace flowqat::io
