/// What tests/golden/make_wav2vec2.py recorded of transformers' model, and batches for the tests.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/engine/torch_model.h"

namespace flowqat::model {

struct Golden {
  Config config;
  Tensors weights;  ///< under the names of transformers 5
  std::map<std::string, at::Tensor> values;

  /// `name` is wav2vec2_tiny, wav2vec2_variant or wav2vec2_layer_norm.
  explicit Golden(const std::string& name);
  const at::Tensor& operator[](const std::string& name) const { return values.at(name); }
  std::unique_ptr<Model> load(bool attention_mask) const;
  /// The recorded batch; views of this object's memory.
  AudioBatch batch() const;
  /// The same with the masks that the recorded training steps used.
  AudioBatch masked_batch() const;
};

/// The network inside of a model of this library.
TorchModel& inside(Model& model);
/// The largest difference between two tensors of one shape.
double largest_difference(const at::Tensor& a, const at::Tensor& b);
at::Tensor as_tensor(const Logits& logits);
/// Whether names, types, shapes and bytes are equal.
bool same(const Tensors& a, const Tensors& b);
std::map<std::string, Tensor> by_name(const Tensors& tensors);
/// The engine on the CPU with one thread: what the tests compare bit for bit.
Engine& test_engine();

}  // namespace flowqat::model
