#include "model/torch/int8/engine_kernel.h"

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <ATen/ops/_make_per_channel_quantized_tensor.h>
#include <ATen/ops/_make_per_tensor_quantized_tensor.h>
#include <ATen/ops/quantize_per_tensor.h>
#include <ATen/ops/round.h>
#ifdef __x86_64__
#include <fbgemm/Utils.h>
#endif

#include <algorithm>
#include <mutex>
#include <vector>

#include "model/model.h"

namespace flowqat::model {
namespace {

struct Ops {
  c10::OperatorHandle conv1d, conv1d_prepack, conv1d_unpack;
  c10::OperatorHandle linear, linear_prepack, linear_unpack;
};

const Ops& ops() {
  const auto find = [](const char* name) {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
  };
  static const Ops found{find("quantized::conv1d"),         find("quantized::conv1d_prepack"),
                         find("quantized::conv1d_unpack"),  find("quantized::linear"),
                         find("quantized::linear_prepack"), find("quantized::linear_unpack")};
  return found;
}

/// Boxed calls: the operators' own C++ types are internal to LibTorch.
c10::IValue call(const c10::OperatorHandle& op, torch::jit::Stack arguments) {
  op.callBoxed(&arguments);
  return std::move(arguments.front());
}

at::QEngine torch_engine(QuantEngine engine) {
  return engine == QuantEngine::qnnpack ? at::QEngine::QNNPACK : at::QEngine::FBGEMM;
}

/// Before VNNI, FBGEMM adds two products of eight bits in sixteen, which saturate: what it computes
/// on such processors is wrong wherever two large weights meet two large activations.
bool fbgemm_saturates() {
#ifdef __x86_64__
  const fbgemm::inst_set_t used = fbgemm::fbgemmInstructionSet();
  return used != fbgemm::inst_set_t::avx512_vnni && used != fbgemm::inst_set_t::avx512_vnni_ymm;
#else
  return false;
#endif
}

/// QNNPACK takes the same numbers of either scheme and adds in thirty-two bits everywhere.
QuantEngine exact_engine(QuantEngine wanted) {
  return wanted == QuantEngine::fbgemm && fbgemm_saturates() ? QuantEngine::qnnpack : wanted;
}

/// LibTorch's engine is one for the whole process and matters only to packing and unpacking: held
/// here for that long, then put back.
class EngineScope {
 public:
  explicit EngineScope(QuantEngine engine) : lock_(mutex()) {
    require(engine);
    previous_ = at::globalContext().qEngine();
    at::globalContext().setQEngine(torch_engine(engine));
  }
  ~EngineScope() { at::globalContext().setQEngine(previous_); }
  EngineScope(const EngineScope&) = delete;
  EngineScope& operator=(const EngineScope&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex only;
    return only;
  }
  static void require(QuantEngine engine) {
    const auto& supported = at::globalContext().supportedQEngines();
    if (std::find(supported.begin(), supported.end(), torch_engine(engine)) != supported.end())
      return;
    std::string text = "int8 engine ";
    text += toString(torch_engine(engine));
    text += " is missing from this LibTorch on this processor; it has:";
    for (const auto found : supported) text.append(" ").append(toString(found));
    throw Error(text + ". Choose a preset for one of these, or another machine");
  }

  std::lock_guard<std::mutex> lock_;
  at::QEngine previous_;
};

at::Tensor quantized_weight(const Int8Parameters& parameters) {
  const auto weight = parameters.weight.contiguous();
  if (parameters.weight_scale.numel() == 1)
    return at::_make_per_tensor_quantized_tensor(weight, parameters.weight_scale.item<float>(),
                                                 parameters.weight_zero_point.item<int>());
  return at::_make_per_channel_quantized_tensor(weight, parameters.weight_scale.to(at::kDouble),
                                                parameters.weight_zero_point.to(at::kLong),
                                                /*axis=*/0);
}

c10::IValue list(int64_t value) { return c10::List<int64_t>({value}); }

c10::IValue pack(const Int8Parameters& parameters, const Int8Geometry& geometry,
                 QuantEngine engine) {
  const EngineScope scope(engine);
  const c10::IValue bias = parameters.bias.defined() ? parameters.bias : c10::IValue();
  if (!geometry.stride) return call(ops().linear_prepack, {quantized_weight(parameters), bias});
  const int64_t dilation = 1;
  return call(ops().conv1d_prepack, {quantized_weight(parameters), bias, list(*geometry.stride),
                                     list(geometry.padding), list(dilation), geometry.groups});
}

/// LibTorch's grid ends at 255. One of fewer bits ends at what its highest integer stands for, and
/// rounding puts that integer there; the lower end is 0 of either.
at::Tensor below_end(const at::Tensor& x, const ActivationScale& grid) {
  if (grid.highest == 255) return x;
  return x.clamp_max(static_cast<float>(grid.highest - grid.zero_point) *
                     static_cast<float>(grid.scale));
}

}  // namespace

Int8Kernel::Int8Kernel(const Int8Parameters& parameters, const Int8Geometry& geometry)
    : engine_(parameters.engine),
      packed_for_(exact_engine(engine_)),
      geometry_(geometry),
      input_(parameters.input),
      output_(parameters.output),
      weight_scale_(parameters.weight_scale.clone()),
      weight_zero_point_(parameters.weight_zero_point.clone()),
      packed_(pack(parameters, geometry, packed_for_)) {}

at::Tensor Int8Kernel::run(const at::Tensor& x) const {
  const at::NoGradGuard no_grad;
  const auto input = at::quantize_per_tensor(below_end(x.to(at::kFloat), input_).contiguous(),
                                             input_.scale, input_.zero_point, at::kQUInt8);
  const auto& op = geometry_.stride ? ops().conv1d : ops().linear;
  const auto output = call(op, {input, packed_, output_.scale, output_.zero_point}).toTensor();
  return below_end(output.dequantize(), output_);
}

at::Tensor Int8Kernel::weight() const {
  const EngineScope scope(packed_for_);
  const auto& op = geometry_.stride ? ops().conv1d_unpack : ops().linear_unpack;
  return call(op, {packed_}).toTensor().int_repr().contiguous();
}

at::Tensor quantize_weight(const at::Tensor& weight, const at::Tensor& scale,
                           const at::Tensor& zero_point, const GridEnds& grid) {
  std::vector<int64_t> shape(weight.dim(), 1);
  shape[0] = -1;
  const auto values = weight.detach().to(at::kCPU, at::kFloat);
  const auto steps = at::round(values * scale.to(at::kCPU).reciprocal().view(shape)) +
                     zero_point.to(at::kCPU).view(shape);
  return steps.clamp(grid.lowest, grid.highest).to(at::kChar);
}

}  // namespace flowqat::model
