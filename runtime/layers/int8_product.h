/// The product of an int8 layer.
#pragma once
#include <cstdint>
#include <vector>

#include "runtime/compute/context.h"

namespace flowqat::runtime {

/// All numbers of an int8 layer as they stand in its folder.
struct Int8Numbers {
  int64_t out = 0, depth = 0;
  std::vector<int8_t> weight;              ///< [out, depth]
  std::vector<float> weight_scale;         ///< [1] or [out]
  std::vector<int32_t> weight_zero_point;  ///< [1] or [out]
  std::vector<float> bias;                 ///< [out], or empty
  ByteGrid input, output;
};

/// Lines of bytes times a matrix of bytes, to bytes of the output's grid: exact sums in 32 bits,
/// rescaled in float32 and rounded to the nearest even step (Jacob et al. 2018, arXiv:1712.05877,
/// section 2.2). The same bytes on every target. Immutable.
class Int8Product {
 public:
  Int8Product(const Kernels& kernels, const Int8Numbers& numbers);

  /// x: `rows` lines of depth() bytes, `row_stride` bytes apart (they may overlap), with as much
  /// memory behind the last as Stack gives. y: its line of out() values for each.
  void run(Context& context, const uint8_t* x, int64_t rows, int64_t row_stride,
           const ProductOutput& y) const;

  int64_t depth() const { return depth_; }
  int64_t out() const { return out_; }
  const ByteGrid& input() const { return input_; }
  const ByteGrid& output() const { return output_; }
  const Int8Tile& tile() const { return *tile_; }

 private:
  struct Task;
  void run_task(const Kernels& kernels, Stack& scratch, const Task& task) const;

  const Int8Tile* tile_;
  int64_t out_, depth_;
  ByteGrid input_, output_;
  std::vector<int8_t> packed_;              // tile by tile
  std::vector<float> multiplier_;           // steps of the output a unit of a sum
  std::vector<float> offset_;               // the bias in steps of the output
  std::vector<int32_t> correction_;         // what the zero points add to a sum
  std::vector<int32_t> weight_zero_point_;  // empty where all are 0
};

}  // namespace flowqat::runtime
