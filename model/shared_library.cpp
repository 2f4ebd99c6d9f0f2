#include "model/shared_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "model/model.h"

namespace flowqat::model {
namespace {

namespace fs = std::filesystem;

/// Beside the program where it was built, and below the same prefix where it was installed
/// (cmake/Install.cmake).
fs::path place_of(const std::string& file) {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path installed = folder.parent_path() / "lib" / "flowqat" / file;
  std::error_code ignored;
  return fs::exists(folder / file, ignored) || !fs::exists(installed, ignored) ? folder / file
                                                                               : installed;
}

}  // namespace

void* open_library(const std::string& name, const char* symbol, const std::string& purpose,
                   const std::string& needs) {
#ifdef FLOWQAT_WITHOUT_TORCH
  throw Error("the " + purpose + " library, with " + needs +
              ", is not part of this build of flowqat, which runs int8 models (transcribe, "
              "evaluate) and prepares data; for all else build it with LibTorch "
              "(scripts/setup.sh; without -DFLOWQAT_TORCH=OFF)");
#endif
  const fs::path path = place_of("lib" + name + ".so");
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    throw Error("the " + purpose + " library cannot be opened: " + std::string(::dlerror()) +
                " (it belongs beside the program or into ../lib/flowqat, and " + needs +
                " where the build found it)");
  }
  void* found = ::dlsym(library, symbol);
  if (!found) {
    throw Error("the " + purpose + " library " + path.string() +
                " is not of this program: " + ::dlerror());
  }
  return found;
}

}  // namespace flowqat::model
