/// What every way of running a model asks of a batch.
#pragma once
#include <cstdint>
#include <vector>

#include "model/model.h"

namespace flowqat::model {

/// Throws Error unless `found` rows are `rows`, or none where there may be none.
void check_rows(const char* what, size_t found, int64_t rows, bool may_be_empty);

/// `count` rows of a batch from `first` on, padded as all of it; views of the same memory.
AudioBatch rows_of(const AudioBatch& batch, int64_t first, int64_t count);

/// Frames of every row. Throws Error for a batch whose sizes contradict each other or a row too
/// short for one frame, naming the row.
std::vector<int64_t> checked_frames(const Config& config, const AudioBatch& batch);

}  // namespace flowqat::model
