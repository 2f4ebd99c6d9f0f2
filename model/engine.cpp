#include <cstdlib>

#include "model/has_engine.h"
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

bool has_engine() {
#ifdef FLOWQAT_WITHOUT_TORCH
  return false;
#else
  return true;
#endif
}

Engine& engine() {
  static Engine& opened = open_engine();
  return opened;
}

}  // namespace flowqat::model
