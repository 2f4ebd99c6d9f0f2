#include "model/torch/operators/fake_quantize.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "base/simd/vectorize.h"

namespace flowqat::model {
namespace {

constexpr int64_t elements_a_task = 1 << 14;

/// `inside`: 1 where nothing was clamped. The steps are whole numbers, exact in float wherever they
/// are not clamped; a NaN goes to the lower end, as in PyTorch.
FLOWQAT_INLINE void quantize(const float* x, int64_t count, const QuantizationGrid& grid, float* y,
                             uint8_t* inside) {
  const float inverse = 1.0f / grid.scale, scale = grid.scale;
  const auto zero = static_cast<float>(grid.zero_point);
  const auto low = static_cast<float>(grid.quant_min), high = static_cast<float>(grid.quant_max);
  for (int64_t i = 0; i < count; ++i) {
    const float step = std::nearbyint(x[i] * inverse) + zero;
    const float above = step > low ? step : low;
    const float clamped = above < high ? above : high;
    y[i] = (clamped - zero) * scale;
    inside[i] = step == clamped ? 1 : 0;
  }
}

FLOWQAT_INLINE void pass_inside(const float* dy, const uint8_t* inside, int64_t count, float* dx) {
  for (int64_t i = 0; i < count; ++i) dx[i] = dy[i] * static_cast<float>(inside[i]);
}

class FakeQuantize : public torch::autograd::Function<FakeQuantize> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const QuantizationGrid& grid) {
    const at::Tensor inside = at::empty(x.sizes(), x.options().dtype(at::kByte));
    at::Tensor y = at::empty(x.sizes(), x.options());
    const float* const from = x.const_data_ptr<float>();
    float* const to = y.mutable_data_ptr<float>();
    uint8_t* const mask = inside.mutable_data_ptr<uint8_t>();
    at::parallel_for(0, x.numel(), elements_a_task, [&](int64_t first, int64_t last) {
      vectorized<quantize>(from + first, last - first, grid, to + first, mask + first);
    });
    context->save_for_backward({inside});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor inside = context->get_saved_variables()[0];
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty(dy.sizes(), dy.options());
    const float* const from = dy.const_data_ptr<float>();
    const uint8_t* const mask = inside.const_data_ptr<uint8_t>();
    float* const to = dx.mutable_data_ptr<float>();
    at::parallel_for(0, dy.numel(), elements_a_task, [&](int64_t first, int64_t last) {
      vectorized<pass_inside>(from + first, mask + first, last - first, to + first);
    });
    return {dx, {}};
  }
};

}  // namespace

at::Tensor fake_quantize_on_cpu(const at::Tensor& x, const QuantizationGrid& grid) {
  return FakeQuantize::apply(x, grid);
}

}  // namespace flowqat::model
