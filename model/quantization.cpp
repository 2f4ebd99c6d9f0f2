#include "model/quantization.h"

#include <utility>

#include "model/model.h"

namespace flowqat::model {
namespace {

using Preset = std::pair<const char*, LayerScheme>;

const std::vector<Preset>& presets() {
  static const std::vector<Preset> table = {
      {"qnnpack", {.engine = QuantEngine::qnnpack, .per_channel_weights = false}},
      {"qnnpack_symmetric",
       {.engine = QuantEngine::qnnpack,
        .symmetric_activations = true,
        .per_channel_weights = false}},
      {"fbgemm", {.engine = QuantEngine::fbgemm}},
  };
  return table;
}

}  // namespace

LayerScheme preset(const std::string& name) {
  for (const auto& [known, scheme] : presets())
    if (name == known) return scheme;
  std::string text = "quantization preset \"" + name + "\": expected one of";
  for (const auto& known : preset_names()) text += " \"" + known + "\"";
  throw Error(text);
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& entry : presets()) names.push_back(entry.first);
  return names;
}

}  // namespace flowqat::model
