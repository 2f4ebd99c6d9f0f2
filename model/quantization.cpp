#include "model/quantization.h"

#include <fnmatch.h>

#include <utility>

#include "model/model.h"

namespace flowqat::model {
namespace {

using Preset = std::pair<const char*, LayerScheme>;

const std::vector<Preset>& presets() {
  constexpr QuantEngine qnnpack = QuantEngine::qnnpack;
  static const std::vector<Preset> table = {
      {"qnnpack", {.engine = qnnpack, .per_channel_weights = false}},
      {"qnnpack_symmetric",
       {.engine = qnnpack, .symmetric_activations = true, .per_channel_weights = false}},
      {"fbgemm", {}},
      {"qnnpack_clipped", {.engine = qnnpack, .range = RangeEstimate::percentile}},
      {"qnnpack_symmetric_clipped",
       {.engine = qnnpack,
        .symmetric_activations = true,
        .range = RangeEstimate::percentile,
        .percentile = 99}},
      {"w4a8", {.weight_bits = 4}},
      {"w4a8_clipped", {.engine = qnnpack, .weight_bits = 4, .range = RangeEstimate::percentile}},
      {"w7", {.engine = qnnpack, .weight_bits = 7, .range = RangeEstimate::percentile}},
  };
  return table;
}

const LayerChoice& part_choice(const Policy& policy, const std::string& layer) {
  const auto within = [&](const char* part) { return layer.find(part) != std::string::npos; };
  if (within("feature_extractor.")) return policy.feature_extractor;
  if (within("feature_projection.")) return policy.feature_projection;
  if (within("pos_conv_embed.")) return policy.positional_conv;
  if (within(".attention.")) return policy.attention;
  if (within(".feed_forward.")) return policy.feed_forward;
  return policy.head;
}

}  // namespace

LayerScheme preset(const std::string& name) {
  for (const auto& [known, scheme] : presets())
    if (name == known) return scheme;
  std::string text = "quantization preset \"" + name + "\": expected one of \"none\"";
  for (const auto& known : preset_names()) text += " \"" + known + "\"";
  throw Error(text);
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& entry : presets()) names.push_back(entry.first);
  return names;
}

LayerChoice choice_for(const Policy& policy, const std::string& layer) {
  for (auto exception = policy.exceptions.rbegin(); exception != policy.exceptions.rend();
       ++exception) {
    if (::fnmatch(exception->match.c_str(), layer.c_str(), 0) == 0) return exception->choice;
  }
  return part_choice(policy, layer);
}

}  // namespace flowqat::model
