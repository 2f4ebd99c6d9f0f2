#include "model/torch/network/batch.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "model/torch/network/copy_ahead.h"
#include "model/torch/network/masks.h"

namespace flowqat::model {
namespace {

constexpr int64_t kAlignment = 256;  // as a GPU's own allocations have

at::Tensor samples_of(const AudioBatch& batch) {
  // Only read: from_blob has no const form.
  float* samples = const_cast<float*>(batch.samples.data());
  return at::from_blob(samples, {batch.rows, batch.padded_samples});
}

at::Tensor mask_of(const Config& config, const AudioBatch& batch,
                   const std::vector<int64_t>& frames) {
  return speech_frames(frames, frames_of(config, batch.padded_samples));
}

std::vector<int64_t> lengths_of(const AudioBatch& batch) {
  std::vector<int64_t> lengths;
  for (const auto& target : batch.targets) lengths.push_back(static_cast<int64_t>(target.size()));
  return lengths;
}

at::Tensor tokens_of(const Config& config, const AudioBatch& batch) {
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
  }
  return at::tensor(tokens, at::kLong);
}

}  // namespace

at::Tensor speech_frames(const std::vector<int64_t>& frames, int64_t padded_frames) {
  at::Tensor mask = at::zeros({static_cast<int64_t>(frames.size()), padded_frames}, at::kBool);
  bool* row = mask.data_ptr<bool>();
  for (const int64_t count : frames) {
    std::fill_n(row, count, true);
    row += padded_frames;
  }
  return mask;
}

std::vector<at::Tensor> to_device(const std::vector<at::Tensor>& host, const at::Device& device) {
  if (device.is_cpu()) return host;
  std::vector<int64_t> places;
  int64_t bytes = 0;
  for (const at::Tensor& tensor : host) {
    places.push_back(bytes);
    if (!tensor.defined()) continue;
    bytes += (static_cast<int64_t>(tensor.nbytes()) + kAlignment - 1) / kAlignment * kAlignment;
  }
  const auto view = [](const at::Tensor& block, int64_t place, const at::Tensor& like) {
    return block.slice(0, place, place + static_cast<int64_t>(like.nbytes()))
        .view(like.scalar_type())
        .view(like.sizes());
  };
  const at::Tensor pinned =
      at::empty({bytes}, at::TensorOptions().dtype(at::kByte).pinned_memory(true));
  for (size_t i = 0; i < host.size(); ++i) {
    if (host[i].defined()) view(pinned, places[i], host[i]).copy_(host[i]);
  }
  const at::Tensor block = copy_ahead(pinned, device);
  std::vector<at::Tensor> there(host.size());
  for (size_t i = 0; i < host.size(); ++i) {
    if (host[i].defined()) there[i] = view(block, places[i], host[i]);
  }
  return there;
}

int64_t SpeechFrames::total() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

bool SpeechFrames::are_padded() const {
  return std::ranges::any_of(counts, [&](int64_t count) { return count < mask.size(1); });
}

NetworkInput network_input(const Config& config, const AudioBatch& batch,
                           const std::vector<int64_t>& frames, const at::Device& device) {
  const SpeechFrames speech{frames, {}, mask_of(config, batch, frames)};
  const bool is_masked = config.attention_mask && speech.are_padded();
  const auto there = to_device({samples_of(batch), is_masked ? speech.mask : at::Tensor()}, device);
  return {.samples = there[0], .frame_mask = there[1], .time_mask = {}, .channel_mask = {}};
}

TrainingBatch training_batch(const Config& config, const AudioBatch& batch,
                             const at::Device& device) {
  const std::vector<int64_t> frames = checked_frames(config, batch);
  check_rows("targets", batch.targets.size(), batch.rows, false);
  check_rows("time_masks", batch.time_masks.size(), batch.rows, true);
  check_rows("channel_masks", batch.channel_masks.size(), batch.rows, true);
  const std::vector<int64_t> lengths = lengths_of(batch);
  const at::Tensor speech = mask_of(config, batch, frames);
  const auto there = to_device(
      {samples_of(batch), mask_of_spans(batch.time_masks, batch.rows, speech.size(1), "time"),
       mask_of_spans(batch.channel_masks, batch.rows, config.hidden_size, "channel"), speech,
       at::tensor(frames, at::kLong), tokens_of(config, batch), at::tensor(lengths, at::kLong)},
      device);
  TrainingBatch all{.input = {.samples = there[0],
                              .frame_mask = {},
                              .time_mask = there[1],
                              .channel_mask = there[2]},
                    .frames = {frames, there[4], there[3]},
                    .targets = {there[5], lengths, there[6]}};
  all.input.frame_mask = unmasked(config, all).frame_mask;
  return all;
}

NetworkInput unmasked(const Config& config, const TrainingBatch& batch) {
  const bool is_masked = config.attention_mask && batch.frames.are_padded();
  return {.samples = batch.input.samples,
          .frame_mask = is_masked ? batch.frames.mask : at::Tensor(),
          .time_mask = {},
          .channel_mask = {}};
}

}  // namespace flowqat::model
