#include "io/audio/flac/subframe.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "io/audio/flac/residual.h"

namespace flowqat::io {
namespace {

template <class Sample>
bool take_samples(FlacBits& bits, int sample_bits, std::span<Sample> out) {
  for (Sample& sample : out) {
    sample = static_cast<Sample>(bits.take_signed(sample_bits));
    if (bits.ran_out()) return false;
  }
  return true;
}

/// Section 9.2.5: the polynomial through the last `order` samples.
FlacPredictor fixed_predictor(int order, int sample_bits) {
  constexpr int32_t coefficients[5][4] = {{}, {1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}};
  FlacPredictor predictor{.order = order, .is_wide = sample_bits + order > 32};
  std::copy_n(coefficients[order], order, predictor.coefficients.begin());
  return predictor;
}

/// Section 9.2.6. False where the bits say what no encoder says.
bool take_linear_predictor(FlacBits& bits, int sample_bits, FlacPredictor& predictor) {
  const int precision = static_cast<int>(bits.take(4)) + 1;
  predictor.shift = static_cast<int>(bits.take_signed(5));
  if (precision == 16 || predictor.shift < 0) return false;
  for (int i = 0; i < predictor.order; ++i) {
    predictor.coefficients[static_cast<size_t>(i)] =
        static_cast<int32_t>(bits.take_signed(precision));
  }
  const int order_bits = std::bit_width(static_cast<unsigned>(predictor.order - 1));
  predictor.is_wide = sample_bits + precision - 1 + order_bits > 32;
  return true;
}

template <class Sample>
const char* decode_predicted(FlacBits& bits, int code, int sample_bits, std::span<Sample> block) {
  const bool is_linear = code >= 32;
  const int order = is_linear ? code - 31 : code - 8;
  if (static_cast<size_t>(order) > block.size()) return "a predictor is longer than its block";
  if (!take_samples(bits, sample_bits, block.first(static_cast<size_t>(order)))) return nullptr;
  FlacPredictor predictor =
      is_linear ? FlacPredictor{.order = order} : fixed_predictor(order, sample_bits);
  if (is_linear && !take_linear_predictor(bits, sample_bits, predictor)) {
    return "a predictor is stated in a way that FLAC does not know";
  }
  return restore_flac_samples(bits, predictor, block);
}

}  // namespace

template <class Sample>
const char* decode_flac_subframe(FlacBits& bits, int sample_bits, std::span<Sample> block) {
  // A zero bit, six bits of type, and whether low bits are left out.
  const auto head = static_cast<int>(bits.take(8));
  if ((head & 0x80) != 0) return "a subframe begins with a one";
  const int code = head >> 1;
  const int wasted = (head & 1) != 0 ? static_cast<int>(std::min(bits.take_unary(), 63u)) + 1 : 0;
  if (wasted >= sample_bits) return "a subframe leaves out all bits of its samples";
  sample_bits -= wasted;
  const char* wrong = nullptr;
  if (code == 0) {
    std::fill(block.begin(), block.end(), static_cast<Sample>(bits.take_signed(sample_bits)));
  } else if (code == 1) {
    take_samples(bits, sample_bits, block);
  } else if ((code >= 8 && code <= 12) || code >= 32) {
    wrong = decode_predicted(bits, code, sample_bits, block);
  } else {
    return "a subframe is of a type that FLAC does not know";
  }
  if (wasted > 0) {
    using Bits = std::make_unsigned_t<Sample>;
    for (Sample& sample : block) sample = static_cast<Sample>(static_cast<Bits>(sample) << wasted);
  }
  return wrong;
}

template const char* decode_flac_subframe(FlacBits&, int, std::span<int32_t>);
template const char* decode_flac_subframe(FlacBits&, int, std::span<int64_t>);

}  // namespace flowqat::io
