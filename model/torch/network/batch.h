/// A batch as the network reads it.
#pragma once
#include <cstdint>
#include <vector>

#include "model/batch.h"
#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {

/// Brings the host's tensors to the device together: one block of pinned memory and one copy, which
/// no GPU is waited for, and of which each of them is a view there. Undefined ones stay so; on the
/// CPU each is what was given.
std::vector<at::Tensor> to_device(const std::vector<at::Tensor>& host, const at::Device& device);

/// bool [rows, padded_frames], true for each row's frames of speech; on the CPU.
at::Tensor speech_frames(const std::vector<int64_t>& frames, int64_t padded_frames);

/// Samples and frame mask (where the configuration wants one and a row is padded), on the device by
/// one copy. On the CPU the samples are views of the batch's memory.
NetworkInput network_input(const Config& config, const AudioBatch& batch,
                           const std::vector<int64_t>& frames, const at::Device& device);

/// How many frames of each row are speech.
struct SpeechFrames {
  std::vector<int64_t> counts;  ///< [rows]
  at::Tensor there;             ///< the same, int64 on the device
  at::Tensor mask;              ///< bool [rows, padded frames] on the device, true for speech

  int64_t total() const;
  bool are_padded() const;
};

/// The rows' transcripts, one behind the other.
struct Targets {
  at::Tensor tokens;             ///< int64 [total], on the device
  std::vector<int64_t> lengths;  ///< [rows]
  at::Tensor lengths_there;      ///< the same, int64 on the device
};

/// All that training reads of a batch, on the device by one copy.
struct TrainingBatch {
  NetworkInput input;  ///< with masks
  SpeechFrames frames;
  Targets targets;
};

/// Throws Error for sizes that contradict each other, a missing row, a mask that leaves the frames
/// or a token outside of the vocabulary, naming it.
TrainingBatch training_batch(const Config& config, const AudioBatch& batch,
                             const at::Device& device);

/// What another network reads of the same batch in evaluation.
NetworkInput unmasked(const Config& config, const TrainingBatch& batch);

}  // namespace flowqat::model
