/// What an inference computes with.
#pragma once
#include <vector>

#include "runtime/compute/memory.h"
#include "runtime/compute/part_clock.h"
#include "runtime/compute/threads.h"
#include "runtime/kernels/byte_passes.h"
#include "runtime/kernels/float_passes.h"
#include "runtime/kernels/int8_tile.h"

namespace flowqat::runtime {

/// The kernels of a target.
struct Kernels {
  explicit Kernels(Target of_target)
      : target(of_target),
        bytes(byte_passes(of_target)),
        floats(float_passes(of_target)),
        tiles(int8_tiles(of_target)),
        words(word_tile(of_target)) {}
  Target target;
  const BytePasses& bytes;
  const FloatPasses& floats;
  const std::vector<Int8Tile>& tiles;
  const Int8Tile& words;
};

/// Of one inference at a time.
struct Context {
  Context(const Kernels& with, const Threads& on)
      : kernels(with), threads(on), scratch(static_cast<size_t>(on.count())) {}
  const Kernels& kernels;
  const Threads& threads;
  Stack memory;                ///< activations; of the thread that called
  Stack spare;                 ///< those that take turns with the former
  std::vector<Stack> scratch;  ///< a slot's, within one task
  PartClock* clock = nullptr;  ///< null: nobody wants to know
};

}  // namespace flowqat::runtime
