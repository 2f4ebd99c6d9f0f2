/// CRC-32C (Castagnoli), by which the records of TensorBoard's files are told from damaged ones.
#pragma once
#include <cstdint>
#include <string_view>

namespace flowqat::report {

/// The polynomial 0x1edc6f41 of RFC 3720, appendix B.4, reflected, begun and ended with ones.
uint32_t crc32c(std::string_view bytes);

/// As TFRecord files have it, rotated and moved so that the checksum of a text with checksums in it
/// is none of those (tensorflow/core/lib/hash/crc32c.h).
uint32_t masked_crc32c(std::string_view bytes);

}  // namespace flowqat::report
