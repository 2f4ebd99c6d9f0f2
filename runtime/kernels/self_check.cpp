#include "runtime/kernels/self_check.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/kernels/byte_passes.h"
#include "runtime/kernels/float_passes.h"

namespace flowqat::runtime {
namespace {

/// Numbers without a pattern, the same each time (Knuth, Lehmer: MMIX's generator).
class Draw {
 public:
  uint32_t operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }

 private:
  uint64_t state_ = 1;
};

// No whole number of any tile's groups, nor of AMX's registers.
constexpr int64_t depth = 77;
constexpr int64_t row_stride = 80;

bool is_right_for(const Int8Tile& tile, int64_t rows, int64_t columns) {
  Draw draw;
  const int64_t width = tile.width_of(columns), groups = tile.groups_of(depth);
  const int largest = tile.small_pairs ? 64 : 127;
  std::vector<uint8_t> x(static_cast<size_t>(rows * row_stride + 64));
  for (uint8_t& byte : x) byte = static_cast<uint8_t>(draw());
  std::fill_n(x.begin(), depth, uint8_t{255});  // with the largest weights: what could saturate
  std::vector<int8_t> weights(static_cast<size_t>(columns * depth));
  for (int8_t& byte : weights) {
    byte = static_cast<int8_t>(
        static_cast<int>(draw() % (2u * static_cast<unsigned>(largest) + 1)) - largest);
  }
  std::fill_n(weights.begin(), depth, static_cast<int8_t>(largest));
  std::fill_n(weights.begin() + depth, depth, static_cast<int8_t>(-largest));
  std::vector<int8_t> packed(static_cast<size_t>(width * groups * tile.group));
  pack_tile(tile, weights.data(), depth, columns, width, depth, packed.data());
  std::vector<uint8_t> operands(2 * x.size());
  byte_passes(Target::scalar)
      .to_operand(tile.operand, x.data(), static_cast<int64_t>(x.size()), operands.data());
  std::vector<int32_t> sums(static_cast<size_t>(rows * width));
  tile.run(rows, width, operands.data(), row_stride, packed.data(), groups, sums.data());
  const int32_t shift = tile.operand == Operand::signed_bytes ? 128 : 0;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      int32_t sum = 0;
      for (int64_t i = 0; i < depth; ++i) {
        sum += (x[static_cast<size_t>(row * row_stride + i)] - shift) *
               weights[static_cast<size_t>(column * depth + i)];
      }
      if (sums[static_cast<size_t>(row * width + column)] != sum) return false;
    }
  }
  return true;
}

constexpr int64_t values = 61;  // three registers of sixteen lanes and a rest

std::vector<float> some_floats() {
  Draw draw;
  std::vector<float> x(values);
  for (float& value : x) value = static_cast<float>(static_cast<int>(draw() % 4001) - 2000) * 0.01f;
  return x;
}

std::vector<uint8_t> bytes_of(const BytePasses& passes) {
  const std::vector<float> x = some_floats();
  const ByteGrid grid{0.17f, 121, 255};
  std::vector<uint8_t> q(2 * values);
  passes.quantize(x.data(), nullptr, values, grid, q.data());
  std::array<int32_t, 64> sums{}, none{};
  std::array<float, 64> multiplier{}, offset{};
  for (size_t i = 0; i < sums.size(); ++i) {
    sums[i] = static_cast<int32_t>(i * i * 37) - 60000;
    multiplier[i] = 0.001f + 1e-5f * static_cast<float>(i);
    offset[i] = 0.5f * static_cast<float>(i);
  }
  ByteTable table;
  for (size_t i = 0; i < 256; ++i) table.of[i] = static_cast<uint8_t>(i * 151 + 3);
  ProductOutput y;
  y.byte_table = &table;
  y.bytes = q.data() + values;
  y.stride = values;
  passes.requantize(sums.data(), 1, 64,
                    {multiplier.data(), offset.data(), none.data(), nullptr, values}, nullptr, grid,
                    y);
  return q;
}

std::vector<float> floats_of(const FloatPasses& passes) {
  constexpr int64_t columns = 16;
  std::vector<float> x = some_floats();
  std::vector<float> b(values * columns), found(columns);
  for (size_t i = 0; i < b.size(); ++i) b[i] = x[i % 59] * 0.3f;
  passes.tile(1, columns, x.data(), values, b.data(), values, false, found.data());
  found.push_back(passes.variance(x.data(), 0.3f, values));
  std::vector<float> allowed(padded_columns(values)), scores(padded_columns(values));
  std::fill_n(allowed.begin(), values, 1.0f);
  std::copy_n(x.begin(), values, scores.begin());
  found.push_back(passes.softmax(scores.data(), allowed.data(), values, 0.1f));
  passes.gelu(x.data(), values);
  found.insert(found.end(), x.begin(), x.end());
  found.insert(found.end(), scores.begin(), scores.begin() + values);
  return found;
}

std::string find_wrong(Target target) {
  for (const Int8Tile& tile : int8_tiles(target)) {
    if (!is_right(tile)) return tile.name;
  }
  if (!is_right(word_tile(target))) return word_tile(target).name;
  if (bytes_of(byte_passes(target)) != bytes_of(byte_passes(Target::scalar))) {
    return "passes over bytes";
  }
  if (floats_of(float_passes(target)) != floats_of(float_passes(Target::scalar))) {
    return "passes over floats";
  }
  return {};
}

}  // namespace

bool is_right(const Int8Tile& tile) {
  for (int64_t rows = 1; rows <= tile.rows; ++rows) {
    if (!is_right_for(tile, rows, tile.columns)) return false;
  }
  for (int64_t columns = 16; columns < tile.columns; columns += 16) {
    if (!is_right_for(tile, tile.rows, columns)) return false;
  }
  return true;
}

const std::string& wrong_kernel(Target target) {
  static std::mutex lock;
  static std::array<std::optional<std::string>, 10> found;
  const std::lock_guard guard(lock);
  std::optional<std::string>& one = found.at(static_cast<size_t>(target));
  if (!one) one = find_wrong(target);
  return *one;
}

Target best_right_target() {
  static const Target best = first_right(
      targets_here(), best_target(), wrong_kernel, [](Target target, const std::string& wrong) {
        std::cerr << "warning: kernels \"" << name_of(target)
                  << "\" compute wrongly on this processor (" << wrong
                  << "), so slower ones are used. Please report it with the output of "
                  << "`flowqat --version` and the processor's name\n";
      });
  return best;
}

}  // namespace flowqat::runtime
