// What must come out alike on every processor, in a program that needs nothing but the standard
// library: the kernels of every target that runs here, and the logits of a small int8 model, which
// are in tests/golden/int8_network.safetensors as another processor computed them.
//
//   portable tests/golden [TARGET...]     the targets that must be among those that run here
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/simd/target.h"
#include "io/resample/polyphase_kernel.h"
#include "runtime/acoustic_model.h"
#include "runtime/kernels/self_check.h"

using namespace flowqat;

namespace {

int failures = 0;

void check(bool holds, const std::string& what) {
  std::printf("%s: %s\n", holds ? "ok" : "FAILED", what.c_str());
  if (!holds) ++failures;
}

struct GoldenFile {
  std::vector<char> bytes;
  nlohmann::json header;
  model::Tensors weights;
  std::map<std::string, model::Tensor> values;  ///< samples, lengths, logits

  explicit GoldenFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": cannot be opened");
    bytes.assign(std::istreambuf_iterator<char>(file), {});
    uint64_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    header = nlohmann::json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<long>(size));
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      const auto place = entry.at("data_offsets").get<std::vector<size_t>>();
      const auto* const begin = reinterpret_cast<const std::byte*>(bytes.data()) + 8 + size;
      const model::Tensor tensor{name,
                                 entry.at("dtype"),
                                 entry.at("shape"),
                                 {begin + place.at(0), place.at(1) - place.at(0)},
                                 nullptr};
      if (name.starts_with("golden.")) {
        values[name.substr(7)] = tensor;
      } else {
        weights.push_back(tensor);
      }
    }
  }

  nlohmann::json said(const char* key) const {
    return nlohmann::json::parse(header.at("__metadata__").at(key).get<std::string>());
  }

  template <class T>
  std::vector<T> of(const std::string& name) const {
    const auto& from = values.at(name).bytes;
    std::vector<T> found(from.size() / sizeof(T));
    std::memcpy(found.data(), from.data(), from.size());
    return found;
  }
};

void check_logits(const GoldenFile& golden, Target target) {
  const auto samples = golden.of<float>("samples");
  model::AudioBatch batch;
  batch.samples = samples;
  batch.lengths_samples = golden.of<int64_t>("lengths");
  batch.rows = static_cast<int64_t>(batch.lengths_samples.size());
  batch.padded_samples = static_cast<int64_t>(samples.size()) / batch.rows;
  model::Config config = model::Config::from_json(golden.said("config"));
  config.attention_mask = true;  // which stands in the processor's file
  const auto network = runtime::load(config, golden.weights, golden.said("quantization"),
                                     {.threads = 1, .target = target});
  const std::vector<float> found = network->infer(batch).values;
  const std::vector<float> expected = golden.of<float>("logits");
  const bool same = found.size() == expected.size() &&
                    std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0;
  check(same, std::string(name_of(target)) + ": the golden logits, bit for bit");
}

void check_kernels(Target target) {
  const std::string name(name_of(target));
  for (const runtime::Int8Tile& tile : runtime::int8_tiles(target)) {
    check(runtime::is_right(tile), name + ": the products of " + tile.name);
  }
  const std::string wrong = runtime::wrong_kernel(target);
  check(wrong.empty(), name + ": bytes and floats" + (wrong.empty() ? "" : ", " + wrong));
}

std::vector<float> pattern(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * i % 97) * 0.013f - 0.6f;
  return values;
}

void check_resampler(Simd simd) {
  constexpr ptrdiff_t taps = 53, stride = 9;
  const auto in = pattern(static_cast<size_t>(io::kRows * stride + taps));
  const auto coefficients = pattern(static_cast<size_t>(taps * io::kLanes));
  std::vector<float> out(static_cast<size_t>(io::kRows * io::kLanes)), expected(out.size());
  for (const bool one_row : {false, true}) {
    io::multiply(simd, {coefficients.data(), taps, in.data(), stride, out.data(), io::kLanes},
                 one_row);
    const ptrdiff_t rows = one_row ? 1 : io::kRows;
    for (ptrdiff_t row = 0; row < rows; ++row) {
      for (ptrdiff_t lane = 0; lane < io::kLanes; ++lane) {
        float sum = 0;
        for (ptrdiff_t tap = 0; tap < taps; ++tap) {
          sum = std::fma(in[static_cast<size_t>(row * stride + tap)],
                         coefficients[static_cast<size_t>(tap * io::kLanes + lane)], sum);
        }
        expected[static_cast<size_t>(row * io::kLanes + lane)] = sum;
      }
    }
    check(out == expected, std::string(name_of(simd)) + ": the resampler's sums of " +
                               (one_row ? "one row" : "several rows"));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: portable tests/golden [TARGET...]\n");
    return 2;
  }
  try {
    const GoldenFile golden(std::string(arguments[1]) + "/int8_network.safetensors");
    for (int i = 2; i < count; ++i) {
      const auto target = target_of(arguments[i]);
      check(target && runs_here(*target), std::string(arguments[i]) + " runs here");
    }
    for (const Target target : targets_here()) {
      check_kernels(target);
      check_logits(golden, target);
    }
    for (const Simd simd : simds_here()) check_resampler(simd);
  } catch (const std::exception& error) {
    check(false, error.what());
  }
  return failures == 0 ? 0 : 1;
}
