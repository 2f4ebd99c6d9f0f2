#include "model/shared_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "model/model.h"

namespace flowqat::model {

void* open_library(const std::string& name, const char* symbol, const std::string& purpose,
                   const std::string& needs) {
  const std::filesystem::path path =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / ("lib" + name + ".so");
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    throw Error("the " + purpose + " library cannot be opened: " + std::string(::dlerror()) +
                " (it belongs beside the program, and " + needs + " where the build found it)");
  }
  void* found = ::dlsym(library, symbol);
  if (!found) {
    throw Error("the " + purpose + " library " + path.string() +
                " is not of this program: " + ::dlerror());
  }
  return found;
}

}  // namespace flowqat::model
