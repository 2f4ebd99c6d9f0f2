// Products in bfloat16 beside those of double: of rounded factors, and of a grid's integers.
#include "model/torch/operators/bf16_product.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/fake_quantize_per_channel_affine.h>
#include <ATen/ops/fake_quantize_per_tensor_affine.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include "model/torch/operators/bf16_tile.h"
#include "model/torch/operators/conv_frames.h"
#include "model/torch/operators/cpu_matmul.h"
#include "model/torch/operators/grouped_conv.h"
#include "model/torch/operators/linear.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"
#include "tests/skip.h"

using namespace flowqat::model;

namespace {

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); }

void check_close(const at::Tensor& found, const at::Tensor& expected, double tolerance) {
  REQUIRE(found.sizes() == expected.sizes());
  const double largest = expected.abs().max().item<double>();
  CHECK(largest_difference(found.to(at::kDouble), expected) <= tolerance * largest);
}

/// While it lives, the layers multiply in bfloat16.
struct InBf16 {
  InBf16() { use_cpu_products(CpuProducts::bf16); }
  ~InBf16() { use_cpu_products(CpuProducts::float32); }
};

struct Sizes {
  int64_t rows, depth, columns;
};

bool is_missing() {
  if (has_bf16_tile()) return false;
  flowqat::testing::skip("this processor has no AVX-512 BF16");
  return true;
}

const std::vector<Sizes> kSizes{{1, 1, 1},    {5, 7, 13},     {6, 64, 64},   {47, 33, 65},
                                {48, 2, 128}, {100, 1030, 9}, {49, 2500, 70}};

}  // namespace

TEST_CASE(
    "products in bfloat16 are those of the rounded factors, whichever axis lies side by side") {
  if (is_missing()) return;
  at::manual_seed(1);
  for (const auto& [rows, depth, columns] : kSizes) {
    INFO(rows << " x " << depth << " x " << columns);
    const at::Tensor a = at::randn({rows, depth}), b = at::randn({columns, depth}),
                     bias = at::randn({columns});
    const at::Tensor expected = rounded(a).matmul(rounded(b).t());
    check_close(bf16_product(a, b), expected, 1e-6);
    check_close(bf16_product(a, b, bias), expected + bias, 1e-6);
    const at::Tensor a_turned = a.t().contiguous().t(), b_turned = b.t().contiguous().t();
    CHECK(at::equal(bf16_product(a_turned, b), bf16_product(a, b)));
    CHECK(at::equal(bf16_product(a, b_turned, bias), bf16_product(a, b, bias)));
    CHECK(at::equal(bf16_product(a_turned, b_turned), bf16_product(a, b)));
  }
}

TEST_CASE("the number of threads changes no bit of a product in bfloat16") {
  if (is_missing()) return;
  const at::Tensor a = at::randn({300, 700}), b = at::randn({520, 700});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone = bf16_product(a, b);
  at::set_num_threads(3);
  CHECK(at::equal(bf16_product(a, b), alone));
  at::set_num_threads(threads);
}

TEST_CASE("values on grids are multiplied as their integers") {
  if (is_missing()) return;
  at::manual_seed(2);
  const bool per_channel = GENERATE(true, false), turned = GENERATE(true, false);
  for (const auto& [rows, depth, columns] : kSizes) {
    const Grids grids{at::rand({1}) + 0.1, at::rand({per_channel ? columns : 1}) * 0.01 + 0.001};
    const at::Tensor x = at::fake_quantize_per_tensor_affine(
        at::randn({rows, depth}) * 20, grids.input_step, at::zeros({1}, at::kInt) + 31, 0, 255);
    const at::Tensor steps = grids.weight_step.expand({columns}).contiguous();
    const at::Tensor w = at::fake_quantize_per_channel_affine(
        at::randn({columns, depth}), steps, at::zeros({columns}, at::kInt), 0, -128, 127);
    // Rounded to bfloat16 as they stand, hardly one of these values would be what it was.
    const at::Tensor expected = x.to(at::kDouble).matmul(w.to(at::kDouble).t());
    const at::Tensor there = turned ? w.t().contiguous().t() : w;
    check_close(bf16_product(x, there, {}, grids), expected, 1e-6);
    const at::Tensor bias = at::randn({columns});
    check_close(bf16_product(x, there, bias, grids), expected + bias, 1e-6);
  }
}

TEST_CASE("a convolution of groups multiplies values on grids as their integers") {
  if (is_missing()) return;
  at::manual_seed(4);
  const Grids grids{at::rand({1}) + 0.1, at::rand({24}) * 0.01 + 0.001};
  const at::Tensor x = at::fake_quantize_per_tensor_affine(
      at::randn({2, 12, 40}) * 20, grids.input_step, at::zeros({1}, at::kInt) + 31, 0, 255);
  const at::Tensor w = at::fake_quantize_per_channel_affine(
      at::randn({24, 4, 6}), grids.weight_step, at::zeros({24}, at::kInt), 0, -128, 127);
  const at::Tensor expected =
      at::conv1d(x.to(at::kDouble), w.to(at::kDouble), {}, 1, /*padding=*/3, 1, /*groups=*/3);
  check_close(grouped_conv(x, w, {}, 3, 3, grids), expected, 1e-6);
}

TEST_CASE("layers in bfloat16 and their gradients are those of float32, about") {
  if (is_missing()) return;
  at::manual_seed(3);
  const auto gradients = [](const auto& operation, std::vector<at::Tensor> operands) {
    for (at::Tensor& operand : operands) operand = operand.clone().requires_grad_();
    const at::Tensor y = operation(operands);
    (y * (at::arange(y.numel()).cos() + 0.5).view(y.sizes()).to(y.scalar_type())).sum().backward();
    std::vector<at::Tensor> results{y.detach()};
    for (const at::Tensor& operand : operands) results.push_back(operand.grad());
    return results;
  };
  const auto check = [&](const auto& operation, const auto& reference,
                         const std::vector<at::Tensor>& operands) {
    std::vector<at::Tensor> doubles;
    for (const at::Tensor& operand : operands) doubles.push_back(operand.to(at::kDouble));
    const std::vector<at::Tensor> expected = gradients(reference, doubles);
    std::vector<at::Tensor> found;
    {
      const InBf16 scope;
      found = gradients(operation, operands);
    }
    for (size_t i = 0; i < found.size(); ++i) {
      INFO("result " << i);
      check_close(found[i], expected[i], 2e-2);
      // Not float32's: the precision is what was asked for.
      if (i < 3) CHECK(largest_difference(found[i].to(at::kDouble), expected[i]) > 1e-5);
    }
  };
  check([](const auto& v) { return apply_linear(v[0], v[1], v[2]); },
        [](const auto& v) { return at::linear(v[0], v[1], v[2]); },
        {at::randn({3, 50, 96}), at::randn({40, 96}), at::randn({40})});
  check([](const auto& v) { return conv_frames(v[0], v[1], v[2], 2); },
        [](const auto& v) { return at::conv1d(v[0], v[1], v[2], 2); },
        {at::randn({2, 16, 101}), at::randn({32, 16, 3}), at::randn({32})});
  const int64_t kernel = GENERATE(1, 5, 8);
  check([&](const auto& v) { return grouped_conv(v[0], v[1], v[2], kernel / 2, 4); },
        [&](const auto& v) { return at::conv1d(v[0], v[1], v[2], 1, kernel / 2, 1, 4); },
        {at::randn({2, 24, 31}), at::randn({32, 6, kernel}), at::randn({32})});
}
