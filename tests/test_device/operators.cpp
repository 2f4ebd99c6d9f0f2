// What no fallback can do: memory, views, copies, and what LibTorch leaves to a device of this
// kind.
#include "tests/test_device/operators.h"

#include <ATen/EmptyTensor.h>
#include <ATen/InferSize.h>
#include <ATen/ops/_local_scalar_dense.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>

#include "tests/test_device/counts.h"
#include "tests/test_device/fallback.h"
#include "tests/test_device/memory.h"
#include "tests/test_device/runtime.h"
#include "tests/test_device/streams.h"

namespace flowqat::test_device {
namespace {

/// The second one stands for nothing: LibTorch lets a parameter's memory be another device's only
/// among those devices that it knows by name (TensorImpl::has_compatible_shallow_copy_type).
constexpr c10::DispatchKeySet kKeys = c10::DispatchKeySet(c10::DispatchKey::PrivateUse1) |
                                      c10::DispatchKeySet(c10::DispatchKey::MTIA);

c10::Allocator* allocator() { return c10::GetAllocator(at::kPrivateUse1); }

at::Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, allocator(), kKeys, c10::dtype_or_default(type), format);
}

at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides,
                         std::optional<at::ScalarType> type, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  return empty_on_device(sizes, strides, c10::dtype_or_default(type));
}

const at::Tensor& resize(const at::Tensor& self, at::IntArrayRef sizes,
                         std::optional<at::MemoryFormat>) {
  c10::TensorImpl* const tensor = self.unsafeGetTensorImpl();
  tensor->set_sizes_contiguous(sizes);
  const size_t needed =
      at::detail::computeStorageNbytesContiguous(sizes, self.itemsize(), self.storage_offset());
  c10::Storage storage = self.storage();
  if (needed > storage.nbytes()) {
    at::DataPtr larger = allocator()->allocate(needed);
    if (storage.nbytes() > 0) {
      allocator()->copy_data(larger.get(), storage.data(), storage.nbytes());
    }
    storage.set_data_ptr_noswap(std::move(larger));
    storage.set_nbytes(needed);
  }
  return self;
}

/// To and from the device, and on it. Only pinned memory is copied behind the host's back.
at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  if (to.numel() == 0) return to;
  const auto bytes = static_cast<int64_t>(to.nbytes());
  const bool overlapped = non_blocking && is_pinned((from.is_cpu() ? from : to).storage().data());
  if (from.is_cpu()) {
    count_copy_to_device(bytes);
    if (!overlapped) wait_on_host("copy to the device");
  } else if (to.is_cpu()) {
    count_copy_to_host(bytes);
    if (!overlapped) wait_on_host("copy to the host");
  } else {
    count_launch("aten::copy_", 2 * bytes);
  }
  const Opened opened{from, to};
  on_cpu(to).copy_(on_cpu(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar(const at::Tensor& self) {
  wait_on_host("aten::_local_scalar_dense");
  const Opened opened{self};
  return at::_local_scalar_dense(on_cpu(self));
}

at::Tensor& set_storage(at::Tensor& self, at::Storage source, int64_t offset, at::IntArrayRef sizes,
                        at::IntArrayRef strides) {
  return at::native::set_storage_cpu_(self, std::move(source), offset, sizes, strides);
}

void record_stream(at::Tensor& self, c10::Stream stream) {
  Memory::instance().record(self.storage().data(), stream.id());
}

// A convolution has no dispatch of its own here but this one.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef output_padding, int64_t groups) {
  TORCH_CHECK(x.is_privateuseone() && weight.is_privateuseone() &&
                  (!bias || !bias->defined() || bias->is_privateuseone()),
              "Expected all tensors to be on the same device in a convolution");
  const Opened opened{x, weight, bias.value_or(at::Tensor())};
  std::optional<at::Tensor> added;
  if (bias && bias->defined()) added = on_cpu(*bias);
  const at::Tensor y = at::convolution(on_cpu(x), on_cpu(weight), added, stride, padding, dilation,
                                       transposed, output_padding, groups);
  return copied_to_device(y, "aten::convolution",
                          static_cast<int64_t>(x.nbytes() + weight.nbytes()));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight,
    at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
    at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  TORCH_CHECK(gradient.is_privateuseone() && x.is_privateuseone() && weight.is_privateuseone(),
              "Expected all tensors to be on the same device in a convolution's backward");
  const Opened opened{gradient, x, weight};
  const std::vector<int64_t> bias_sizes = {weight.size(0)};
  const auto [dx, dw, db] =
      at::convolution_backward(on_cpu(gradient), on_cpu(x), on_cpu(weight), bias_sizes, stride,
                               padding, dilation, transposed, output_padding, groups, wanted);
  const auto read = static_cast<int64_t>(gradient.nbytes() + x.nbytes() + weight.nbytes());
  const auto moved = [&](const at::Tensor& result) {
    return copied_to_device(result, "aten::convolution_backward", read);
  };
  return {moved(dx), moved(dw), moved(db)};
}

/// A product of 16-bit factors with sums in float32, as tensor cores make it: the CPU has none.
at::Tensor mm_of(const at::Tensor& a, const at::Tensor& b, at::ScalarType type) {
  TORCH_CHECK(a.is_privateuseone() && b.is_privateuseone() && type == at::kFloat,
              "Expected all tensors to be on the same device in mm.dtype");
  const Opened opened{a, b};
  return copied_to_device(at::mm(on_cpu(a).to(type), on_cpu(b).to(type)), "aten::mm.dtype",
                          static_cast<int64_t>(a.nbytes() + b.nbytes()));
}

}  // namespace

