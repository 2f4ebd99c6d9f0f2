#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowqat::report {

/// A curve of any number of points in bounded room: as many neighbours as it takes are one bucket,
/// of which the smallest, the largest and the mean are known. Nothing is left out or smoothed away:
/// a picture that shows all three shows every peak.
class Series {
 public:
  struct Bucket {
    double first_x = 0, last_x = 0, min = 0, max = 0, sum = 0;
    int64_t points = 0;
    double mean() const { return sum / static_cast<double>(points); }
    double x() const { return (first_x + last_x) / 2; }
  };

  Series() = default;
  /// `most_buckets`: an even number.
  explicit Series(size_t most_buckets) : most_(most_buckets) {}

  /// `x` does not fall. What is no finite number is counted, and else left out.
  void add(double x, double y);

  const std::vector<Bucket>& buckets() const { return buckets_; }
  bool empty() const { return buckets_.empty(); }
  /// How many points a bucket has; the last one may still have fewer.
  int64_t points_each() const { return each_; }
  double last() const { return last_; }
  double first() const { return first_; }
  int64_t without_number() const { return without_number_; }

 private:
  size_t most_ = 320;
  int64_t each_ = 1, without_number_ = 0;
  double first_ = 0, last_ = 0;
  std::vector<Bucket> buckets_;
};

}  // namespace flowqat::report
