// Every pass of every target, to the bit as the plain one, which is compared with double.
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "runtime/kernels/byte_passes.h"
#include "runtime/kernels/float_passes.h"
#include "tests/catch.h"
#include "tests/runtime/random_values.h"

using namespace flowqat;
using namespace flowqat::runtime;
using namespace flowqat::runtime::testing;

namespace {

/// Calls check(target, byte passes, float passes) for all but the plain ones.
template <class Check>
void for_targets(const Check& check) {
  for (const Target target : targets_here()) {
    INFO(name_of(target));
    check(byte_passes(target), float_passes(target));
  }
}

const BytePasses& plain_bytes() { return byte_passes(Target::scalar); }
const FloatPasses& plain_floats() { return float_passes(Target::scalar); }

const std::vector<int64_t> kCounts{1, 15, 16, 33, 64, 771};

}  // namespace

TEST_CASE("quantizing rounds to the nearest step, halves to the even one, and clamps") {
  const ByteGrid grid{0.25f, 100, 255}, four_bits{0.25f, 3, 15};
  std::vector<float> x{-100, -25.01f, -0.125f, 0.125f, 0.375f, 0, 38.75f, 38.9f, 1e30f, -1e30f};
  const std::vector<uint8_t> expected{0, 0, 100, 100, 102, 100, 255, 255, 255, 0};
  std::vector<uint8_t> q(x.size());
  for_targets([&](const BytePasses& passes, const FloatPasses&) {
    passes.quantize(x.data(), nullptr, std::ssize(x), grid, q.data());
    CHECK(q == expected);
    passes.quantize(x.data(), nullptr, std::ssize(x), four_bits, q.data());
    CHECK(q[7] == 15);
    CHECK(q[0] == 0);
  });
  for (const int64_t count : kCounts) {
    const auto values = normal(count, 10), factor = normal(count, 1, 2);
    std::vector<uint8_t> plain(static_cast<size_t>(count)), found = plain;
    std::vector<float> back(static_cast<size_t>(count)), plain_back = back;
    plain_bytes().quantize(values.data(), factor.data(), count, grid, plain.data());
    plain_bytes().dequantize(plain.data(), count, grid, plain_back.data());
    for_targets([&](const BytePasses& passes, const FloatPasses&) {
      passes.quantize(values.data(), factor.data(), count, grid, found.data());
      CHECK(found == plain);
      passes.dequantize(found.data(), count, grid, back.data());
      CHECK(back == plain_back);
    });
  }
}

TEST_CASE("moments and sums of rows are exact") {
  for (const int64_t channels : kCounts) {
    const int64_t frames = 37;
    const auto x = bytes(frames * channels);
    std::vector<uint32_t> sum(static_cast<size_t>(channels), 5), square = sum;
    std::vector<int32_t> rows(static_cast<size_t>(frames), -1);
    for_targets([&](const BytePasses& passes, const FloatPasses&) {
      std::fill(sum.begin(), sum.end(), 5u);
      std::fill(square.begin(), square.end(), 5u);
      passes.add_moments(x.data(), frames, channels, sum.data(), square.data());
      passes.row_sums(x.data(), frames, channels, channels, rows.data());
      std::vector<uint32_t> wanted_sum(sum.size(), 5), wanted_square = wanted_sum;
      std::vector<int32_t> wanted_rows(rows.size());
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % static_cast<size_t>(channels), t = i / static_cast<size_t>(channels);
        wanted_sum[c] += x[i];
        wanted_square[c] += uint32_t{x[i]} * x[i];
        wanted_rows[t] += x[i];
      }
      CHECK(sum == wanted_sum);
      CHECK(square == wanted_square);
      CHECK(rows == wanted_rows);
    });
  }
}

