#include "model/torch/training/parameter_settings.h"

#include <fnmatch.h>

#include "model/torch/base/state_dict.h"
#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {
namespace {

constexpr const char* kFeatureExtractor = "wav2vec2.feature_extractor.";

struct Settings {
  double lr_factor = 1, weight_decay = 0;
  bool frozen = false;
};

Settings before_groups(const std::string& name, const at::Tensor& value,
                       const TrainOptions& options) {
  const bool decays = !options.decay_matrices_only || value.dim() > 1;
  const bool extractor_is_frozen = options.feature_gradient_scale == 0;
  return {.weight_decay = decays ? options.weight_decay : 0,
          .frozen = extractor_is_frozen && name.starts_with(kFeatureExtractor)};
}

void apply(const ParameterGroup& group, Settings& settings) {
  settings.lr_factor = group.lr_factor.value_or(settings.lr_factor);
  settings.weight_decay = group.weight_decay.value_or(settings.weight_decay);
  settings.frozen = group.frozen.value_or(settings.frozen);
}

}  // namespace

std::vector<AdamW::Parameter> trained_parameters(const std::vector<NamedTensor>& parameters,
                                                 const TrainOptions& options) {
  std::vector<AdamW::Parameter> trained;
  std::vector<bool> matches(options.groups.size());
  for (const auto& [own_name, value] : parameters) {
    const std::string name = published_name(own_name);
    Settings settings = before_groups(name, value, options);
    for (size_t i = 0; i < options.groups.size(); ++i) {
      if (::fnmatch(options.groups[i].match.c_str(), name.c_str(), 0) != 0) continue;
      apply(options.groups[i], settings);
      matches[i] = true;
    }
    value.set_requires_grad(!settings.frozen);
    if (settings.frozen) continue;
    if (is_learned_step(own_name)) settings.weight_decay = 0;
    trained.push_back({.name = name,
                       .value = value,
                       .lr_factor = settings.lr_factor,
                       .weight_decay = settings.weight_decay});
  }
  for (size_t i = 0; i < matches.size(); ++i) {
    if (matches[i]) continue;
    throw Error("training: the group \"" + options.groups[i].match +
                "\" matches no parameter; names are such as \"" +
                published_name(parameters.back().name) + "\"");
  }
  if (trained.empty()) throw Error("training: every parameter is frozen, so nothing would learn");
  return trained;
}

}  // namespace flowqat::model
