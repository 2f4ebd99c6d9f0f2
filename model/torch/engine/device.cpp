#include "model/torch/engine/device.h"

#include <ATen/Context.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>

#include <optional>

#include "model/model.h"
#include "model/torch/engine/gpu_driver.h"
#include "model/torch/operators/bf16_tile.h"
#include "model/torch/operators/cpu_matmul.h"
#include "model/torch/operators/device_product.h"

namespace flowqat::model {
namespace {

/// The CUDA that LibTorch is made for; 0 where it does not tell, as when it was first asked for a
/// GPU before its library was open.
int cuda_of_libtorch() {
  try {
    return static_cast<int>(at::detail::getCUDAHooks().versionCUDART());
  } catch (const c10::Error&) {
    return 0;
  }
}

/// Empty, or why there is no GPU.
std::string open_cuda(const GpuDriver& driver) {
  if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) {
    return std::string(::dlerror()) + " (install the CUDA set)";
  }
  return at::hasCUDA() ? "" : ::flowqat::model::why_no_gpu(driver, cuda_of_libtorch());
}

/// From the driver itself, which LibTorch has loaded by then; empty if it does not say.
std::string gpu_name(int index) {
  void* driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver) return "";
  const auto get = reinterpret_cast<int (*)(int*, int)>(::dlsym(driver, "cuDeviceGet"));
  const auto get_name =
      reinterpret_cast<int (*)(char*, int, int)>(::dlsym(driver, "cuDeviceGetName"));
  int device = 0;
  char name[256] = "";
  if (!get || !get_name || get(&device, index) != 0 || get_name(name, sizeof name, device) != 0) {
    return "";
  }
  return name;
}

/// One that some library has brought to LibTorch, under LibTorch's name for it.
std::optional<at::Device> registered_device(const std::string& name) {
  try {
    const at::Device device(name);
    const auto* const guard =
        c10::impl::device_guard_impl_registry[static_cast<size_t>(device.type())].load();
    const int index = device.has_index() ? device.index() : 0;
    if (device.is_cpu() || device.is_meta() || !guard || index >= guard->deviceCount()) return {};
    return at::Device(device.type(), static_cast<at::DeviceIndex>(index));
  } catch (const c10::Error&) {
    return {};
  }
}

}  // namespace

int gpu_of_process(int gpus, int local_rank, int local_size) {
  if (gpus == 1) return 0;
  if (local_size > gpus) {
    throw Error("this machine has " + std::to_string(gpus) + " GPUs for " +
                std::to_string(local_size) +
                " processes, and each needs its own: start no more processes than GPUs on it, or "
                "choose \"device\": \"cpu\"");
  }
  return local_rank;
}

at::Device choose_device(const std::string& name, std::string* why_no_gpu, int local_rank,
                         int local_size) {
  if (why_no_gpu) why_no_gpu->clear();
  const bool is_cuda = name == "cuda" || name.starts_with("cuda:");
  if (name == "cpu") return at::kCPU;
  if (name != "auto" && !is_cuda) {
    if (const auto other = registered_device(name)) return *other;
    throw Error("device must be auto, cpu, cuda or cuda:1 (the second GPU), found \"" + name +
                "\"");
  }
  const GpuDriver driver = ask_gpu_driver();
  if (name == "auto" && !has_trace_of_gpu(driver)) return at::kCPU;
  const std::string reason = open_cuda(driver);
  if (reason.empty()) {
    const int gpus = at::detail::getCUDAHooks().deviceCount();
    const std::string one =
        name == "auto" || name == "cuda"
            ? "cuda:" + std::to_string(gpu_of_process(gpus, local_rank, local_size))
            : name;
    if (const auto gpu = registered_device(one)) return *gpu;
    throw Error("device " + name + " is not there: this machine has " + std::to_string(gpus) +
                " GPUs, from cuda:0 on");
  }
  if (name == "auto") {
    if (why_no_gpu) *why_no_gpu = reason;
    return at::kCPU;
  }
  throw Error("device cuda is not there: " + reason + "; or use device cpu");
}

bool is_registered(const std::string& name) { return registered_device(name).has_value(); }

void choose_precision(const std::string& name, const at::Device& device) {
  if (name != "float32" && name != "tf32" && name != "bf16" && name != "fp16") {
    throw Error("precision must be float32, tf32, bf16 or fp16, found \"" + name + "\"");
  }
  const bool bf16 = name == "bf16", fp16 = name == "fp16";
  if (fp16 && device.is_cpu()) {
    throw Error(
        "precision fp16: is for a GPU, and the CPU computes here; choose float32, or bf16 where "
        "the "
        "processor has AVX-512 BF16");
  }
  if (bf16 && device.is_cpu() && !has_bf16_tile()) {
    throw Error(
        "precision bf16: this processor has no AVX-512 BF16 (Cooper Lake, Sapphire Rapids, Zen 4 "
        "have it), or FLOWQAT_TARGET forbids it; choose float32");
  }
  use_cpu_products(bf16 && device.is_cpu() ? CpuProducts::bf16 : CpuProducts::float32);
  std::optional<at::ScalarType> factors;
  if (!device.is_cpu() && bf16) factors = at::kBFloat16;
  if (fp16) factors = at::kHalf;
  use_device_factors(factors);
  // What is no linear layer or convolution of the extractor has no 16-bit products of its own.
  const bool tf32 = name != "float32";
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowTF32CuDNN(tf32);
}

std::string describe(const at::Device& device) {
  if (!device.is_cuda()) return device.is_cpu() ? "cpu" : device.str();
  const std::string name = gpu_name(device.index());
  return device.str() + (name.empty() ? "" : " (" + name + ")");
}

}  // namespace flowqat::model
