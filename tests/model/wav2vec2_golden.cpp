#include "tests/model/wav2vec2_golden.h"

#include <ATen/ops/tensor.h>

#include <algorithm>

#include "io/tensors/safetensors.h"
#include "model/torch/base/state_dict.h"

namespace flowqat::model {
namespace {

const std::vector<std::vector<int32_t>> kTargets = {{3, 3, 7, 4, 11, 5}, {6, 2, 9}, {8, 8, 1, 10}};
const std::vector<std::vector<MaskSpan>> kTimeMasks = {{{4, 6}, {8, 5}}, {{30, 3}}, {{0, 2}}};
const std::vector<std::vector<MaskSpan>> kChannelMasks = {{{3, 5}}, {}, {{20, 12}}};

}  // namespace

Golden::Golden(const std::string& name) {
  const std::string path = std::string(FLOWQAT_SOURCE_DIR) + "/tests/golden/" + name;
  config = Config::from_file(path + ".json");
  for (const io::Tensor& tensor : io::read_safetensors(path + ".safetensors")) {
    const Tensor value{tensor.name, tensor.dtype, tensor.shape, tensor.bytes, tensor.owner};
    values[tensor.name] = from_tensor(value);
    if (tensor.name.starts_with("weights.")) {
      weights.push_back(value);
      weights.back().name.erase(0, std::string("weights.").size());
    }
  }
}

std::unique_ptr<Model> Golden::load(bool attention_mask) const {
  Config masked = config;
  masked.attention_mask = attention_mask;
  return test_engine().load(masked, weights, nullptr);
}

AudioBatch Golden::batch() const {
  const at::Tensor& samples = values.at("samples");
  AudioBatch batch;
  batch.samples = {samples.const_data_ptr<float>(), static_cast<size_t>(samples.numel())};
  batch.rows = samples.size(0);
  batch.padded_samples = samples.size(1);
  const at::Tensor& lengths = values.at("lengths");
  const int64_t* length = lengths.const_data_ptr<int64_t>();
  batch.lengths_samples.assign(length, length + lengths.numel());
  batch.targets = kTargets;
  return batch;
}

AudioBatch Golden::masked_batch() const {
  AudioBatch masked = batch();
  masked.time_masks = kTimeMasks;
  masked.channel_masks = kChannelMasks;
  for (auto& spans : masked.channel_masks) {  // a narrower model has fewer channels to mask
    std::erase_if(spans, [&](MaskSpan s) { return s.start + s.length > config.hidden_size; });
  }
  return masked;
}

TorchModel& inside(Model& model) { return dynamic_cast<TorchModel&>(model); }

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) throw Error("shapes differ");
  return (a - b).abs().max().item<double>();
}

at::Tensor as_tensor(const Logits& logits) {
  return at::tensor(logits.values).reshape({logits.rows, logits.frames, logits.vocabulary});
}

std::map<std::string, Tensor> by_name(const Tensors& tensors) {
  std::map<std::string, Tensor> map;
  for (const Tensor& tensor : tensors) map[tensor.name] = tensor;
  return map;
}

bool same(const Tensors& a, const Tensors& b) {
  const auto left = by_name(a), right = by_name(b);
  return std::ranges::equal(left, right, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.dtype == y.second.dtype &&
           x.second.shape == y.second.shape && std::ranges::equal(x.second.bytes, y.second.bytes);
  });
}

Engine& test_engine() {
  static Engine& configured = [&]() -> Engine& {
    engine().configure({.device = "cpu", .threads = 1});
    return engine();
  }();
  return configured;
}

}  // namespace flowqat::model
