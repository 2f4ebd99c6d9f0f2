#include "model/torch/engine/gpu_driver.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace flowqat::model {
namespace {

constexpr int kNoDevice = 100, kMismatch = 803, kTooOldForLibrary = 804;  // CUDA_ERROR_...

std::string as_version(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

template <class... Arguments>
int call(void* library, const char* name, Arguments... arguments) {
  const auto function = reinterpret_cast<int (*)(Arguments...)>(::dlsym(library, name));
  return function ? function(arguments...) : -1;
}

}  // namespace

GpuDriver ask_gpu_driver() {
  GpuDriver driver;
  for (const char* const node : {"/dev/nvidiactl", "/dev/dxg"}) {
    std::error_code ignored;
    if (driver.node.empty() && std::filesystem::exists(node, ignored)) driver.node = node;
  }
  if (const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES")) driver.visible = visible;
  void* const library = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (!library) {
    driver.missing = ::dlerror();
    return driver;
  }
  call(library, "cuDriverGetVersion", &driver.version);
  driver.status = call(library, "cuInit", 0U);
  if (driver.status == 0) call(library, "cuDeviceGetCount", &driver.devices);
  return driver;
}

bool has_trace_of_gpu(const GpuDriver& driver) {
  return driver.missing.empty() || !driver.node.empty();
}

std::string why_no_gpu(const GpuDriver& driver, int needed) {
  if (!driver.missing.empty()) {
    if (driver.node.empty()) return "there is no NVIDIA driver (" + driver.missing + ")";
    return driver.node + " is here, but not the driver's library (" + driver.missing +
           "): a container must be given it (docker run --gpus all)";
  }
  if (driver.version > 0 && needed > 0 && driver.version / 1000 < needed / 1000) {
    return "the GPU's driver serves CUDA " + as_version(driver.version) +
           ", and LibTorch is made for CUDA " + as_version(needed) +
           ": update the driver (CUDA 13 needs 580 or newer)";
  }
  if (driver.status == kMismatch || driver.status == kTooOldForLibrary) {
    return "the GPU's driver and its library are of two versions (cuInit ended with " +
           std::to_string(driver.status) + "): load the driver anew, or restart the machine";
  }
  if (driver.status == kNoDevice || (driver.status == 0 && driver.devices == 0)) {
    if (driver.visible) {
      return "CUDA_VISIBLE_DEVICES is \"" + *driver.visible +
             "\", which leaves no GPU: unset it, or name one that nvidia-smi lists";
    }
    return "the driver shows this process no GPU: a container must be given one (docker run "
           "--gpus all), a job of Slurm's asks for one (--gpus 1)";
  }
  if (driver.status != 0) {
    return "the GPU's driver does not start (cuInit ended with " + std::to_string(driver.status) +
           "): nvidia-smi tells more";
  }
  return "the driver shows " + std::to_string(driver.devices) +
         " GPUs, but LibTorch finds none that it can use: CUDA 13 needs Turing (2018) or newer";
}

}  // namespace flowqat::model
