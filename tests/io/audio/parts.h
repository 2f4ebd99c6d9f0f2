/// Segments against the same part of the whole recording.
#pragma once
#include <algorithm>
#include <filesystem>
#include <vector>

#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/io/support.h"

namespace flowqat::io::test {

inline std::vector<float> decode_part(const std::filesystem::path& path, int64_t first,
                                      int64_t samples) {
  AudioPlace place(path);
  AudioInfo info = read_audio_info(place);
  place.first_sample = first;
  info.samples = samples;
  std::vector<float> mono(static_cast<size_t>(samples));
  decode_audio(place, info, mono);
  return mono;
}

inline void check_part(const std::filesystem::path& path, const std::vector<float>& whole,
                       int64_t first, int64_t samples) {
  INFO(path << ": " << samples << " samples from " << first);
  const auto part = decode_part(path, first, samples);
  const auto begin = whole.begin() + first;
  REQUIRE(std::equal(part.begin(), part.end(), begin, begin + samples));
}

/// At the ends of blocks of 4096 samples and of the recording.
inline void check_parts(const std::filesystem::path& path) {
  const std::vector<float> whole = decode(path);
  const auto total = static_cast<int64_t>(whole.size());
  for (const int64_t first : {int64_t{0}, int64_t{1}, int64_t{4095}, int64_t{4096}, int64_t{4097},
                              total / 2, total - 5000, total - 1}) {
    for (const int64_t samples : {int64_t{1}, int64_t{100}, int64_t{5000}, total - first}) {
      if (first + samples <= total) check_part(path, whole, first, samples);
    }
  }
}

}  // namespace flowqat::io::test
