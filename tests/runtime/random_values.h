/// What the runtime's tests compute with.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace flowqat::runtime::testing {

inline std::vector<float> normal(int64_t count, float scale = 1, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw(0, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = draw(random);
  return values;
}

/// `behind`: how many more, for kernels that read behind the last.
inline std::vector<uint8_t> bytes(int64_t count, unsigned seed = 1, int64_t behind = 0) {
  std::mt19937 random(seed);
  std::vector<uint8_t> values(static_cast<size_t>(count + behind));
  for (auto& value : values) value = static_cast<uint8_t>(random());
  return values;
}

}  // namespace flowqat::runtime::testing