TEST_CASE("sums become bytes as double says, mapped or not") {
  constexpr int64_t rows = 5, columns = 64;
  std::mt19937 random(3);
  std::vector<int32_t> sums(rows * columns), correction(columns), zero(columns), row_sums(rows);
  for (auto& sum : sums) sum = static_cast<int32_t>(random() % 200000) - 100000;
  for (auto& value : correction) value = static_cast<int32_t>(random() % 2000) - 1000;
  for (auto& value : zero) value = static_cast<int32_t>(random() % 256) - 128;
  for (auto& value : row_sums) value = static_cast<int32_t>(random() % 300);
  const auto multiplier = normal(columns, 0.001f), offset = normal(columns, 20);
  ByteTable reversed;
  std::vector<float> floats_of(256);
  for (int q = 0; q < 256; ++q) {
    reversed.of[q] = static_cast<uint8_t>(255 - q);
    floats_of[static_cast<size_t>(q)] = static_cast<float>(q) * 0.5f;
  }
  const ByteGrid grid{1, 120, 255};
  for (const int64_t count : {16, 50, 64}) {
    const Columns shape{multiplier.data(), offset.data(), correction.data(), zero.data(), count};
    for_targets([&](const BytePasses& passes, const FloatPasses&) {
      std::vector<uint8_t> q(rows * columns), mapped = q;
      std::vector<float> floats(rows * columns);
      passes.requantize(sums.data(), rows, columns, shape, row_sums.data(), grid,
                        {.bytes = q.data(), .stride = columns});
      passes.requantize(sums.data(), rows, columns, shape, row_sums.data(), grid,
                        {.byte_table = &reversed, .bytes = mapped.data(), .stride = columns});
      passes.requantize(
          sums.data(), rows, columns, shape, row_sums.data(), grid,
          {.float_table = floats_of.data(), .floats = floats.data(), .stride = columns});
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t c = 0; c < count; ++c) {
          const auto at = static_cast<size_t>(row * columns + c), column = static_cast<size_t>(c);
          const double sum = double(sums[at]) + correction[column] -
                             double(zero[column]) * row_sums[static_cast<size_t>(row)];
          const double steps = sum * multiplier[column] + offset[column] + 120;
          const double far = std::abs(q[at] - std::clamp(steps, 0.0, 255.0));
          if (far > 0.501) FAIL("row " << row << ", column " << c << " is " << far << " away");
          if (mapped[at] != 255 - q[at]) FAIL("not mapped");
          if (floats[at] != q[at] * 0.5f) FAIL("not mapped to floats");
        }
      }
      CHECK(q[static_cast<size_t>(count - 1)] == 255 - mapped[static_cast<size_t>(count - 1)]);
      if (count < columns) CHECK(q[static_cast<size_t>(count)] == 0);  // nothing behind the last
    });
  }
}

TEST_CASE("sum, norm and quantization of a line are the plain ones, to the bit") {
  const ByteGrid in{0.03f, 100, 255}, out{0.04f, 120, 255};
  for (const int64_t channels : kCounts) {
    INFO(channels << " channels");
    const auto x = normal(channels), weight = normal(channels, 1, 2), bias = normal(channels, 1, 3),
               factor = normal(channels, 1, 4);
    const auto q = bytes(channels);
    const auto run = [&](const FloatPasses& passes, std::vector<float>& normed,
                         std::vector<uint8_t>& quantized) {
      std::vector<float> sum(x.size());
      const float mean = passes.add(x.data(), q.data(), in, channels, sum.data());
      const float variance = passes.variance(sum.data(), mean, channels);
      passes.norm(sum.data(), channels,
                  {.mean = mean,
                   .reciprocal_deviation = 1 / std::sqrt(variance + 1e-5f),
                   .weight = weight.data(),
                   .bias = bias.data(),
                   .normed = normed.data(),
                   .bytes = quantized.data(),
                   .factor = factor.data(),
                   .grid = out});
    };
    std::vector<float> plain(x.size()), found = plain;
    std::vector<uint8_t> plain_bytes_out(x.size()), found_bytes = plain_bytes_out;
    run(plain_floats(), plain, plain_bytes_out);
    double mean = 0, variance = 0;
    std::vector<double> sums(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      sums[i] = double{x[i]} + (q[i] - 100) * 0.03;
      mean += sums[i] / static_cast<double>(channels);
    }
    for (const double sum : sums) variance += (sum - mean) * (sum - mean) / double(channels);
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = (sums[i] - mean) / std::sqrt(variance + 1e-5) * weight[i] + bias[i];
      if (std::abs(plain[i] - expected) > 1e-3) FAIL(i << ": " << plain[i] << ", " << expected);
    }
    for_targets([&](const BytePasses&, const FloatPasses& passes) {
      run(passes, found, found_bytes);
      CHECK(found == plain);
      CHECK(found_bytes == plain_bytes_out);
    });
  }
}

