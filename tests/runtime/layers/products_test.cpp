// Products of layers beside double, and to the bit the same on every target.
#include <cmath>
#include <random>
#include <vector>

#include "runtime/layers/attention.h"
#include "runtime/layers/layer.h"
#include "tests/catch.h"
#include "tests/runtime/random_values.h"

using namespace flowqat;
using namespace flowqat::runtime;
using namespace flowqat::runtime::testing;

namespace {

constexpr int64_t kBehind = 64;  // as much as Stack gives

struct Machine {
  Machine(Target target, int count) : kernels(target), threads(count), context(kernels, threads) {}
  Kernels kernels;
  Threads threads;
  Context context;
};

Int8Numbers numbers_of(int64_t out, int64_t depth, int most, bool zero_points) {
  std::mt19937 random(7);
  Int8Numbers numbers{.out = out,
                      .depth = depth,
                      .weight = std::vector<int8_t>(static_cast<size_t>(out * depth)),
                      .weight_scale = std::vector<float>(static_cast<size_t>(out)),
                      .weight_zero_point = {0},
                      .bias = normal(out, 1, 9),
                      .input = {0.02f, 117, 255},
                      .output = {0.05f * std::sqrt(static_cast<float>(depth)), 90, 255}};
  for (auto& w : numbers.weight) {
    w = static_cast<int8_t>(static_cast<int>(random() % static_cast<unsigned>(2 * most)) - most);
  }
  for (auto& scale : numbers.weight_scale) scale = 0.01f + 1e-5f * float(random() % 1000);
  if (zero_points) {
    numbers.weight_zero_point.resize(static_cast<size_t>(out));
    for (auto& zero : numbers.weight_zero_point) zero = static_cast<int32_t>(random() % 256) - 128;
  }
  return numbers;
}

double steps_of(const Int8Numbers& numbers, const uint8_t* x, int64_t column) {
  const auto at = static_cast<size_t>(column);
  const int32_t zero = numbers.weight_zero_point[numbers.weight_zero_point.size() == 1 ? 0 : at];
  double sum = 0;
  for (int64_t i = 0; i < numbers.depth; ++i) {
    sum +=
        (x[i] - numbers.input.zero_point) *
        (numbers.weight[at * static_cast<size_t>(numbers.depth) + static_cast<size_t>(i)] - zero);
  }
  const double value = sum * double{numbers.weight_scale[at]} * double{numbers.input.scale} +
                       double{numbers.bias[at]};
  return value / double{numbers.output.scale} + numbers.output.zero_point;
}

}  // namespace

TEST_CASE("int8 products are rounded from exact sums, with every kind of weight") {
  for (const int most : {127, 64}) {  // the second fits pairs of bytes in 16 bits
    for (const bool zero_points : {false, true}) {
      for (const auto& [rows, depth, out, stride] :
           std::vector<std::tuple<int64_t, int64_t, int64_t, int64_t>>{{1, 1, 1, 1},
                                                                       {7, 5, 3, 2},
                                                                       {13, 768, 100, 768},
                                                                       {403, 10, 33, 5},
                                                                       {6, 3072, 16, 3072},
                                                                       {100, 130, 129, 60}}) {
        const Int8Numbers numbers = numbers_of(out, depth, most, zero_points);
        const auto x = bytes((rows - 1) * stride + depth, 1, kBehind);
        std::vector<uint8_t> first;
        for (const Target target : targets_here()) {
          for (const int threads : {1, 3}) {
            INFO(name_of(target) << ": " << rows << " x " << depth << " -> " << out);
            Machine machine(target, threads);
            const Int8Product product(machine.kernels, numbers);
            std::vector<uint8_t> y(static_cast<size_t>(rows * out));
            product.run(machine.context, x.data(), rows, stride,
                        {.bytes = y.data(), .stride = out});
            if (first.empty()) {
              first = y;
              for (int64_t row = 0; row < rows; ++row) {
                for (int64_t c = 0; c < out; ++c) {
                  const double steps = steps_of(numbers, x.data() + row * stride, c);
                  const double far = std::abs(y[static_cast<size_t>(row * out + c)] -
                                              std::clamp(steps, 0.0, 255.0));
                  if (far > 0.501) FAIL("row " << row << ", column " << c << ": " << far);
                }
              }
            }
            CHECK(y == first);
          }
        }
      }
    }
  }
}

