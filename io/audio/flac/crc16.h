#pragma once
#include <cstdint>
#include <span>

namespace flowqat::io {

/// The checksum of a FLAC frame (RFC 9639, section 9.3): polynomial x^16 + x^15 + x^2 + 1, from 0,
/// the highest bit first.
uint16_t crc16(std::span<const uint8_t> bytes);

}  // namespace flowqat::io
