/// Kernels are tried before they are used: on a processor that no test has seen, they must bring
/// what plain code does, or leave the work to others.
#pragma once
#include <span>
#include <string>

#include "base/simd/target.h"
#include "runtime/kernels/int8_tile.h"

namespace flowqat::runtime {

/// Whether the tile's sums of a small random product, of each number of rows, are a plain loop's.
bool is_right(const Int8Tile& tile);

/// What a target's kernels compute wrongly: a tile's name, or "passes over bytes", "passes over
/// floats"; empty where all is right. Tried once a process, in well under a millisecond; the passes
/// against the plain ones, to the bit.
const std::string& wrong_kernel(Target target);

/// The fastest of `here`, which ascends, that is not above `wanted` and of which `wrong` says
/// nothing; for each faster one that is passed over, tell(target, what is wrong) is called. The
/// first of `here` is taken whatever `wrong` says.
template <class Wrong, class Tell>
Target first_right(std::span<const Target> here, Target wanted, const Wrong& wrong,
                   const Tell& tell) {
  for (size_t i = here.size(); i-- > 1;) {
    if (here[i] > wanted) continue;
    const std::string& found = wrong(here[i]);
    if (found.empty()) return here[i];
    tell(here[i], found);
  }
  return here.front();
}

/// best_target(), or the next slower one whose kernels are right; a warning on standard error tells
/// of one that are not, once a process.
Target best_right_target();

}  // namespace flowqat::runtime
