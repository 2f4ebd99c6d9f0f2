#include "model/torch/operators/dropout.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/simd/vectorize.h"

namespace flowqat::model {
namespace {

constexpr int lanes = 8;   // counters side by side in a register, each word in 64 bits
constexpr int groups = 2;  // registers at once, so that one's products hide the other's
constexpr int64_t block_elements = 4 * lanes * groups;
constexpr int64_t blocks_a_task = 256;

using Lanes = uint64_t __attribute__((vector_size(8 * lanes)));
using Words = uint32_t __attribute__((vector_size(4 * lanes)));

/// The random words of a block's elements. Counter c of the block gives words to four of them:
/// elements lanes * (4 (c / lanes) + w) + c % lanes for w of 0..3.
FLOWQAT_INLINE void philox(uint64_t key, uint64_t block, uint32_t* words) {
  constexpr Lanes count = {0, 1, 2, 3, 4, 5, 6, 7};
  constexpr uint64_t low = 0xFFFFFFFF;
  Lanes c0[groups], c1[groups], c2[groups], c3[groups];
  for (int g = 0; g < groups; ++g) {
    const Lanes counter = count + (block * groups + static_cast<uint64_t>(g)) * lanes;
    c0[g] = counter & low;
    c1[g] = counter >> 32;
    c2[g] = c3[g] = Lanes{};
  }
  uint64_t k0 = key & low, k1 = key >> 32;
  for (int round = 0; round < 10; ++round) {
    for (int g = 0; g < groups; ++g) {
      const Lanes product0 = c0[g] * 0xD2511F53, product1 = c2[g] * 0xCD9E8D57;
      c0[g] = (product1 >> 32) ^ c1[g] ^ k0;
      c1[g] = product1 & low;
      c2[g] = (product0 >> 32) ^ c3[g] ^ k1;
      c3[g] = product0 & low;
    }
    k0 = (k0 + 0x9E3779B9) & low;
    k1 = (k1 + 0xBB67AE85) & low;
  }
  for (int g = 0; g < groups; ++g) {
    const Words drawn[4] = {
        __builtin_convertvector(c0[g], Words), __builtin_convertvector(c1[g], Words),
        __builtin_convertvector(c2[g], Words), __builtin_convertvector(c3[g], Words)};
    std::memcpy(words + 4 * lanes * g, drawn, sizeof drawn);
  }
}

struct Draw {
  uint64_t key;
  uint32_t threshold;  // smaller words drop: p as a share of 2^32
  float scale;
};

/// y = apply_dropout(x) or, with a residual, residual + apply_dropout(x), for the elements of some
/// blocks.
FLOWQAT_INLINE void drop(const Draw& draw, int64_t first_block, int64_t last_block,
                         int64_t elements, const float* x, const float* residual, float* y) {
  for (int64_t block = first_block; block < last_block; ++block) {
    alignas(64) uint32_t words[block_elements];
    philox(draw.key, static_cast<uint64_t>(block), words);
    const int64_t begin = block * block_elements;
    const int64_t count = std::min(block_elements, elements - begin);
    const float* from = x + begin;
    float* to = y + begin;
    alignas(64) float kept[block_elements];
    for (int64_t i = 0; i < block_elements; ++i) {
      kept[i] = words[i] >= draw.threshold ? draw.scale : 0.0f;
    }
    if (residual) {
      const float* base = residual + begin;
      for (int64_t i = 0; i < count; ++i) to[i] = base[i] + from[i] * kept[i];
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = from[i] * kept[i];
    }
  }
}

at::Tensor dropped(const Draw& draw, const at::Tensor& x, const at::Tensor& residual) {
  at::Tensor y = at::empty(x.sizes(), x.options());
  const int64_t elements = x.numel();
  const float* const from = x.const_data_ptr<float>();
  const float* const base = residual.defined() ? residual.const_data_ptr<float>() : nullptr;
  float* const to = y.mutable_data_ptr<float>();
  const int64_t blocks = (elements + block_elements - 1) / block_elements;
  at::parallel_for(0, blocks, blocks_a_task, [&](int64_t first, int64_t last) {
    vectorized<drop>(draw, first, last, elements, from, base, to);
  });
  return y;
}

uint64_t draw_key() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  return at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
}

class Dropout : public torch::autograd::Function<Dropout> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& residual, double p) {
    const uint64_t key = draw_key();
    context->saved_data["key"] = static_cast<int64_t>(key);
    context->saved_data["p"] = p;
    context->saved_data["residual"] = residual.has_value();
    return dropped(draw(key, p), x.contiguous(), residual ? residual->contiguous() : at::Tensor());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto key = static_cast<uint64_t>(context->saved_data["key"].toInt());
    const Draw same = draw(key, context->saved_data["p"].toDouble());
    const at::Tensor dx = dropped(same, gradients[0].contiguous(), {});
    return {dx, context->saved_data["residual"].toBool() ? gradients[0] : at::Tensor(), {}};
  }

 private:
  static Draw draw(uint64_t key, double p) {
    return {key, static_cast<uint32_t>(std::llround(std::ldexp(p, 32))),
            static_cast<float>(1 / (1 - p))};
  }
};

bool counted(const at::Tensor& x, double p) {
  constexpr double largest = 0.999999;  // what the threshold can tell from 1
  return x.is_cpu() && x.scalar_type() == at::kFloat && p < largest;
}

}  // namespace

at::Tensor apply_dropout(const at::Tensor& x, double p, bool training) {
  if (!training || p == 0) return x;
  if (!counted(x, p)) return at::dropout(x, p, training);
  return Dropout::apply(x, std::nullopt, p);
}

at::Tensor add_dropout(const at::Tensor& x, const at::Tensor& residual, double p, bool training) {
  if (!training || p == 0) return residual + x;
  if (!counted(x, p) || !counted(residual, p) || x.sizes() != residual.sizes()) {
    return residual + at::dropout(x, p, training);
  }
  return Dropout::apply(x, std::optional(residual), p);
}

}  // namespace flowqat::model
