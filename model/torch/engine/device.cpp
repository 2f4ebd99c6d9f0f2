#include "model/torch/engine/device.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include "model/model.h"
#include "model/torch/operators/bf16_tile.h"
#include "model/torch/operators/cpu_matmul.h"

namespace flowqat::model {
namespace {

/// Whether the system has an NVIDIA driver: the numbers of devices depend on the container, and
/// Windows' subsystem has none.
bool has_driver() { return ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr; }

/// Empty, or why there is no GPU.
std::string open_cuda() {
  if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) return ::dlerror();
  if (!at::hasCUDA())
    return "LibTorch finds no usable GPU: its driver may be older than LibTorch's CUDA, or "
           "CUDA_VISIBLE_DEVICES hides it";
  return "";
}

/// From the driver itself, which LibTorch has loaded by then; empty if it does not say.
std::string gpu_name() {
  void* driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver) return "";
  const auto get = reinterpret_cast<int (*)(int*, int)>(::dlsym(driver, "cuDeviceGet"));
  const auto get_name =
      reinterpret_cast<int (*)(char*, int, int)>(::dlsym(driver, "cuDeviceGetName"));
  int device = 0;
  char name[256] = "";
  if (!get || !get_name || get(&device, 0) != 0 || get_name(name, sizeof name, device) != 0) {
    return "";
  }
  return name;
}

}  // namespace

at::Device choose_device(const std::string& name, std::string* why_no_gpu) {
  if (why_no_gpu) why_no_gpu->clear();
  if (name != "auto" && name != "cpu" && name != "cuda") {
    throw Error("device must be auto, cpu or cuda, found \"" + name + "\"");
  }
  if (name == "cpu") return at::kCPU;
  if (name == "auto" && !has_driver()) return at::kCPU;
  const std::string reason = open_cuda();
  if (reason.empty()) return at::Device(at::kCUDA, 0);
  if (name == "auto") {
    if (why_no_gpu) *why_no_gpu = reason;
    return at::kCPU;
  }
  throw Error("device cuda is not there: " + reason + "; use device cpu, or install the CUDA set");
}

void choose_precision(const std::string& name, const at::Device& device) {
  if (name != "float32" && name != "tf32" && name != "bf16") {
    throw Error("precision must be float32, tf32 or bf16, found \"" + name + "\"");
  }
  const bool bf16 = name == "bf16";
  if (bf16 && !device.is_cpu()) {
    throw Error("precision bf16 is for CPUs; on this device choose tf32 or float32");
  }
  if (bf16 && !has_bf16_tile()) {
    throw Error(
        "precision bf16: this processor has no AVX-512 BF16 (Cooper Lake, Sapphire Rapids, Zen 4 "
        "have it), or FLOWQAT_TARGET forbids it; choose float32");
  }
  use_cpu_products(bf16 ? CpuProducts::bf16 : CpuProducts::float32);
  const bool tf32 = name == "tf32";
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowTF32CuDNN(tf32);
}

std::string describe(const at::Device& device) {
  if (device.is_cpu()) return "cpu";
  const std::string name = gpu_name();
  return device.str() + (name.empty() ? "" : " (" + name + ")");
}

}  // namespace flowqat::model
