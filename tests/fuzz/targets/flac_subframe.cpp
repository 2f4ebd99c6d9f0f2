/// The bits of one channel of a FLAC frame, behind two bytes that choose the sizes: what no
/// checksum keeps from the decoder here.
#include <vector>

#include "io/audio/flac/subframe.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

namespace {

template <class Sample>
void decode(int sample_bits, size_t samples, const uint8_t* data, size_t size) {
  std::vector<Sample> block(samples);
  std::vector<uint8_t> bytes(data, data + size);
  bytes.resize(size + io::FlacBits::padding_bytes);
  io::FlacBits bits({bytes.data(), size});
  io::decode_flac_subframe(bits, sample_bits, std::span<Sample>(block));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const int sample_bits = 4 + data[0] % 30;
  const size_t samples = 1 + static_cast<size_t>(data[1]) * 18;
  if (sample_bits <= 32) decode<int32_t>(sample_bits, samples, data + 2, size - 2);
  decode<int64_t>(sample_bits, samples, data + 2, size - 2);
  return 0;
}
