/// Overlap-save (Oppenheim and Schafer, "Discrete-Time Signal Processing", section 8.7.3) with
/// libavutil's FFT. The response is real, so two blocks of the signal travel through one complex
/// transform as its real and its imaginary part, and never mix.
#include "io/resample/fft_convolve.h"

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/tx.h>
}

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>

#include "io/audio/ffmpeg.h"
#include "io/files/error.h"
#include "io/files/pool.h"

namespace flowqat::io {
namespace {

/// libavutil 57 knows no larger transform; longer responses are convolved a part at a time.
constexpr size_t largest_transform = 131072;
constexpr size_t longest_part = largest_transform / 4;

struct Free {
  void operator()(AVComplexFloat* values) const { av_free(values); }
};
/// Aligned as libavutil's vector code wants it.
using Spectrum = std::unique_ptr<AVComplexFloat[], Free>;

class Transform {
 public:
  Transform(size_t size, bool inverse) {
    const float scale = 1;
    const int code = av_tx_init(&context_, &function_, AV_TX_FLOAT_FFT, inverse ? 1 : 0,
                                static_cast<int>(size), &scale, 0);
    if (code < 0) {
      throw Error("libavutil: no FFT of " + std::to_string(size) +
                  " points: " + av_error_text(code));
    }
  }
  ~Transform() { av_tx_uninit(&context_); }
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;

  /// Overwrites `out`; `in` is scratch afterwards.
  void run(Spectrum& in, Spectrum& out) {
    function_(context_, out.get(), in.get(), sizeof(AVComplexFloat));
  }

 private:
  AVTXContext* context_ = nullptr;
  av_tx_fn function_ = nullptr;
};

/// What convolving with one size of transform needs.
struct Workshop {
  explicit Workshop(size_t size)
      : size(size),
        forward(size, false),
        inverse(size, true),
        time(make(size)),
        signal(make(size)),
        response(make(size)) {}

  static Spectrum make(size_t size) {
    return Spectrum(
        allocated(static_cast<AVComplexFloat*>(av_malloc(size * sizeof(AVComplexFloat)))));
  }

  size_t size;
  Transform forward, inverse;
  Spectrum time, signal, response;
};

constexpr size_t most_idle_workshops = 32;

Pool<size_t, Workshop>& pool() {
  static Pool<size_t, Workshop> workshops(most_idle_workshops);
  return workshops;
}

/// The spectrum of `part`, scaled by 1 / size so that the way there and back has gain one.
void transform_response(std::span<const float> part, Workshop& shop) {
  const float scale = 1 / static_cast<float>(shop.size);
  for (size_t i = 0; i < shop.size; ++i) {
    shop.time[i] = {i < part.size() ? part[i] * scale : 0, 0};
  }
  shop.forward.run(shop.time, shop.response);
}

/// Adds to `out` the convolution of `in` with the response in `shop`, whose length is `taps`;
/// out[n] takes what lies at time n + delay.
void add_convolution(std::span<const float> in, size_t taps, int64_t delay, Workshop& shop,
                     std::span<float> out) {
  const size_t step = shop.size - taps + 1;  // results of a block that no wrapped sample touches
  const auto history = static_cast<int64_t>(taps) - 1;
  const auto at = [&](int64_t i) {
    return i >= 0 && i < static_cast<int64_t>(in.size()) ? in[static_cast<size_t>(i)] : 0.0f;
  };
  for (size_t block = 0; block < out.size(); block += 2 * step) {
    const int64_t first = static_cast<int64_t>(block) + delay - history;
    const int64_t second = first + static_cast<int64_t>(step);
    for (size_t i = 0; i < shop.size; ++i) {
      const auto offset = static_cast<int64_t>(i);
      shop.time[i] = {at(first + offset), at(second + offset)};
    }
    shop.forward.run(shop.time, shop.signal);
    for (size_t i = 0; i < shop.size; ++i) {
      const AVComplexFloat a = shop.signal[i], b = shop.response[i];
      shop.signal[i] = {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    }
    shop.inverse.run(shop.signal, shop.time);
    const size_t left = out.size() - block;
    for (size_t i = 0; i < std::min(step, left); ++i) out[block + i] += shop.time[taps - 1 + i].re;
    for (size_t i = step; i < std::min(2 * step, left); ++i) {
      out[block + i] += shop.time[taps - 1 + i - step].im;
    }
  }
}

}  // namespace

void convolve(std::span<const float> in, std::span<const float> response, size_t delay,
              std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0f);
  if (in.empty() || response.empty()) return;
  const size_t size =
      std::bit_ceil(std::max<size_t>(256, 4 * std::min(response.size(), longest_part)));
  auto shop = pool().take(size);
  if (!shop) shop = std::make_unique<Workshop>(size);
  for (size_t start = 0; start < response.size(); start += longest_part) {
    const auto part = response.subspan(start, std::min(longest_part, response.size() - start));
    transform_response(part, *shop);
    add_convolution(in, part.size(), static_cast<int64_t>(delay) - static_cast<int64_t>(start),
                    *shop, out);
  }
  pool().give_back(size, std::move(shop));
}

}  // namespace flowqat::io
