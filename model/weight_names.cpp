#include "model/weight_names.h"

#include <algorithm>
#include <string_view>

#include "model/model.h"

namespace flowqat::model {
namespace {

constexpr std::string_view kCompiled = "_orig_mod.";

/// How names begin, with a head and without (see checkpoint.h).
constexpr std::string_view kRoots[] = {"wav2vec2.",           "lm_head.",   "feature_extractor.",
                                       "feature_projection.", "encoder.",   "masked_spec_embed",
                                       "quantizer.",          "project_q.", "project_hid."};

constexpr std::string_view kAdapterParts[] = {".lora_A.", ".lora_B.", ".lora_embedding_",
                                              ".lora_magnitude_vector", ".base_layer."};

/// Where the model's own name begins, behind the end of a module's name; npos: nowhere.
size_t own_name_at(std::string_view name) {
  size_t first = std::string_view::npos;
  for (const std::string_view root : kRoots) {
    for (size_t at = name.find(root); at != std::string_view::npos; at = name.find(root, at + 1)) {
      if (at == 0 || name[at - 1] == '.') {
        first = std::min(first, at);
        break;
      }
    }
  }
  return first;
}

/// Empty unless all names have it.
std::string shared_prefix(const Tensors& tensors) {
  if (tensors.empty()) return "";
  const size_t at = own_name_at(tensors.front().name);
  if (at == std::string::npos) return "";
  const std::string prefix = tensors.front().name.substr(0, at);
  const bool is_shared = std::ranges::all_of(tensors, [&](const Tensor& tensor) {
    return tensor.name.starts_with(prefix) && own_name_at(tensor.name) == at;
  });
  return is_shared ? prefix : "";
}

void refuse_adapters(const Tensors& tensors) {
  for (const Tensor& tensor : tensors) {
    const bool is_adapter = std::ranges::any_of(kAdapterParts, [&](std::string_view part) {
      return tensor.name.find(part) != std::string::npos;
    });
    if (!is_adapter) continue;
    throw Error("the weights are those of a LoRA adapter (\"" + tensor.name +
                "\"), which are no model by themselves; merge them into the model that they adapt "
                "(peft: merge_and_unload(), then save_pretrained()) and use that folder");
  }
}

}  // namespace

Tensors with_own_names(Tensors tensors, std::vector<std::string>& notes) {
  refuse_adapters(tensors);
  bool was_compiled = false;
  for (Tensor& tensor : tensors) {
    for (size_t at = 0; (at = tensor.name.find(kCompiled, at)) != std::string::npos;) {
      if (at > 0 && tensor.name[at - 1] != '.') {
        at += kCompiled.size();
        continue;
      }
      tensor.name.erase(at, kCompiled.size());
      was_compiled = true;
    }
  }
  if (was_compiled) {
    notes.push_back("took \"" + std::string(kCompiled) +
                    "\" out of the tensors' names, which torch.compile() had put there");
  }
  const std::string prefix = shared_prefix(tensors);
  if (prefix.empty()) return tensors;
  for (Tensor& tensor : tensors) tensor.name.erase(0, prefix.size());
  notes.push_back("took the prefix \"" + prefix + "\" off the names of all tensors");
  return tensors;
}

}  // namespace flowqat::model
