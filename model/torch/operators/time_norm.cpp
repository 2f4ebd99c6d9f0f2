#include "model/torch/operators/time_norm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/group_norm.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "base/simd/vectorize.h"

namespace flowqat::model {
namespace {

// Sums are formed over chunks of this many frames, then over the chunks: the same at any number of
// threads, and as exact as a float mean of many frames must be.
constexpr int64_t chunk_frames = 64;

/// Mean of a chunk [frames, channels] and sum of squares about it, in one reading of the memory.
FLOWQAT_INLINE void moments(const float* x, int64_t frames, int64_t channels, float* mean,
                            float* square) {
  std::fill_n(mean, channels, 0.0f);
  std::fill_n(square, channels, 0.0f);
  for (int64_t t = 0; t < frames; ++t) {
    const float* line = x + t * channels;
    for (int64_t c = 0; c < channels; ++c) mean[c] += line[c];
  }
  const float share = 1.0f / static_cast<float>(frames);
  for (int64_t c = 0; c < channels; ++c) mean[c] *= share;
  for (int64_t t = 0; t < frames; ++t) {
    const float* line = x + t * channels;
    for (int64_t c = 0; c < channels; ++c) square[c] += (line[c] - mean[c]) * (line[c] - mean[c]);
  }
}

FLOWQAT_INLINE void scale_and_shift(const float* x, int64_t frames, int64_t channels,
                                    const float* scale, const float* shift, float* y) {
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t c = 0; c < channels; ++c) {
      y[t * channels + c] = x[t * channels + c] * scale[c] + shift[c];
    }
  }
}

/// Sums of dy, and of dy times x centred and scaled.
FLOWQAT_INLINE void gradient_sums(const float* dy, const float* x, int64_t frames, int64_t channels,
                                  const float* mean, const float* rstd, float* sum,
                                  float* product) {
  std::fill_n(sum, channels, 0.0f);
  std::fill_n(product, channels, 0.0f);
  for (int64_t t = 0; t < frames; ++t) {
    const float* dline = dy + t * channels;
    const float* line = x + t * channels;
    for (int64_t c = 0; c < channels; ++c) {
      sum[c] += dline[c];
      product[c] += dline[c] * ((line[c] - mean[c]) * rstd[c]);
    }
  }
}

/// dx = a dy + b x + c, per channel.
FLOWQAT_INLINE void combine(const float* dy, const float* x, int64_t frames, int64_t channels,
                            const float* a, const float* b, const float* c, float* dx) {
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t i = 0; i < channels; ++i) {
      dx[t * channels + i] = a[i] * dy[t * channels + i] + (b[i] * x[t * channels + i] + c[i]);
    }
  }
}

/// Calls work(row, chunk, first element, frames) for each chunk of [rows, frames, channels].
template <class Work>
void for_chunks(int64_t rows, int64_t frames, int64_t channels, const Work& work) {
  const int64_t chunks = (frames + chunk_frames - 1) / chunk_frames;
  at::parallel_for(0, rows * chunks, 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t row = i / chunks, begin = i % chunks * chunk_frames;
      work(row, i, (row * frames + begin) * channels, std::min(chunk_frames, frames - begin));
    }
  });
}

