/// A batch of noise with targets, for measuring what does not depend on what is said.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

#include "model/model.h"

namespace flowqat::bench {

/// Rows at 16 kHz, each 50 ms shorter than the one before, with 15 tokens a second.
struct RandomSpeech {
  std::vector<float> samples;
  model::AudioBatch batch;

  RandomSpeech(int64_t rows, double seconds) {
    std::mt19937 random(1);
    std::normal_distribution<float> sample;
    std::uniform_int_distribution<int32_t> token(4, 31);
    batch.rows = rows;
    batch.padded_samples = static_cast<int64_t>(16000 * seconds);
    samples.resize(static_cast<size_t>(rows * batch.padded_samples));
    for (float& value : samples) value = sample(random);
    batch.samples = samples;
    for (int64_t row = 0; row < rows; ++row) {
      batch.lengths_samples.push_back(batch.padded_samples - 800 * row);
      batch.targets.emplace_back(static_cast<size_t>(15 * seconds));
      for (int32_t& id : batch.targets.back()) id = token(random);
    }
  }
};

}  // namespace flowqat::bench
