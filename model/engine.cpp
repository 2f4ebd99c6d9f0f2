#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "model/model.h"

namespace flowqat::model {
namespace {

Engine& open_engine() {
  // MKL reads it when it is loaded: a thread count that it may change breaks bit-equal training.
  // The user's setting wins.
  ::setenv("MKL_DYNAMIC", "FALSE", 0);

  const std::filesystem::path path =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libflowqat_torch.so";
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    throw Error("the model library cannot be opened: " + std::string(::dlerror()) +
                " (it belongs beside the program, and LibTorch where the build found it)");
  }
  using Factory = Engine* (*)();
  const auto factory = reinterpret_cast<Factory>(::dlsym(library, "flowqat_engine"));
  if (!factory) {
    throw Error("the model library " + path.string() + " is not of this program: " + ::dlerror());
  }
  return *factory();
}

}  // namespace

Engine& engine() {
  static Engine& opened = open_engine();
  return opened;
}

}  // namespace flowqat::model
