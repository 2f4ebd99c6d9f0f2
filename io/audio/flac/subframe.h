/// One channel of a FLAC frame (RFC 9639, section 9.2).
#pragma once
#include <span>

#include "io/audio/flac/bits.h"

namespace flowqat::io {

/// Decodes the subframe that `bits` stand at into `block`, samples of `sample_bits` bits (at most
/// 32, or 33 for int64_t). Returns what is wrong with it; null if nothing is. Bits that end early
/// are for the caller to notice.
template <class Sample>
const char* decode_flac_subframe(FlacBits& bits, int sample_bits, std::span<Sample> block);

}  // namespace flowqat::io
