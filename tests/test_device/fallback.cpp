#include "tests/test_device/fallback.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/enum_tag.h>

#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "tests/test_device/counts.h"
#include "tests/test_device/memory.h"
#include "tests/test_device/operators.h"
#include "tests/test_device/streams.h"
#include "tests/test_device/synchronizes.h"

namespace flowqat::test_device {
namespace {

/// Random operators draw from the device's generator, as the CPU's stays where it is on a GPU.
class DrawsFromDevice {
 public:
  explicit DrawsFromDevice(bool draws) {
    if (!draws) return;
    host_ = at::detail::getDefaultCPUGenerator();
    device_ = at::globalContext().defaultGenerator(at::Device(at::kPrivateUse1, 0));
    kept_ = host_.get_state();
    host_.set_state(device_.get_state());
  }
  DrawsFromDevice(const DrawsFromDevice&) = delete;
  DrawsFromDevice& operator=(const DrawsFromDevice&) = delete;
  ~DrawsFromDevice() {
    if (!kept_.defined()) return;
    device_.set_state(host_.get_state());
    host_.set_state(kept_);
  }

 private:
  at::Generator host_, device_;
  at::Tensor kept_;
};

/// The operands of a call, on the CPU and as they were.
class Operands {
 public:
  explicit Operands(std::string name) : name_(std::move(name)) {}

  c10::IValue converted(const c10::IValue& value) {
    if (value.isTensor()) return one(value.toTensor());
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(one(tensor));
      return list;
    }
    if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> list;
      for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
        list.push_back(tensor ? std::optional(one(*tensor)) : std::nullopt);
      }
      return list;
    }
    if (value.isDevice()) return at::Device(at::kCPU);
    if (value.isGenerator()) return {};
    return value;
  }

  void check() const {
    TORCH_CHECK(!device_.empty() || host_.empty(), name_, " got no tensor of the device");
    for (const at::Tensor& tensor : host_) {
      TORCH_CHECK(tensor.dim() == 0, "Expected all tensors to be on the same device, but ", name_,
                  " got some on ", at::Device(at::kPrivateUse1, 0), " and one of shape ",
                  tensor.sizes(), " on the CPU");
    }
  }

  /// What was given for a tensor of the CPU; undefined where it is none of the operands.
  at::Tensor given_for(const at::Tensor& alias) const {
    for (const auto& [given, its] : device_) {
      if (its.is_same(alias)) return given;
    }
    return {};
  }

  /// Operators make results without elements as large as they need.
  void take_resized() {
    for (auto& [given, alias] : device_) {
      if (alias.sizes() == given.sizes()) continue;
      given.resize_(alias.sizes());
      opened_.add(given);
      on_cpu(given).copy_(alias);
    }
  }

  int64_t bytes() const {
    int64_t sum = 0;
    for (const auto& [given, alias] : device_) sum += static_cast<int64_t>(given.nbytes());
    return sum;
  }

 private:
  at::Tensor one(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    if (!tensor.is_privateuseone()) {
      host_.push_back(tensor);
      return tensor;
    }
    opened_.add(tensor);
    device_.emplace_back(tensor, on_cpu(tensor));
    return device_.back().second;
  }

  std::string name_;
  Opened opened_;
  std::vector<std::pair<at::Tensor, at::Tensor>> device_;
  std::vector<at::Tensor> host_;
};

at::Tensor to_device(const at::Tensor& result, int64_t& bytes) {
  if (!result.defined()) return result;
  const at::Tensor whole = result.is_non_overlapping_and_dense() ? result : result.contiguous();
  const at::Tensor moved = empty_on_device(whole.sizes(), whole.strides(), whole.scalar_type());
  const Opened opened{moved};
  on_cpu(moved).copy_(whole);
  bytes += static_cast<int64_t>(moved.nbytes());
  return moved;
}

c10::IValue to_device(const c10::IValue& value, const Operands& operands, int64_t& bytes) {
  const auto one = [&](const at::Tensor& result) {
    const at::Tensor given = operands.given_for(result);
    return given.defined() ? given : to_device(result, bytes);
  };
  if (value.isTensor()) return one(value.toTensor());
  if (!value.isTensorList()) return value;
  c10::List<at::Tensor> list;
  for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(one(tensor));
  return list;
}

}  // namespace

void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const c10::FunctionSchema& schema = op.schema();
  const std::string name = c10::toString(op.operator_name());
  for (const c10::Argument& result : schema.returns()) {
    const c10::AliasInfo* const alias = result.alias_info();
    TORCH_CHECK(!alias || alias->isWrite(), name,
                " makes a view, for which the device has nothing");
  }
  const size_t count = schema.arguments().size(), begin = stack->size() - count;
  if (waits_on_cuda(name, c10::ArrayRef<c10::IValue>(stack->data() + begin, count)))
    wait_on_host(name);
  Operands operands(name);
  for (size_t i = begin; i < begin + count; ++i) (*stack)[i] = operands.converted((*stack)[i]);
  operands.check();
  {
    const DrawsFromDevice draws(op.hasTag(at::Tag::nondeterministic_seeded));
    op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  }
  operands.take_resized();
  int64_t bytes = operands.bytes();
  const size_t results = schema.returns().size(), first = stack->size() - results;
  for (size_t i = first; i < first + results; ++i) {
    (*stack)[i] = to_device((*stack)[i], operands, bytes);
  }
  count_launch(name, bytes);
}

}  // namespace flowqat::test_device
