/// What can be said of a tensor's values and the grid that they are put on.
#pragma once
#include <string>
#include <utility>

#include "graph/json.h"
#include "model/ranges.h"

namespace flowqat::cli {

/// At most `most_bins`, each of them a power of two of the old ones.
model::ValueHistogram merged(const model::ValueHistogram& histogram, size_t most_bins);

/// The value that this share of all counted ones lies below, as if they lay evenly in their bins;
/// 0 where nothing was counted.
double quantile(const model::ValueRange& range, double share);

/// The values of the grid's lowest and highest integer; of several channels the widest.
std::pair<double, double> ends(const model::Grid& grid);

/// From one integer to the next; of several channels the median.
double step(const model::Grid& grid);

/// How many steps the grid has between the quartiles: for half of the values, which in a network
/// are the small ones.
double steps_for_half(const model::ValueRange& range);

/// 10 log10(sum x^2 / sum (x - y)^2); infinite where nothing was changed.
double signal_to_noise_db(const model::ValueRange& range);

/// "none", a preset's name, or the engine and what differs from the preset that is named for it.
std::string describe(const model::LayerChoice& choice);

graph::Json as_json(const model::Grid& grid);
/// Everything above by name, with the histogram in at most 256 bins.
graph::Json as_json(const model::ValueRange& range);

}  // namespace flowqat::cli
