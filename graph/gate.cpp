#include "graph/gate.h"

#include <algorithm>
#include <cmath>

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::graph {

double in_flight_limit_s(double asked_s, const Plan& plan, int64_t queue, int threads) {
  double largest_s = 0, sum_s = 0;
  size_t fewest_rows = SIZE_MAX;
  for (const PlannedBatch& batch : plan) {
    largest_s = std::max(largest_s, batch.padded_s());
    sum_s += batch.padded_s();
    fewest_rows = std::min(fewest_rows, batch.rows.size());
  }
  if (asked_s <= 0) {
    const auto working = 1 + static_cast<size_t>(threads) / std::max<size_t>(fewest_rows, 1);
    const double mean_s = sum_s / std::max<double>(static_cast<double>(plan.size()), 1);
    return mean_s * static_cast<double>(queue) + largest_s * static_cast<double>(working + 1);
  }
  if (asked_s < 2 * largest_s) {
    // Rounded up, so that what is asked for is enough.
    throw GraphError(
        format("key \"audio_in_flight_s\": %g s is too little: the largest batch holds %.1f s of "
               "padded audio, and two such must fit; allow at least %.1f s or make the batches "
               "smaller",
               asked_s, largest_s, std::ceil(20 * largest_s) / 10));
  }
  return asked_s;
}

}  // namespace flowqat::graph
