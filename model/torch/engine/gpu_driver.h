/// What an NVIDIA driver says of itself, asked without LibTorch: why there is no GPU to compute on.
#pragma once
#include <optional>
#include <string>

namespace flowqat::model {

struct GpuDriver {
  std::string missing =
      {};                 ///< the loader's text where the driver's library is not there; else empty
  std::string node = {};  ///< "/dev/nvidiactl" or "/dev/dxg" where the kernel knows of a GPU
  int status = 0;         ///< of cuInit
  int version = 0;        ///< the newest CUDA that it serves: 13000 is 13.0; 0: not told
  int devices = 0;        ///< that it shows this process
  std::optional<std::string> visible = {};  ///< CUDA_VISIBLE_DEVICES
};

GpuDriver ask_gpu_driver();

/// Whether there is anything of a GPU here, so that computing on the CPU wants a reason.
bool has_trace_of_gpu(const GpuDriver& driver);

/// Why a LibTorch made for CUDA `needed` (as `version`) finds no GPU behind such a driver, and what
/// to do: a sentence without its end.
std::string why_no_gpu(const GpuDriver& driver, int needed);

}  // namespace flowqat::model
