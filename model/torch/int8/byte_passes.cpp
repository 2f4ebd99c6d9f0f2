#include "model/torch/int8/byte_passes.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "model/torch/int8/lanes.h"

namespace flowqat::model {
namespace {

constexpr int64_t elements_a_task = 64 * 1024;

#if FLOWQAT_HAS_VNNI_CODE
FLOWQAT_VNNI void quantize(const float* x, int64_t count, float inverse, int32_t zero_point,
                           uint8_t* q) {
  const __m512 steps_a_unit = _mm512_set1_ps(inverse);
  const ByteGrid grid = byte_grid(zero_point);
  for (int64_t i = 0; i < count; i += lanes) {
    const __mmask16 some = lanes_left(count - i);
    const __m512 steps = _mm512_mul_ps(_mm512_maskz_loadu_ps(some, x + i), steps_a_unit);
    _mm512_mask_cvtusepi32_storeu_epi8(q + i, some, to_bytes(steps, grid));
  }
}

FLOWQAT_VNNI void dequantize(const uint8_t* q, int64_t count, float scale, int32_t zero_point,
                             float* x) {
  for (int64_t i = 0; i < count; ++i) x[i] = static_cast<float>(q[i] - zero_point) * scale;
}

/// In 32 bits, so of at most 2^16 frames.
FLOWQAT_VNNI void add_moments(const uint8_t* x, int64_t frames, int64_t channels, uint32_t* sum,
                              uint32_t* square) {
  for (int64_t t = 0; t < frames; ++t) {
    const uint8_t* line = x + t * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const uint32_t value = line[c];
      sum[c] += value;
      square[c] += value * value;
    }
  }
}
#else
void quantize(const float*, int64_t, float, int32_t, uint8_t*) {
  refuse_without_vnni("quantize_bytes");
}
void dequantize(const uint8_t*, int64_t, float, int32_t, float*) {
  refuse_without_vnni("dequantize_bytes");
}
void add_moments(const uint8_t*, int64_t, int64_t, uint32_t*, uint32_t*) {
  refuse_without_vnni("moments_of");
}
#endif

template <class T>
void map_lines(const uint8_t* x, int64_t lines, int64_t channels, const T* table, T* y) {
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t c = 0; c < channels; ++c) y[c] = table[c * 256 + x[c]];
    x += channels;
    y += channels;
  }
}

template <class T>
at::Tensor mapped(const at::Tensor& x, const at::Tensor& table, at::ScalarType type) {
  const at::Tensor y = at::empty(x.sizes(), type);
  const uint8_t* const from = x.const_data_ptr<uint8_t>();
  const T* const of = table.const_data_ptr<T>();
  T* const to = y.mutable_data_ptr<T>();
  if (table.dim() == 1) {
    at::parallel_for(0, x.numel(), elements_a_task, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) to[i] = of[from[i]];
    });
    return y;
  }
  const int64_t channels = table.size(0), lines = x.numel() / channels;
  const int64_t lines_a_task = std::max<int64_t>(1, elements_a_task / channels);
  at::parallel_for(0, lines, lines_a_task, [&](int64_t first, int64_t last) {
    map_lines(from + first * channels, last - first, channels, of, to + first * channels);
  });
  return y;
}

}  // namespace

at::Tensor quantize_bytes(const at::Tensor& x, const ActivationScale& scale) {
  const at::Tensor values = x.to(at::kFloat).contiguous();
  const at::Tensor q = at::empty(values.sizes(), at::kByte);
  const float* const from = values.const_data_ptr<float>();
  uint8_t* const to = q.mutable_data_ptr<uint8_t>();
  const float inverse = 1.0f / static_cast<float>(scale.scale);
  at::parallel_for(0, q.numel(), elements_a_task, [&](int64_t first, int64_t last) {
    quantize(from + first, last - first, inverse, static_cast<int32_t>(scale.zero_point),
             to + first);
  });
  return q;
}

at::Tensor dequantize_bytes(const at::Tensor& q, const ActivationScale& scale) {
  const at::Tensor x = at::empty(q.sizes(), at::kFloat);
  const uint8_t* const from = q.const_data_ptr<uint8_t>();
  float* const to = x.mutable_data_ptr<float>();
  at::parallel_for(0, q.numel(), elements_a_task, [&](int64_t first, int64_t last) {
    dequantize(from + first, last - first, static_cast<float>(scale.scale),
               static_cast<int32_t>(scale.zero_point), to + first);
  });
  return x;
}

at::Tensor activated(Activation activation, const ActivationScale& from) {
  return activate(activation, dequantize_bytes(at::arange(256, at::kByte), from));
}

ByteTable activation_table(Activation activation, const ActivationScale& from,
                           const ActivationScale& to) {
  const at::Tensor bytes = quantize_bytes(activated(activation, from), to);
  ByteTable table;
  std::copy_n(bytes.const_data_ptr<uint8_t>(), 256, table.of);
  return table;
}

at::Tensor map_bytes(const at::Tensor& x, const at::Tensor& table) {
  return table.scalar_type() == at::kByte ? mapped<uint8_t>(x, table, at::kByte)
                                          : mapped<float>(x, table, at::kFloat);
}

ByteMoments moments_of(const at::Tensor& x) {
  constexpr int64_t frames_a_task = 512;
  const int64_t frames = x.size(0), channels = x.size(1);
  const int64_t tasks = (frames + frames_a_task - 1) / frames_a_task;
  const uint8_t* const from = x.const_data_ptr<uint8_t>();
  std::vector<uint32_t> sums(static_cast<size_t>(tasks * channels));
  std::vector<uint32_t> squares(sums.size());
  at::parallel_for(0, tasks, 1, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t begin = task * frames_a_task;
      add_moments(from + begin * channels, std::min(frames_a_task, frames - begin), channels,
                  sums.data() + task * channels, squares.data() + task * channels);
    }
  });
  ByteMoments result{at::zeros({channels}, at::kLong), at::zeros({channels}, at::kLong)};
  int64_t* const sum = result.sum.mutable_data_ptr<int64_t>();
  int64_t* const square = result.square.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < tasks * channels; ++i) {
    sum[i % channels] += sums[static_cast<size_t>(i)];
    square[i % channels] += squares[static_cast<size_t>(i)];
  }
  return result;
}

}  // namespace flowqat::model
