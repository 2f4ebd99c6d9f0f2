/// A linear layer or a convolution, int8 or float32, and what becomes of its output.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "runtime/layers/float_product.h"
#include "runtime/layers/int8_product.h"

namespace flowqat::runtime {

/// What a layer reads: bytes on a grid, of values times `factor` where smoothing (SmoothQuant,
/// arXiv:2211.10438) divided the channels of its input; or floats, where there is no grid.
struct Wanted {
  std::optional<ByteGrid> grid;
  std::shared_ptr<const std::vector<float>> factor;  ///< [channels], or null

  const float* factors() const { return factor ? factor->data() : nullptr; }
  bool operator==(const Wanted& other) const {
    return grid == other.grid &&
           (factor == other.factor || (factor && other.factor && *factor == *other.factor));
  }
};

/// Activations, channels innermost: one of the two.
struct Values {
  float* floats = nullptr;
  uint8_t* bytes = nullptr;
};

/// Memory for `count` values as they are wanted.
Values take_values(Stack& memory, const Wanted& wanted, int64_t count);
/// `lines` lines of `channels` floats as they are wanted.
void to_wanted(Context& context, const float* x, int64_t lines, int64_t channels,
               const Wanted& wanted, const Values& y);

/// The numbers of a layer that stayed in float32.
struct FloatNumbers {
  int64_t out = 0, depth = 0;
  std::vector<float> weight;  ///< [out, depth]
  std::vector<float> bias;    ///< [out], or empty
};

struct LayerNumbers {
  std::variant<Int8Numbers, FloatNumbers> numbers;
  std::vector<float> factor;  ///< what the input is multiplied by, [in]; empty for none
};

/// A convolution is a product over windows: lines of depth() values that overlap in memory.
class Layer {
 public:
  Layer(const Kernels& kernels, const LayerNumbers& numbers);

  /// What follows the layer: an activation, and what the next layer reads. Once, before run().
  void set_output(const std::optional<model::Activation>& activation, const Wanted& next);

  bool is_int8() const { return std::holds_alternative<Int8Product>(product_); }
  const Wanted& wanted() const { return wanted_; }
  /// An int8 layer's own grid, on which its products are rounded before anything else.
  const ByteGrid& output_grid() const { return std::get<Int8Product>(product_).output(); }
  int64_t out() const { return out_; }

  /// x: as wanted(), `rows` lines `row_stride` values apart. y: as set_output() says, lines of
  /// `stride` values.
  void run(Context& context, const Values& x, int64_t rows, int64_t row_stride, const Values& y,
           int64_t stride) const;

 private:
  std::variant<Int8Product, FloatProduct> product_;
  Wanted wanted_, next_;
  int64_t out_;
  std::optional<model::Activation> activation_;
  std::optional<ByteTable> byte_table_;  // from the own grid to the next one, over the activation
  std::vector<float> float_table_;       // to floats
};

/// activation((q - zero point) scale) of each q, [256].
std::vector<float> activated_grid(const std::optional<model::Activation>& activation,
                                  const ByteGrid& grid);
/// round(x / scale) + zero point, clamped.
uint8_t to_byte(float x, const ByteGrid& grid);

}  // namespace flowqat::runtime
