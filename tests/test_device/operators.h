#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace flowqat::test_device {

at::Tensor empty_on_device(at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType type);
/// A result of the CPU's, counted as what `name` launched after reading so many bytes. Undefined
/// stays so, and is no launch.
at::Tensor copied_to_device(const at::Tensor& result, const std::string& name, int64_t read_bytes);

}  // namespace flowqat::test_device
