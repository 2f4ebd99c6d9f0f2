#include "model/torch/network/batch.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <string>

#include "model/torch/network/masks.h"

namespace flowqat::model {
at::Tensor speech_frames(const std::vector<int64_t>& frames, int64_t padded_frames) {
  at::Tensor mask = at::zeros({static_cast<int64_t>(frames.size()), padded_frames}, at::kBool);
  bool* row = mask.data_ptr<bool>();
  for (const int64_t count : frames) {
    std::fill_n(row, count, true);
    row += padded_frames;
  }
  return mask;
}

at::Tensor to_device(const at::Tensor& host, const at::Device& device) {
  if (!host.defined() || device.is_cpu()) return host;
  return host.pin_memory().to(device, /*non_blocking=*/true);
}

NetworkInput network_input(const Config& config, const AudioBatch& batch,
                           const std::vector<int64_t>& frames, bool training,
                           const at::Device& device) {
  NetworkInput input;
  // Only read: from_blob has no const form.
  float* samples = const_cast<float*>(batch.samples.data());
  input.samples = to_device(at::from_blob(samples, {batch.rows, batch.padded_samples}), device);
  const int64_t padded_frames = frames_of(config, batch.padded_samples);
  const bool padded = std::ranges::any_of(frames, [&](int64_t n) { return n < padded_frames; });
  if (config.attention_mask && padded) {
    input.frame_mask = to_device(speech_frames(frames, padded_frames), device);
  }
  if (training) {
    check_rows("time_masks", batch.time_masks.size(), batch.rows, true);
    check_rows("channel_masks", batch.channel_masks.size(), batch.rows, true);
    input.time_mask =
        to_device(mask_of_spans(batch.time_masks, batch.rows, padded_frames, "time"), device);
    input.channel_mask = to_device(
        mask_of_spans(batch.channel_masks, batch.rows, config.hidden_size, "channel"), device);
  }
  return input;
}

Targets checked_targets(const Config& config, const AudioBatch& batch, const at::Device& device) {
  check_rows("targets", batch.targets.size(), batch.rows, false);
  Targets targets;
  std::vector<int64_t> tokens;
  for (size_t row = 0; row < batch.targets.size(); ++row) {
    for (const int32_t token : batch.targets[row]) {
      if (token < 0 || token >= config.vocab_size) {
        throw Error("batch: the target of row " + std::to_string(row) + " holds token " +
                    std::to_string(token) + ", outside of the vocabulary of " +
                    std::to_string(config.vocab_size));
      }
      tokens.push_back(token);
    }
    targets.lengths.push_back(static_cast<int64_t>(batch.targets[row].size()));
  }
  targets.tokens = to_device(at::tensor(tokens, at::kLong), device);
  return targets;
}

}  // namespace flowqat::model
