#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>

namespace flowqat::nodes {

/// How far a training has come; all of it is part of a checkpoint.
struct Progress {
  int64_t epoch = 0, batch = 0;  ///< the next to be drawn, whoever draws it
  int64_t batches = 0;           ///< drawn so far, in all epochs and by all processes
  /// Rounds that are over; one of rejected utterances alone counts, so that the schedule stays the
  /// plan's.
  int64_t step = 0;
  double audio_s = 0, wall_s = 0, waited_s = 0;
  int64_t infinite_losses = 0, too_short = 0, too_long = 0, skipped_steps = 0;
};

/// What every process counts of the batches that it hears.
struct Counted {
  double audio_s = 0;
  int64_t too_short = 0, too_long = 0;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Progress, epoch, batch, batches, step, audio_s, wall_s, waited_s,
                                   infinite_losses, too_short, too_long, skipped_steps)

}  // namespace flowqat::nodes
