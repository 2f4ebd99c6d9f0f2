#include "io/audio/flac/crc16.h"

#include <array>
#include <cstddef>

namespace flowqat::io {
namespace {

/// Bytes that are taken at once ("slicing": Kounavis and Berry, "A Systematic Approach to Building
/// High Performance Software-based CRC Generators", 2005). Only two of them wait for the last
/// round.
constexpr size_t slice_bytes = 16;

/// tables[n][byte]: the checksum of the byte followed by n zero bytes.
using Tables = std::array<std::array<uint16_t, 256>, slice_bytes>;

constexpr Tables make_tables() {
  constexpr uint16_t polynomial = 0x8005;
  Tables tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    auto crc = static_cast<uint16_t>(byte << 8);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint16_t>(crc << 1 ^ ((crc & 0x8000) != 0 ? polynomial : 0));
    }
    tables[0][byte] = crc;
  }
  for (size_t n = 1; n < slice_bytes; ++n) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint16_t before = tables[n - 1][byte];
      tables[n][byte] = static_cast<uint16_t>(before << 8 ^ tables[0][before >> 8]);
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

uint16_t crc16(std::span<const uint8_t> bytes) {
  uint16_t crc = 0;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= slice_bytes; left -= slice_bytes, at += slice_bytes) {
    uint16_t next = tables[slice_bytes - 1][at[0] ^ crc >> 8];
    next ^= tables[slice_bytes - 2][at[1] ^ (crc & 0xff)];
#pragma GCC unroll 16
    for (size_t i = 2; i < slice_bytes; ++i) next ^= tables[slice_bytes - 1 - i][at[i]];
    crc = next;
  }
  for (; left > 0; --left, ++at) {
    crc = static_cast<uint16_t>(crc << 8 ^ tables[0][crc >> 8 ^ *at]);
  }
  return crc;
}

}  // namespace flowqat::io
