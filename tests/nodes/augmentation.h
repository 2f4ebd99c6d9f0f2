/// What the tests of the waveform augmentations share.
#pragma once
#include <cmath>
#include <complex>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numbers>

#include "tests/nodes/support.h"

namespace flowqat::nodes::testing {

/// White noise in [-0.5, 0.5].
inline std::vector<float> white_noise(size_t samples, uint32_t seed = 1) {
  std::vector<float> out(samples);
  for (float& sample : out) {
    seed = seed * 1664525u + 1013904223u;
    sample = static_cast<float>(seed >> 8) / 16777216.0f - 0.5f;
  }
  return out;
}

inline double energy_of(const std::vector<float>& samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return sum;
}

/// Gain in dB of an impulse response at one frequency.
inline double level_db(const std::vector<float>& response, double frequency_hz, int rate_hz) {
  std::complex<double> sum = 0;
  for (size_t i = 0; i < response.size(); ++i) {
    sum += static_cast<double>(response[i]) *
           std::polar(1.0, -2 * std::numbers::pi * frequency_hz / rate_hz * static_cast<double>(i));
  }
  return 20 * std::log10(std::abs(sum) + 1e-12);
}

/// A mono WAV file of 32-bit floats.
inline void write_float_wav(const std::filesystem::path& path, const std::vector<float>& samples,
                            int rate_hz = 16000) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  const auto put = [&](auto value) {
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto bytes = static_cast<uint32_t>(samples.size() * sizeof(float));
  file << "RIFF";
  put(uint32_t{36 + bytes});
  file << "WAVEfmt ";
  put(uint32_t{16}), put(uint16_t{3}), put(uint16_t{1});
  put(static_cast<uint32_t>(rate_hz)), put(static_cast<uint32_t>(4 * rate_hz));
  put(uint16_t{4}), put(uint16_t{32});
  file << "data";
  put(bytes);
  file.write(reinterpret_cast<const char*>(samples.data()), bytes);
}

/// The error of building a node, or "accepted".
inline std::string refusal(const std::string& type, const std::string& keys) {
  try {
    Single(type, keys);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

/// How many of 1,000 utterances a node changes.
inline int changed(const std::string& type, const std::string& keys) {
  const Single node(type, keys);
  const std::vector<float> in = white_noise(400);
  int count = 0;
  for (uint64_t key = 0; key < 1000; ++key) count += node.apply(in, 16000, key) != in;
  return count;
}

}  // namespace flowqat::nodes::testing
