/// The predicted subframes of FLAC: each sample is a linear combination of the ones before it, plus
/// a residual in Rice codes (RFC 9639, sections 9.2.5 to 9.2.7).
#pragma once
#include <array>
#include <span>

#include "io/audio/flac/bits.h"

namespace flowqat::io {

struct FlacPredictor {
  int order = 0;                           ///< at most 32
  std::array<int32_t, 32> coefficients{};  ///< of the previous sample first
  int shift = 0;                           ///< the sum of the products is divided by 2^shift
  /// Whether that sum may need more than 32 bits.
  bool is_wide = false;
};

/// Fills `block` behind its first `order` samples, the warm-up, which are there already. Returns
/// what is wrong with the bits; null if nothing is. The samples of a broken subframe are
/// unspecified. For int32_t and int64_t.
template <class Sample>
const char* restore_flac_samples(FlacBits& bits, const FlacPredictor& predictor,
                                 std::span<Sample> block);

}  // namespace flowqat::io
