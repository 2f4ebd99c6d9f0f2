// The operations that stand in for LibTorch's on the CPU compute what those do in float64.
#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>

#include <array>
#include <functional>

#include "model/torch/operators/conv_frames.h"
#include "model/torch/operators/linear.h"
#include "model/torch/operators/time_norm.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

using Operation = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

void check_close(const at::Tensor& found, const at::Tensor& expected) {
  REQUIRE(found.sizes() == expected.sizes());
  const double largest = expected.abs().max().item<double>();
  CHECK(largest_difference(found.to(at::kDouble), expected) <= 1e-5 * largest);
}

/// Output and gradients of all operands; an undefined operand stays so.
void check_alike(const std::vector<at::Tensor>& operands, const Operation& operation,
                 const Operation& expected) {
  const auto run = [&](const Operation& f, at::ScalarType type) {
    std::vector<at::Tensor> leaves;
    for (const at::Tensor& operand : operands) {
      leaves.push_back(operand.defined()
                           ? operand.detach().to(type, false, /*copy=*/true).requires_grad_()
                           : operand);
    }
    std::vector<at::Tensor> results = {f(leaves)};
    // Their sums, which are gradients of biases, are far from zero.
    const at::Tensor weights =
        (at::arange(results[0].numel()).cos() + 0.5).view(results[0].sizes());
    (results[0] * weights).sum().backward();
    for (const at::Tensor& leaf : leaves) {
      if (leaf.defined()) results.push_back(leaf.grad());
    }
    return results;
  };
  const auto found = run(operation, at::kFloat), wanted = run(expected, at::kDouble);
  REQUIRE(found.size() == wanted.size());
  for (size_t i = 0; i < found.size(); ++i) {
    INFO("result " << i << " (0: output, then the operands' gradients)");
    check_close(found[i], wanted[i]);
  }
}

}  // namespace

TEST_CASE("the linear map and its gradients are at::linear's", "[level]") {
  at::manual_seed(1);
  const bool with_bias = GENERATE(true, false);
  for (const auto& [rows, in, out] :
       {std::array<int64_t, 3>{1, 1, 1}, {5, 7, 13}, {40, 64, 48}, {33, 10, 512}, {300, 96, 17}}) {
    INFO(rows << " rows, " << in << " -> " << out);
    const at::Tensor bias = with_bias ? at::randn({out}) : at::Tensor();
    check_alike(
        {at::randn({2, rows, in}), at::randn({out, in}), bias},
        [](const auto& v) { return apply_linear(v[0], v[1], v[2]); },
        [](const auto& v) { return at::linear(v[0], v[1], v[2]); });
  }
}

TEST_CASE("the convolution and its gradients are at::conv1d's, whatever lies side by side",
          "[level]") {
  at::manual_seed(2);
  const bool with_bias = GENERATE(true, false), channels_last = GENERATE(true, false);
  // frames, channels, kernel, stride, out; some leave frames that no window reaches.
  for (const auto& [frames, channels, kernel, stride, out] :
       {std::array<int64_t, 5>{100, 1, 10, 5, 24},
        {41, 16, 3, 2, 20},
        {42, 16, 3, 2, 20},
        {40, 17, 2, 2, 8},
        {41, 17, 2, 2, 8},
        {30, 4, 2, 3, 5},
        {9, 4, 9, 4, 5},
        {20, 3, 5, 1, 6}}) {
    INFO(frames << " frames, kernel " << kernel << ", stride " << stride);
    const at::Tensor bias = with_bias ? at::randn({out}) : at::Tensor();
    at::Tensor x = at::randn({3, channels, frames});
    if (channels_last) x = x.transpose(1, 2).contiguous().transpose(1, 2);
    check_alike(
        {x, at::randn({out, channels, kernel}), bias},
        [stride = stride](const auto& v) { return conv_frames(v[0], v[1], v[2], stride); },
        [stride = stride](const auto& v) { return at::conv1d(v[0], v[1], v[2], stride); });
  }
}

TEST_CASE("the norm over time and its gradients are at::group_norm's", "[level]") {
  at::manual_seed(3);
  for (const auto& [rows, channels, frames] :
       {std::array<int64_t, 3>{3, 5, 64}, {2, 24, 1000}, {1, 7, 65}, {2, 3, 17}}) {
    INFO(rows << " rows, " << channels << " channels, " << frames << " frames");
    // Far from zero, where a mean formed badly would lose the variance.
    const at::Tensor x = (at::randn({rows, frames, channels}) + 3).transpose(1, 2);
    check_alike(
        {x, at::randn({channels}), at::randn({channels})},
        [](const auto& v) {
          return time_norm(v[0].transpose(1, 2).contiguous().transpose(1, 2), v[1], v[2], 1e-5);
        },
        [](const auto& v) { return at::group_norm(v[0], v[1].numel(), v[1], v[2], 1e-5); });
  }
}
