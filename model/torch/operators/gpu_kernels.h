/// Kernels from text on an NVIDIA GPU, without CUDA's headers: NVRTC, which LibTorch brings along,
/// and the driver are opened when a kernel is first wanted.
#pragma once
#include <c10/core/Device.h>

#include <array>
#include <map>
#include <string>
#include <vector>

namespace flowqat::model {

/// Compiled code for a GPU of a compute capability such as 90. Throws Error with the compiler's
/// text, or where there is no compiler. Needs no GPU.
std::string compile_for_gpu(const std::string& source, int capability);

/// The functions of a text, for one GPU. Not thread-safe.
class GpuKernels {
 public:
  /// Throws Error where they cannot be compiled or loaded.
  GpuKernels(const std::string& source, const at::Device& device,
             const std::vector<std::string>& names);
  /// Launches on the device's current stream, without waiting. `arguments` point to the values.
  void launch(const std::string& name, std::array<unsigned, 2> blocks, unsigned threads,
              std::vector<void*> arguments) const;

 private:
  at::Device device_;
  std::map<std::string, void*> functions_;
};

}  // namespace flowqat::model