TEST_CASE("softmax is that of double, and hides what may not be attended to") {
  constexpr int64_t count = 48;
  std::vector<int32_t> integers(count), offset(count);
  std::vector<float> allowed(count, 1), floats(count);
  std::mt19937 random(5);
  for (size_t i = 0; i < count; ++i) {
    integers[i] = static_cast<int32_t>(random() % 4000) - 2000;
    offset[i] = static_cast<int32_t>(random() % 100);
    if (i % 5 == 0) {
      allowed[i] = 0;
      offset[i] = -(1 << 30);  // nothing that is hidden may be the highest
    }
    floats[i] = static_cast<float>(integers[i] + (i % 5 == 0 ? 100000 : offset[i]));
  }
  const float scale = 0.004f;
  double highest = -1e9, sum = 0;
  for (size_t i = 0; i < count; ++i) {
    if (allowed[i] != 0) highest = std::max(highest, double(integers[i]) + offset[i]);
  }
  std::vector<double> expected(count);
  for (size_t i = 0; i < count; ++i) {
    expected[i] =
        allowed[i] != 0 ? std::exp(double{scale} * (integers[i] + offset[i] - highest)) : 0;
    sum += expected[i];
  }
  std::vector<float> first;
  for_targets([&](const BytePasses&, const FloatPasses& passes) {
    std::vector<int32_t> scores = integers;
    const float total =
        passes.softmax_integers(scores.data(), offset.data(), allowed.data(), count, scale);
    std::vector<float> weights(count), same = floats;
    std::memcpy(weights.data(), scores.data(), sizeof(float) * count);
    passes.softmax(same.data(), allowed.data(), count, scale);
    CHECK(total == Approx(sum).epsilon(1e-6));
    for (size_t i = 0; i < count; ++i) {
      CHECK(weights[i] == Approx(expected[i]).epsilon(1e-5));
      CHECK(same[i] == Approx(expected[i]).epsilon(1e-5));
    }
    if (first.empty()) first = weights;
    CHECK(weights == first);
  });
}

TEST_CASE("GELU is its exact form to a few millionths, everywhere the same") {
  std::vector<float> x;
  for (float value = -12; value <= 12; value += 0.01f) x.push_back(value);
  std::vector<float> plain = x;
  plain_floats().gelu(plain.data(), std::ssize(plain));
  for (size_t i = 0; i < x.size(); ++i) {
    const double value = x[i], expected = 0.5 * value * (1 + std::erf(value * std::sqrt(0.5)));
    if (std::abs(plain[i] - expected) > 3e-6) FAIL(value << ": " << plain[i] - expected);
  }
  for_targets([&](const BytePasses&, const FloatPasses& passes) {
    std::vector<float> found = x;
    passes.gelu(found.data(), std::ssize(found));
    CHECK(found == plain);
  });
}

TEST_CASE("a tile of floats sums in the order of the depth, whatever its size") {
  for_targets([](const BytePasses&, const FloatPasses& passes) {
    for (int64_t columns = 16; columns <= passes.columns_of_tile; columns += 16) {
      for (int64_t rows = 1; rows <= passes.rows_of_tile; ++rows) {
        constexpr int64_t depth = 57, stride = 23;  // rows overlap
        const auto a = normal((rows - 1) * stride + depth), b = normal(depth * columns, 1, 2);
        std::vector<float> sums(static_cast<size_t>(rows * columns), 7), expected = sums;
        for (const bool add : {false, true}) {
          passes.tile(rows, columns, a.data(), stride, b.data(), depth, add, sums.data());
          for (int64_t row = 0; row < rows; ++row) {
            for (int64_t c = 0; c < columns; ++c) {
              float& sum = expected[static_cast<size_t>(row * columns + c)];
              if (!add) sum = 0;
              for (int64_t i = 0; i < depth; ++i) {
                sum = std::fma(a[static_cast<size_t>(row * stride + i)],
                               b[static_cast<size_t>(i * columns + c)], sum);
              }
            }
          }
          CHECK(sums == expected);
        }
      }
    }
  });
}