/// With x as [rows, frames, channels].
class TimeNorm : public torch::autograd::Function<TimeNorm> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
    const int64_t rows = x.size(0), frames = x.size(1), channels = x.size(2);
    const int64_t chunks = (frames + chunk_frames - 1) / chunk_frames;
    const at::Tensor means = at::empty({rows, chunks, channels}, x.options());
    const at::Tensor squares = at::empty_like(means);
    const float* const from = x.const_data_ptr<float>();
    float* const mean_of = means.mutable_data_ptr<float>();
    float* const square_of = squares.mutable_data_ptr<float>();
    for_chunks(rows, frames, channels, [&](int64_t, int64_t i, int64_t at, int64_t count) {
      vectorized<moments>(from + at, count, channels, mean_of + i * channels,
                          square_of + i * channels);
    });
    // Chan et al. 1979: each chunk's squares about its own mean, and the means' about the whole's.
    at::Tensor sizes = at::full({chunks, 1}, chunk_frames, at::kDouble);
    sizes[chunks - 1] = frames - (chunks - 1) * chunk_frames;
    const at::Tensor exact = means.to(at::kDouble);
    const at::Tensor mean = (exact * sizes).sum(1, /*keepdim=*/true) / frames;
    const at::Tensor spread = (exact - mean).square() * sizes;
    const at::Tensor variance = (squares.to(at::kDouble) + spread).sum(1) / frames;
    const at::Tensor rstd = (variance + epsilon).rsqrt();
    const at::Tensor mean32 = mean.squeeze(1).to(at::kFloat);
    const at::Tensor rstd32 = rstd.to(at::kFloat);

    const at::Tensor scale = rstd32 * weight;
    const at::Tensor shift = bias - mean32 * scale;
    at::Tensor y = at::empty_like(x);
    float* const to = y.mutable_data_ptr<float>();
    const float* const scales = scale.const_data_ptr<float>();
    const float* const shifts = shift.const_data_ptr<float>();
    for_chunks(rows, frames, channels, [&](int64_t row, int64_t, int64_t at, int64_t count) {
      vectorized<scale_and_shift>(from + at, count, channels, scales + row * channels,
                                  shifts + row * channels, to + at);
    });
    context->save_for_backward({x, weight, mean32, rstd32});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &rstd = saved[3];
    const at::Tensor dy = gradients[0].contiguous();
    const int64_t rows = x.size(0), frames = x.size(1), channels = x.size(2);
    const int64_t chunks = (frames + chunk_frames - 1) / chunk_frames;
    const at::Tensor sums = at::empty({rows, chunks, channels}, x.options());
    const at::Tensor products = at::empty_like(sums);
    const float* const from = x.const_data_ptr<float>();
    const float* const above = dy.const_data_ptr<float>();
    const float* const mean_of = mean.const_data_ptr<float>();
    const float* const rstd_of = rstd.const_data_ptr<float>();
    float* const sum_of = sums.mutable_data_ptr<float>();
    float* const product_of = products.mutable_data_ptr<float>();
    for_chunks(rows, frames, channels, [&](int64_t row, int64_t i, int64_t at, int64_t count) {
      vectorized<gradient_sums>(above + at, from + at, count, channels, mean_of + row * channels,
                                rstd_of + row * channels, sum_of + i * channels,
                                product_of + i * channels);
    });
    const at::Tensor sum = sums.sum(1, false, at::kDouble).to(at::kFloat);
    const at::Tensor product = products.sum(1, false, at::kDouble).to(at::kFloat);

    // dx = rstd w (dy - mean(dy) - n mean(dy n)) with n = (x - mean) rstd.
    const at::Tensor a = rstd * weight;
    const at::Tensor b = -a * rstd * product / static_cast<double>(frames);
    const at::Tensor c = -a * sum / static_cast<double>(frames) - b * mean;
    at::Tensor dx = at::empty_like(x);
    float* const to = dx.mutable_data_ptr<float>();
    const float *const as = a.const_data_ptr<float>(), *const bs = b.const_data_ptr<float>(),
                       *const cs = c.const_data_ptr<float>();
    for_chunks(rows, frames, channels, [&](int64_t row, int64_t, int64_t at, int64_t count) {
      const int64_t channel = row * channels;
      vectorized<combine>(above + at, from + at, count, channels, as + channel, bs + channel,
                          cs + channel, to + at);
    });
    return {dx, product.sum(0), sum.sum(0), {}};
  }
};

}  // namespace

at::Tensor time_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     double epsilon) {
  const at::Tensor frames_first = x.transpose(1, 2);
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || x.numel() == 0 ||
      !frames_first.is_contiguous() || x.is_contiguous()) {
    return at::group_norm(x, weight.size(0), weight, bias, epsilon);
  }
  return TimeNorm::apply(frames_first, weight, bias, epsilon).transpose(1, 2);
}

}  // namespace flowqat::model