TEST_CASE("products of floats with bias and activation are those of double") {
  for (const auto& [rows, depth, out, stride] :
       std::vector<std::tuple<int64_t, int64_t, int64_t, int64_t>>{
           {1, 1, 1, 1}, {21, 48 * 128, 48, 48}, {100, 33, 130, 40}, {5, 512, 32, 512}}) {
    const auto weight = normal(out * depth, 0.05f, 2), bias = normal(out, 1, 3);
    const auto x = normal((rows - 1) * stride + depth);
    std::vector<float> first;
    for (const Target target : targets_here()) {
      INFO(name_of(target) << ": " << rows << " x " << depth << " -> " << out);
      Machine machine(target, 2);
      const FloatProduct product(machine.kernels, out, depth, weight.data(), bias.data());
      std::vector<float> y(static_cast<size_t>(rows * out));
      product.run(machine.context, x.data(), rows, stride, model::Activation::gelu,
                  {.floats = y.data(), .grid = {}, .stride = out});
      if (first.empty()) {
        first = y;
        for (int64_t row = 0; row < rows; ++row) {
          for (int64_t c = 0; c < out; ++c) {
            double sum = double{bias[static_cast<size_t>(c)]};
            for (int64_t i = 0; i < depth; ++i) {
              sum += double{x[static_cast<size_t>(row * stride + i)]} *
                     double{weight[static_cast<size_t>(c * depth + i)]};
            }
            const double expected = activated(model::Activation::gelu, sum);
            const double far = std::abs(y[static_cast<size_t>(row * out + c)] - expected);
            if (far > 1e-4 * (1 + std::abs(expected))) FAIL(row << ", " << c << ": " << far);
          }
        }
      }
      CHECK(y == first);
    }
  }
}

TEST_CASE("attention is that of the dequantized operands, in double") {
  struct Sizes {
    int64_t rows, frames, heads, width;
  };
  for (const Sizes& sizes : std::vector<Sizes>{
           {1, 1, 1, 4}, {2, 65, 3, 10}, {1, 130, 2, 64}, {2, 23, 1, 80}, {1, 200, 4, 8}}) {
    const int64_t rows = sizes.rows, frames = sizes.frames, heads = sizes.heads,
                  width = sizes.width;
    const int64_t hidden = heads * width, count = rows * frames * hidden;
    const ByteGrid grids[] = {{0.02f, 117, 255}, {0.03f, 0, 255}, {0.01f, 255, 255}};
    std::vector<uint8_t> operands[] = {bytes(count, 1, kBehind), bytes(count, 2, kBehind),
                                       bytes(count, 3, kBehind)};
    std::vector<float> as_floats[3];
    for (size_t one = 0; one < 3; ++one) {
      for (int64_t i = 0; i < count; ++i) {
        as_floats[one].push_back(
            static_cast<float>(operands[one][static_cast<size_t>(i)] - grids[one].zero_point) *
            grids[one].scale);
      }
    }
    std::vector<uint8_t> allowed(static_cast<size_t>(rows * frames), 1);
    for (int64_t t = frames / 2; rows > 1 && t < frames; ++t) {
      allowed[static_cast<size_t>(frames + t)] = t == 0 ? 1 : 0;
    }
    const AttentionShape shape{rows, frames, heads, width, allowed.data()};
    const auto expected = [&](int64_t row, int64_t t, int64_t head, int64_t i) {
      const auto at = [&](int64_t frame, int64_t channel) {
        return static_cast<size_t>((row * frames + frame) * hidden + head * width + channel);
      };
      double sum = 0, total = 0;
      for (int64_t key = 0; key < frames; ++key) {
        if (allowed[static_cast<size_t>(row * frames + key)] == 0) continue;
        double score = 0;
        for (int64_t c = 0; c < width; ++c) {
          score += double{as_floats[0][at(t, c)]} * double{as_floats[1][at(key, c)]};
        }
        const double weight = std::exp(score / std::sqrt(static_cast<double>(width)));
        total += weight;
        sum += weight * double{as_floats[2][at(key, i)]};
      }
      return sum / total;
    };
    std::vector<float> first_of_bytes, first_of_floats;
    for (const Target target : targets_here()) {
      INFO(name_of(target) << ": " << rows << " x " << frames << ", " << heads << " of " << width);
      Machine machine(target, 2);
      const auto heads_of = [&](size_t one, bool as_bytes) {
        return as_bytes ? Heads{{nullptr, operands[one].data()}, grids[one]}
                        : Heads{{as_floats[one].data(), nullptr}, {}};
      };
      std::vector<float> from_bytes(static_cast<size_t>(count)), from_floats = from_bytes;
      for (const bool as_bytes : {true, false}) {
        auto& y = as_bytes ? from_bytes : from_floats;
        attend(machine.context, shape, heads_of(0, as_bytes), heads_of(1, as_bytes),
               heads_of(2, as_bytes), {}, {y.data(), nullptr});
      }
      if (first_of_bytes.empty()) {
        first_of_bytes = from_bytes;
        first_of_floats = from_floats;
        for (int64_t at = 0; at < count; at += 7) {
          const double wanted =
              expected(at / hidden / frames, at / hidden % frames, at % hidden / width, at % width);
          // Weights in 15 bits: a twentieth of a step of the values.
          CHECK(from_bytes[static_cast<size_t>(at)] == Approx(wanted).margin(0.05 * 0.01));
          CHECK(from_floats[static_cast<size_t>(at)] == Approx(wanted).margin(1e-5));
        }
      }
      CHECK(from_bytes == first_of_bytes);
      CHECK(from_floats == first_of_floats);
    }
  }
}
