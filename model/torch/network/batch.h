/// A batch as the network reads it.
#pragma once
#include <cstdint>
#include <vector>

#include "model/batch.h"
#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {

/// Copies host memory to the device: through pinned memory and without waiting on a GPU; on the CPU
/// it is `host` itself.
at::Tensor to_device(const at::Tensor& host, const at::Device& device);

/// bool [rows, padded_frames], true for each row's frames of speech; on the CPU.
at::Tensor speech_frames(const std::vector<int64_t>& frames, int64_t padded_frames);

/// Samples and frame mask (where the configuration wants one and a row is padded), and with
/// `training` the masks. On the CPU the samples are views of the batch's memory.
NetworkInput network_input(const Config& config, const AudioBatch& batch,
                           const std::vector<int64_t>& frames, bool training,
                           const at::Device& device);

/// The rows' transcripts, one behind the other.
struct Targets {
  at::Tensor tokens;             ///< int64 [total], on the device
  std::vector<int64_t> lengths;  ///< [rows]
};

/// Throws Error for a missing row or a token outside of the vocabulary, naming it.
Targets checked_targets(const Config& config, const AudioBatch& batch, const at::Device& device);

}  // namespace flowqat::model
