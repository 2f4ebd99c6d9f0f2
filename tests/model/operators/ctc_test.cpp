// The loss and its kernels for GPUs, which compile here as functions of the CPU's too: one thread a
// block, so that everything but the order of threads is what runs there.
#include "model/torch/operators/ctc.h"

#include <ATen/ops/_ctc_loss.h>
#include <ATen/ops/_ctc_loss_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>

#include "model/model.h"
#include "model/torch/operators/ctc_cuda.h"
#include "model/torch/operators/gpu_kernels.h"
#include "tests/catch.h"
#include "tests/skip.h"

using namespace flowqat::model;

namespace {

struct Place {
  long long x = 0, y = 0;
} threadIdx, blockIdx;
constexpr struct { long long x = 1; } blockDim;
void __syncthreads() {}

#define __device__
#define __global__
#define FLOWQAT_KERNELS(...) __VA_ARGS__
#include "model/torch/operators/ctc_kernels.h"

struct Batch {
  int64_t classes;
  std::vector<int64_t> frames, lengths;
  at::Tensor tokens, log_probs;

  Batch(int64_t classes, std::vector<int64_t> frames, std::vector<int64_t> lengths)
      : classes(classes), frames(std::move(frames)), lengths(std::move(lengths)) {
    const int64_t total = std::accumulate(this->lengths.begin(), this->lengths.end(), int64_t{0});
    tokens = at::randint(1, classes, {total}, at::kLong);
    log_probs = at::log_softmax(2 * at::randn({rows(), 40, classes}), -1).transpose(0, 1);
  }
  int64_t rows() const { return static_cast<int64_t>(frames.size()); }
  int64_t states() const { return 2 * *std::ranges::max_element(lengths) + 1; }
};

const long long* longs(const at::Tensor& tensor) {
  return reinterpret_cast<const long long*>(tensor.const_data_ptr<int64_t>());
}

struct Result {
  at::Tensor losses, gradient;
};

/// As a GPU would, a block after the other.
Result by_kernels(const Batch& batch, const at::Tensor& weights, bool zero_infinity) {
  const float nothing = -std::numeric_limits<float>::infinity(),
              unset = std::numeric_limits<float>::quiet_NaN();
  const int64_t rows = batch.rows(), all_frames = 40, states = batch.states();
  const at::Tensor frames = at::tensor(batch.frames), lengths = at::tensor(batch.lengths);
  at::Tensor losses = at::full({rows}, unset), alpha = at::full({rows, all_frames, states}, unset);
  at::Tensor rolling = at::full({rows, 2, states}, unset), both = at::full_like(alpha, unset);
  at::Tensor gradient = at::full({all_frames, rows, batch.classes}, unset);
  const float* const p = batch.log_probs.const_data_ptr<float>();
  const int64_t a = batch.log_probs.stride(0), b = batch.log_probs.stride(1);
  blockIdx = {};
  for (blockIdx.x = 0; blockIdx.x < rows; ++blockIdx.x) {
    ctc_forward(p, a, b, longs(batch.tokens), longs(frames), longs(lengths),
                alpha.mutable_data_ptr<float>(), losses.mutable_data_ptr<float>(), all_frames,
                states, 0, nothing);
    ctc_backward(p, a, b, longs(batch.tokens), longs(frames), longs(lengths),
                 alpha.const_data_ptr<float>(), rolling.mutable_data_ptr<float>(),
                 both.mutable_data_ptr<float>(), all_frames, states, 0, nothing);
  }
  for (blockIdx.x = 0; blockIdx.x < all_frames; ++blockIdx.x) {
    for (blockIdx.y = 0; blockIdx.y < rows; ++blockIdx.y) {
      ctc_gradient(weights.const_data_ptr<float>(), weights.stride(0), p, a, b, longs(batch.tokens),
                   longs(frames), longs(lengths), losses.const_data_ptr<float>(),
                   both.const_data_ptr<float>(), gradient.mutable_data_ptr<float>(), rows,
                   batch.classes, all_frames, states, 0, nothing, zero_infinity ? 1 : 0);
    }
  }
  return {losses, gradient};
}

}  // namespace

TEST_CASE("the GPU's CTC kernels give LibTorch's losses and gradients") {
  at::manual_seed(5);
  for (int i = 0; i < 20; ++i) {
    INFO("batch " << i);
    // Few classes: tokens repeat, behind one another too. The third row hears nothing that fits.
    const Batch batch(i % 2 == 0 ? 4 : 30, {40, 31, 9, 17, 1}, {12, 5, 10, 0, 1});
    const at::Tensor weights = at::randn({5}).abs() + 0.1;
    const Result own = by_kernels(batch, weights, /*zero_infinity=*/true);
    const at::Tensor exact = batch.log_probs.to(at::kDouble);
    const auto [losses, alpha] =
        at::_ctc_loss(exact, batch.tokens, batch.frames, batch.lengths, 0, true);
    CHECK(at::allclose(own.losses.to(at::kDouble), losses, 1e-5, 1e-5));
    CHECK(std::isinf(own.losses[2].item<float>()));
    const at::Tensor gradient =
        at::_ctc_loss_backward(weights.to(at::kDouble), exact, batch.tokens, batch.frames,
                               batch.lengths, losses, alpha, 0, true);
    CHECK(at::allclose(own.gradient.to(at::kDouble), gradient, 1e-4, 5e-5));
    CHECK(own.gradient.isfinite().all().item<bool>());
  }
}

TEST_CASE("a loss that is infinite has no gradient that is a number, unless that is set to zero") {
  at::manual_seed(6);
  const Batch batch(6, {40, 3}, {4, 4});
  const at::Tensor weights = at::full({2}, 1.0f);
  const Result kept = by_kernels(batch, weights, /*zero_infinity=*/false);
  CHECK(std::isinf(kept.losses[1].item<float>()));
  CHECK(kept.gradient.select(1, 0).isfinite().all().item<bool>());
  CHECK(kept.gradient.select(1, 1).slice(0, 0, 3).select(1, 0).isnan().all().item<bool>());
  CHECK(by_kernels(batch, weights, true).gradient.select(1, 1).abs().max().item<float>() == 0);
}

TEST_CASE("the GPU's compiler takes the CTC kernels") {
  std::string code;
  try {
    code = compile_for_gpu(ctc_kernel_source(), 90);
  } catch (const Error& error) {
    if (std::string(error.what()).find("libnvrtc.so.13") == std::string::npos) throw;
    return flowqat::testing::skip("no compiler for GPUs");
  }
  CHECK_THAT(code, ContainsSubstring("ctc_gradient"));
  CHECK_THROWS_WITH(compile_for_gpu("__global__ void f( {", 90), ContainsSubstring("error"));
}

TEST_CASE("the losses of the CPU are LibTorch's, bit for bit, forward and backward") {
  at::manual_seed(7);
  const Batch batch(30, {40, 31, 9}, {12, 5, 10});
  const at::Tensor own = batch.log_probs.detach().requires_grad_(),
                   expected = batch.log_probs.detach().requires_grad_();
  const at::Tensor losses = ctc_losses(own, {batch.tokens, batch.frames, batch.lengths, {}, {}}, 0,
                                       /*zero_infinity=*/true);
  const at::Tensor same =
      std::get<0>(at::_ctc_loss(expected, batch.tokens, batch.frames, batch.lengths, 0, true));
  CHECK(losses.equal(same));
  losses.slice(0, 0, 2).sum().backward();
  same.slice(0, 0, 2).sum().backward();
  CHECK(own.grad().equal(expected.grad()));
}
