/// The checksum of a whole FLAC file's samples, which STREAMINFO states (RFC 9639, section 8.2).
#pragma once
#include <memory>
#include <vector>

#include "io/audio/flac/block.h"

struct AVMD5;

namespace flowqat::io {

class FlacMd5 {
 public:
  explicit FlacMd5(const FlacHeader& header);
  void add(const FlacBlock& block);
  /// Throws Error, naming `path`, when the frames were not those that the header speaks of; passes
  /// where it states no checksum. To be called once, at the end.
  void check(const std::filesystem::path& path);

 private:
  struct Free {
    void operator()(AVMD5* md5) const;
  };
  std::array<uint8_t, 16> stated_;
  std::unique_ptr<AVMD5, Free> md5_;
  std::vector<uint8_t> bytes_;
};

}  // namespace flowqat::io
