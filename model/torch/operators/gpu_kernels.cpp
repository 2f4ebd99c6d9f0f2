#include "model/torch/operators/gpu_kernels.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <cstddef>

#include "model/model.h"

namespace flowqat::model {
namespace {

constexpr int kMajor = 75, kMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_...

class Library {
 public:
  explicit Library(const char* name) : name_(name), handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) throw Error(std::string("kernels for the GPU: ") + ::dlerror());
  }
  template <class Function>
  Function* function(const char* name) const {
    auto* const found = reinterpret_cast<Function*>(::dlsym(handle_, name));
    if (!found) throw Error("kernels for the GPU: " + name_ + " has no " + name);
    return found;
  }

 private:
  std::string name_;
  void* handle_;
};

void check(int status, const char* what) {
  if (status != 0) {
    throw Error(std::string("kernels for the GPU: ") + what + " failed with status " +
                std::to_string(status));
  }
}

const Library& compiler() {
  static const Library library("libnvrtc.so.13");
  return library;
}

const Library& driver() {
  static const Library library("libcuda.so.1");
  return library;
}

int capability_of(const at::Device& device) {
  int handle = 0, major = 0, minor = 0;
  check(driver().function<int(int*, int)>("cuDeviceGet")(&handle, device.index()), "cuDeviceGet");
  const auto get = driver().function<int(int*, int, int)>("cuDeviceGetAttribute");
  check(get(&major, kMajor, handle), "cuDeviceGetAttribute");
  check(get(&minor, kMinor, handle), "cuDeviceGetAttribute");
  return 10 * major + minor;
}

}  // namespace

std::string compile_for_gpu(const std::string& source, int capability) {
  using Program = void*;
  const Library& nvrtc = compiler();
  Program program = nullptr;
  check(nvrtc.function<int(Program*, const char*, const char*, int, const char* const*,
                           const char* const*)>("nvrtcCreateProgram")(
            &program, source.c_str(), "flowqat.cu", 0, nullptr, nullptr),
        "nvrtcCreateProgram");
  const std::string architecture = "--gpu-architecture=sm_" + std::to_string(capability);
  const char* const options[] = {architecture.c_str()};
  const int status = nvrtc.function<int(Program, int, const char* const*)>("nvrtcCompileProgram")(
      program, 1, options);
  std::string text;
  const auto fetch = [&](const char* size_of, const char* get) {
    size_t size = 0;
    check(nvrtc.function<int(Program, size_t*)>(size_of)(program, &size), size_of);
    text.resize(size);
    check(nvrtc.function<int(Program, char*)>(get)(program, text.data()), get);
  };
  if (status != 0) {
    fetch("nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
    throw Error("kernels for the GPU: they do not compile for " + architecture + ": " + text);
  }
  fetch("nvrtcGetCUBINSize", "nvrtcGetCUBIN");
  nvrtc.function<int(Program*)>("nvrtcDestroyProgram")(&program);
  return text;
}

GpuKernels::GpuKernels(const std::string& source, const at::Device& device,
                       const std::vector<std::string>& names)
    : device_(device) {
  const c10::DeviceGuard guard(device_);
  const std::string code = compile_for_gpu(source, capability_of(device_));
  void* module = nullptr;
  check(driver().function<int(void**, const void*)>("cuModuleLoadData")(&module, code.data()),
        "cuModuleLoadData");
  const auto get = driver().function<int(void**, void*, const char*)>("cuModuleGetFunction");
  for (const std::string& name : names) {
    check(get(&functions_[name], module, name.c_str()), "cuModuleGetFunction");
  }
}

void GpuKernels::launch(const std::string& name, std::array<unsigned, 2> blocks, unsigned threads,
                        std::vector<void*> arguments) const {
  using Launch = int(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                     void*, void**, void**);
  static auto* const run = driver().function<Launch>("cuLaunchKernel");
  const c10::DeviceGuard guard(device_);
  const c10::impl::VirtualGuardImpl streams(device_.type());
  void* const stream = streams.getStreamNativeHandle(streams.getStream(device_));
  check(run(functions_.at(name), blocks[0], blocks[1], 1, threads, 1, 1, 0, stream,
            arguments.data(), nullptr),
        "cuLaunchKernel");
}

}  // namespace flowqat::model
