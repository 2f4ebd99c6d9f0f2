#include "io/audio/wav_file.h"

#include <cstring>

#include "io/files/error.h"

namespace flowqat::io {

void check_wav_is_whole(const InputFile& file) {
  uint8_t riff[12];
  if (file.read(0, riff) < sizeof riff || std::memcmp(riff, "RIFF", 4) != 0 ||
      std::memcmp(riff + 8, "WAVE", 4) != 0) {
    return;
  }
  uint8_t chunk[8];
  for (int64_t offset = sizeof riff; file.read(offset, chunk) == sizeof chunk;) {
    const int64_t size = chunk[4] | chunk[5] << 8 | chunk[6] << 16 | int64_t{chunk[7]} << 24;
    offset += sizeof chunk;
    if (std::memcmp(chunk, "data", 4) == 0) {
      const int64_t there = file.size_bytes() - offset;
      if (size != 0 && size != 0xffffffff && size > there) {
        throw Error(file.path(), "the header promises " + std::to_string(size) +
                                     " bytes of audio, the file holds " + std::to_string(there) +
                                     "; it is cut off, copy it again from its source");
      }
      return;
    }
    offset += size + (size & 1);  // chunks are padded to even sizes
  }
}

}  // namespace flowqat::io