at::Tensor empty_on_device(at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType type) {
  return at::detail::empty_strided_generic(sizes, strides, allocator(), kKeys, type);
}

at::Tensor copied_to_device(const at::Tensor& result, const std::string& name, int64_t read) {
  if (!result.defined()) return result;
  const at::Tensor whole = result.is_non_overlapping_and_dense() ? result : result.contiguous();
  const at::Tensor moved = empty_on_device(whole.sizes(), whole.strides(), whole.scalar_type());
  const Opened opened{moved};
  on_cpu(moved).copy_(whole);
  count_launch(name, read + static_cast<int64_t>(moved.nbytes()));
  return moved;
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("resize_", &resize);
  m.impl("_copy_from", &copy_from);
  m.impl("_copy_from_and_resize", &copy_from_and_resize);
  m.impl("_local_scalar_dense", &local_scalar);
  m.impl("set_.source_Storage_storage_offset", &set_storage);
  m.impl("set_.source_Tensor", &at::native::set_tensor_);
  m.impl("set_.source_Storage",
         static_cast<at::Tensor& (*)(at::Tensor&, at::Storage)>(&at::native::set_));
  m.impl("record_stream", &record_stream);
  m.impl("as_strided", &at::native::as_strided_tensorimpl);
  m.impl("view", &at::native::view);
  m.impl("_reshape_alias", &at::native::_reshape_alias);
  m.impl("unfold", &at::native::unfold);
  m.impl("mm.dtype", &mm_of);
  m.impl("convolution_overrideable", &convolution);
  m.impl("convolution_backward_overrideable", &convolution_backward);
  // One launch, or a few, over all tensors of a list, as on a GPU: LibTorch's own way for devices
  // without such kernels goes through them one by one.
  for (const char* const name :
       {"_foreach_add_.Scalar", "_foreach_add_.Tensor", "_foreach_norm.Scalar", "_foreach_copy_",
        "_foreach_lerp_.List", "_foreach_lerp_.Scalar", "_foreach_lerp_.ScalarList",
        "_foreach_mul_.Scalar", "_foreach_mul_.Tensor", "_foreach_add_.List"}) {
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
  }
}

}  // namespace flowqat::test_device
