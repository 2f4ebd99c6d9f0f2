#include "model/torch/engine/checkpoint.h"

#include <algorithm>

namespace flowqat::model {
namespace {

constexpr const char* kBase = "wav2vec2.";
constexpr const char* kHead[] = {"lm_head.weight", "lm_head.bias"};

bool is_of_pretraining(const std::string& name) {
  return name.starts_with("quantizer.") || name.starts_with("project_q.") ||
         name.starts_with("project_hid.");
}

bool is_of_bare_model(const std::string& name) {
  return name.starts_with("feature_extractor.") || name.starts_with("feature_projection.") ||
         name.starts_with("encoder.") || name == "masked_spec_embed";
}

const Tensor* find(const Tensors& tensors, const char* name) {
  const auto found = std::ranges::find(tensors, name, &Tensor::name);
  return found == tensors.end() ? nullptr : &*found;
}

}  // namespace

Tensors as_ctc_state(const Tensors& tensors, std::vector<std::string>& notes) {
  const bool is_bare = std::ranges::none_of(
      tensors, [](const Tensor& tensor) { return tensor.name.starts_with(kBase); });
  Tensors result;
  int64_t left_out = 0;
  for (const Tensor& tensor : tensors) {
    if (is_of_pretraining(tensor.name)) {
      ++left_out;
      continue;
    }
    result.push_back(tensor);
    if (is_bare && is_of_bare_model(tensor.name)) result.back().name.insert(0, kBase);
  }
  if (left_out > 0) {
    notes.push_back("left out " + std::to_string(left_out) +
                    " tensors of the pretraining head (quantizer, project_q, project_hid)");
  }
  return result;
}

bool take_head_out(Tensors& tensors, const Config& config, Head head,
                   std::vector<std::string>& notes) {
  const Tensor* weight = find(tensors, kHead[0]);
  const Tensor* bias = find(tensors, kHead[1]);
  const std::string tokens = std::to_string(config.vocab_size);
  if (!weight && !bias) {
    if (head == Head::file) return false;
    notes.push_back("the checkpoint has no CTC head: drew one for " + tokens + " tokens");
    return true;
  }
  const bool is_whole = weight && bias && weight->shape.size() == 2 && bias->shape.size() == 1 &&
                        weight->shape[0] == bias->shape[0] &&
                        weight->shape[1] == config.hidden_size;
  const bool fits = is_whole && weight->shape[0] == config.vocab_size;
  if (head == Head::file || !is_whole || (head == Head::file_or_fresh && fits)) return false;
  notes.push_back("the checkpoint's CTC head is for " +
                  (fits ? "other" : std::to_string(weight->shape[0])) +
                  " tokens: drew a new one for " + tokens + " tokens");
  std::erase_if(tensors, [](const Tensor& tensor) {
    return tensor.name == kHead[0] || tensor.name == kHead[1];
  });
  return true;
}

}  // namespace flowqat::model
