#include <cstdlib>

#include "model/model.h"
#include "model/shared_library.h"

namespace flowqat::model {
namespace {

Engine& open_engine() {
  // MKL reads it when it is loaded: a thread count that it may change breaks bit-equal training.
  // The user's setting wins.
  ::setenv("MKL_DYNAMIC", "FALSE", 0);
  using Factory = Engine* (*)();
  return *reinterpret_cast<Factory>(
      open_library("flowqat_torch", "flowqat_engine", "model", "LibTorch"))();
}

}  // namespace

Engine& engine() {
  static Engine& opened = open_engine();
  return opened;
}

}  // namespace flowqat::model
