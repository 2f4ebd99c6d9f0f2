#include "report/series.h"

#include <algorithm>
#include <cmath>

namespace flowqat::report {

void Series::add(double x, double y) {
  if (!std::isfinite(x) || !std::isfinite(y)) {
    ++without_number_;
    return;
  }
  if (buckets_.empty()) first_ = y;
  last_ = y;
  if (!buckets_.empty() && buckets_.back().points < each_) {
    Bucket& bucket = buckets_.back();
    bucket.last_x = x;
    bucket.min = std::min(bucket.min, y);
    bucket.max = std::max(bucket.max, y);
    bucket.sum += y;
    ++bucket.points;
    return;
  }
  if (buckets_.size() == most_) {
    for (size_t i = 0; i < most_ / 2; ++i) {
      const Bucket &left = buckets_[2 * i], &right = buckets_[2 * i + 1];
      buckets_[i] = {.first_x = left.first_x,
                     .last_x = right.last_x,
                     .min = std::min(left.min, right.min),
                     .max = std::max(left.max, right.max),
                     .sum = left.sum + right.sum,
                     .points = left.points + right.points};
    }
    buckets_.resize(most_ / 2);
    each_ *= 2;
  }
  buckets_.push_back({.first_x = x, .last_x = x, .min = y, .max = y, .sum = y, .points = 1});
}

}  // namespace flowqat::report
