#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>

namespace flowqat::nodes {

/// How far a training has come; all of it is part of a checkpoint.
struct Progress {
  int64_t epoch = 0, batch = 0;  ///< the next to be drawn
  int64_t step = 0;              ///< batches drawn so far, those without a usable row included
  double audio_s = 0, wall_s = 0, waited_s = 0;
  int64_t infinite_losses = 0, too_short = 0;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Progress, epoch, batch, step, audio_s, wall_s, waited_s,
                                   infinite_losses, too_short)

}  // namespace flowqat::nodes
