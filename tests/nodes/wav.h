/// Recordings for tests of what real ones rarely are.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <vector>

namespace flowqat::nodes::testing {

/// Floating-point WAV of `channels` interleaved channels.
inline std::filesystem::path write_wav(const std::filesystem::path& path,
                                       const std::vector<float>& interleaved, int channels = 1,
                                       int rate_hz = 16000) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  const auto put = [&](auto value) {
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto bytes = static_cast<uint32_t>(interleaved.size() * sizeof(float));
  const auto frame_bytes = static_cast<uint32_t>(channels) * 4;
  file << "RIFF";
  put(uint32_t{36 + bytes});
  file << "WAVEfmt ";
  put(uint32_t{16}), put(uint16_t{3}), put(static_cast<uint16_t>(channels));
  put(static_cast<uint32_t>(rate_hz)), put(static_cast<uint32_t>(rate_hz) * frame_bytes);
  put(static_cast<uint16_t>(frame_bytes)), put(uint16_t{32});
  file << "data";
  put(bytes);
  file.write(reinterpret_cast<const char*>(interleaved.data()), bytes);
  return path;
}

/// A tone of `samples` samples, the second channel of two against the first.
inline std::vector<float> tone(int samples, int channels = 1) {
  std::vector<float> out;
  for (int i = 0; i < samples; ++i) {
    const float x = i / 20 % 2 == 0 ? 0.25F : -0.25F;
    for (int c = 0; c < channels; ++c) out.push_back(c == 1 ? -x : x);
  }
  return out;
}

}  // namespace flowqat::nodes::testing
