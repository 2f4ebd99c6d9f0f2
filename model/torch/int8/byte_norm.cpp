#include "model/torch/int8/byte_norm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <vector>

#include "model/torch/int8/lanes.h"

namespace flowqat::model {
namespace {

constexpr int64_t frames_a_task = 16;

#if FLOWQAT_HAS_VNNI_CODE
/// sum = x + (bytes - zero) scale, where x or bytes may be null; returns the mean.
FLOWQAT_VNNI float add(const float* x, const uint8_t* bytes, float scale, int32_t zero_point,
                       int64_t channels, float* sum) {
  const __m512i zero = _mm512_set1_epi32(zero_point);
  const __m512 step = _mm512_set1_ps(scale);
  __m512 total = _mm512_setzero_ps();
  for (int64_t c = 0; c < channels; c += lanes) {
    const __mmask16 some = lanes_left(channels - c);
    __m512 value = x ? _mm512_maskz_loadu_ps(some, x + c) : _mm512_setzero_ps();
    if (bytes) {
      const __m512i q =
          _mm512_sub_epi32(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(some, bytes + c)), zero);
      value = _mm512_add_ps(value, _mm512_maskz_mul_ps(some, _mm512_cvtepi32_ps(q), step));
    }
    _mm512_mask_storeu_ps(sum + c, some, value);
    total = _mm512_add_ps(total, value);
  }
  return _mm512_reduce_add_ps(total) / static_cast<float>(channels);
}

FLOWQAT_VNNI float variance(const float* x, float mean, int64_t channels) {
  __m512 total = _mm512_setzero_ps();
  for (int64_t c = 0; c < channels; c += lanes) {
    const __mmask16 some = lanes_left(channels - c);
    const __m512 apart =
        _mm512_maskz_sub_ps(some, _mm512_maskz_loadu_ps(some, x + c), _mm512_set1_ps(mean));
    total = _mm512_fmadd_ps(apart, apart, total);
  }
  return _mm512_reduce_add_ps(total) / static_cast<float>(channels);
}

/// (x - mean) rstd weight + bias to `normed`, to `bytes`, or to both; either may be null.
FLOWQAT_VNNI void write(const float* x, float mean, float rstd, const float* weight,
                        const float* bias, int64_t channels, float* normed, uint8_t* bytes,
                        float steps_a_unit, int32_t zero_point) {
  const ByteGrid grid = byte_grid(zero_point);
  for (int64_t c = 0; c < channels; c += lanes) {
    const __mmask16 some = lanes_left(channels - c);
    const __m512 apart = _mm512_sub_ps(_mm512_maskz_loadu_ps(some, x + c), _mm512_set1_ps(mean));
    const __m512 y = _mm512_fmadd_ps(_mm512_mul_ps(apart, _mm512_set1_ps(rstd)),
                                     _mm512_maskz_loadu_ps(some, weight + c),
                                     _mm512_maskz_loadu_ps(some, bias + c));
    if (normed) _mm512_mask_storeu_ps(normed + c, some, y);
    if (!bytes) continue;
    const __m512 steps = _mm512_mul_ps(y, _mm512_set1_ps(steps_a_unit));
    _mm512_mask_cvtusepi32_storeu_epi8(bytes + c, some, to_bytes(steps, grid));
  }
}
#else
float add(const float*, const uint8_t*, float, int32_t, int64_t, float*) {
  refuse_without_vnni("add_norm");
}
float variance(const float*, float, int64_t) { refuse_without_vnni("add_norm"); }
void write(const float*, float, float, const float*, const float*, int64_t, float*, uint8_t*, float,
           int32_t) {
  refuse_without_vnni("add_norm");
}
#endif

template <class T>
const T* read(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<T>() : nullptr;
}

template <class T>
T* made(at::Tensor& y, bool wanted, at::IntArrayRef shape, at::ScalarType type) {
  if (!wanted) return nullptr;
  y = at::empty(shape, type);
  return y.mutable_data_ptr<T>();
}

}  // namespace

Normed add_norm(const AddNorm& from, bool want_sum, bool want_normed,
                const ActivationScale* scale) {
  const auto shape = (from.x.defined() ? from.x : from.bytes).sizes();
  const int64_t channels = shape.back();
  Normed to;
  float* const sum = made<float>(to.sum, want_sum, shape, at::kFloat);
  float* const normed = made<float>(to.normed, want_normed, shape, at::kFloat);
  uint8_t* const bytes = made<uint8_t>(to.bytes, scale != nullptr, shape, at::kByte);
  const float* const x = read<float>(from.x);
  const uint8_t* const q = read<uint8_t>(from.bytes);
  const float* const weight = from.weight.const_data_ptr<float>();
  const float* const bias = from.bias.const_data_ptr<float>();
  const float steps_a_unit = scale ? 1.0f / static_cast<float>(scale->scale) : 0;
  const int32_t zero_point = scale ? static_cast<int32_t>(scale->zero_point) : 0;
  const int64_t frames = c10::multiply_integers(shape) / channels;
  at::parallel_for(0, frames, frames_a_task, [&](int64_t first, int64_t last) {
    std::vector<float> line(static_cast<size_t>(channels));
    for (int64_t frame = first; frame < last; ++frame) {
      const int64_t at = frame * channels;
      float* const values = sum ? sum + at : line.data();
      const float mean = add(x ? x + at : nullptr, q ? q + at : nullptr,
                             static_cast<float>(from.bytes_scale.scale),
                             static_cast<int32_t>(from.bytes_scale.zero_point), channels, values);
      const float spread = variance(values, mean, channels);
      const float rstd = 1.0f / std::sqrt(spread + static_cast<float>(from.epsilon));
      write(values, mean, rstd, weight, bias, channels, normed ? normed + at : nullptr,
            bytes ? bytes + at : nullptr, steps_a_unit, zero_point);
    }
  });
  return to;
}

}  // namespace flowqat::model
