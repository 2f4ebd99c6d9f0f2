/// What of the model learns, and how much of it is kept for that.
#include <nlohmann/json.hpp>
#include <string>

#include "graph/error.h"
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "parameter_groups",
       .kind = ParamKind::objects,
       .fallback = graph::Default::empty_list(),
       .doc = "{\"match\": a parameter's name with * ? [a-b], and any of \"lr_factor\": of the "
              "rate, \"weight_decay\": instead of the key's, \"frozen\": true}; a later one that "
              "matches overrides an earlier one"},
      {.name = "freeze_feature_extractor",
       .kind = ParamKind::boolean,
       .fallback = false,
       .doc = "the convolutions stay as they are"},
      {.name = "feature_gradient_scale",
       .kind = ParamKind::number,
       .fallback = 1,
       .minimum = 0,
       .doc = "what the gradient is multiplied by on its way into the convolutions (fairseq's "
              "feature_grad_mult); 0 freezes them"},
      {.name = "head_only_for",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "how long the head alone learns at first (fairseq's freeze_finetune_updates): a "
              "share of the steps up to 1, a number of steps above"},
      {.name = "ema_decay",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .maximum = 0.999999999,
       .doc = "d of the weights' moving average e <- d e + (1 - d) w, begun as the weights that "
              "training begins with; above 0 the average is the result"},
      {.name = "gradient_checkpointing",
       .kind = ParamKind::boolean,
       .fallback = false,
       .doc = "keeps only the input of each encoder layer and computes the layer again for the "
              "backward: less memory, a third more time, the same bits on the CPU",
       .may_change = true},
      {.name = "shard_optimizer",
       .kind = ParamKind::boolean,
       .fallback = false,
       .doc = "with several processes each keeps the optimizer's moments of its share of the "
              "parameters: less memory, the same bits",
       .may_change = true},
  };
}

[[noreturn]] void refuse(size_t index, const std::string& complaint) {
  throw graph::GraphError("key \"parameter_groups\", group " + std::to_string(index + 1) + ": " +
                          complaint);
}

double number(const graph::Json& value, size_t index, const std::string& key) {
  if (!value.is_number() || value.get<double>() < 0) {
    refuse(index, "\"" + key + "\" must be a number of at least 0, found " + value.dump());
  }
  return value.get<double>();
}

model::ParameterGroup group_of(const graph::Json& object, size_t index) {
  const std::vector<std::string> known{"match", "lr_factor", "weight_decay", "frozen"};
  model::ParameterGroup group;
  for (const auto& [key, value] : object.items()) {
    if (key == "match") {
      if (!value.is_string()) refuse(index, "\"match\" must be a text, found " + value.dump());
      group.match = value.get<std::string>();
    } else if (key == "lr_factor") {
      group.lr_factor = number(value, index, key);
    } else if (key == "weight_decay") {
      group.weight_decay = number(value, index, key);
    } else if (key == "frozen") {
      if (!value.is_boolean()) {
        refuse(index, "\"frozen\" must be true or false, found " + value.dump());
      }
      group.frozen = value.get<bool>();
    } else {
      refuse(index, "unknown key \"" + key + "\"; known are " + graph::quoted_list(known) +
                        graph::suggestion(key, known));
    }
  }
  if (group.match.empty()) {
    refuse(index, "needs \"match\", the names that it is for, such as \"lm_head.*\"");
  }
  if (object.size() == 1) {
    refuse(index, "says nothing of \"" + group.match +
                      "\": give it \"lr_factor\", \"weight_decay\" or \"frozen\"");
  }
  return group;
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  const graph::Json& groups = params.json("parameter_groups");
  for (size_t i = 0; i < groups.size(); ++i) {
    out.options.groups.push_back(group_of(groups[i], i));
  }
  out.options.feature_gradient_scale = params.number("feature_gradient_scale");
  if (params.flag("freeze_feature_extractor")) {
    if (out.options.feature_gradient_scale != 0 && out.options.feature_gradient_scale != 1) {
      throw graph::GraphError(
          "keys \"freeze_feature_extractor\" and \"feature_gradient_scale\": a frozen feature "
          "extractor has no gradient to scale; give one of the two");
    }
    out.options.feature_gradient_scale = 0;
  }
  out.head_only_for = params.number("head_only_for");
  out.options.ema_decay = params.number("ema_decay");
  out.options.gradient_checkpointing = params.flag("gradient_checkpointing");
  out.options.shard_optimizer = params.flag("shard_optimizer");
}

}  // namespace

ParamGroup fine_tuning_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
