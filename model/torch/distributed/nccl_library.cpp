#include "model/torch/distributed/nccl_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "model/error.h"

namespace flowqat::model {
namespace {

NcclLibrary opened() {
  const char* const chosen = std::getenv("FLOWQAT_NCCL");
  const std::string name = chosen && *chosen != '\0' ? chosen : "libnccl.so.2";
  void* const library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    throw Error("NCCL, by which processes exchange what is on a GPU, cannot be opened: " +
                std::string(::dlerror()) + " (install the CUDA set)");
  }
  const auto find = [&](auto& function, const char* symbol) {
    void* const found = ::dlsym(library, symbol);
    if (!found) {
      throw Error("NCCL: " + name + " has no function " + symbol + ": version 2.4 or newer has it");
    }
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
  };
  NcclLibrary nccl{};
  find(nccl.get_version, "ncclGetVersion");
  find(nccl.get_unique_id, "ncclGetUniqueId");
  find(nccl.comm_init_rank, "ncclCommInitRank");
  find(nccl.comm_destroy, "ncclCommDestroy");
  find(nccl.comm_abort, "ncclCommAbort");
  find(nccl.comm_get_async_error, "ncclCommGetAsyncError");
  find(nccl.get_error_string, "ncclGetErrorString");
  find(nccl.all_reduce, "ncclAllReduce");
  find(nccl.broadcast, "ncclBroadcast");
  return nccl;
}

}  // namespace

const NcclLibrary& NcclLibrary::instance() {
  static const NcclLibrary library = opened();
  return library;
}

}  // namespace flowqat::model
