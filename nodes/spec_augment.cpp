/// SpecAugment on wav2vec2's features: draws which frames and which hidden channels the model will
/// mask.
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/registry.h"
#include "nodes/support/mask_policy.h"
#include "nodes/support/model_step.h"

namespace flowqat::nodes {
namespace {

/// `policy` with those of the keys PREFIX_prob, PREFIX_length and PREFIX_min_masks that are given.
MaskPolicy with_keys(MaskPolicy policy, const graph::Params& params, const std::string& prefix) {
  const std::string share = prefix + "_prob", length = prefix + "_length",
                    fewest = prefix + "_min_masks";
  const double given = params.number(share.c_str());
  if (given < 0 && given != -1) {
    throw graph::GraphError("key \"" + share +
                            "\": must be a number from 0 to 1, or -1 for the policy's, found " +
                            params.json().at(share).dump());
  }
  if (given >= 0) policy.share = given;
  if (params.integer(length.c_str()) > 0) policy.length = params.integer(length.c_str());
  if (params.integer(fewest.c_str()) >= 0) policy.fewest = params.integer(fewest.c_str());
  return policy;
}

class SpecAugment : public graph::Transform {
 public:
  explicit SpecAugment(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")) {
    const std::string policy = arguments.params.text("policy");
    if (const auto* model = dynamic_cast<const ModelStep*>(arguments.inputs.one("model"))) {
      config_ = model->config();
    } else if (policy == "model") {
      throw graph::GraphError(
          "key \"policy\": \"model\" takes the values of a model's config.json; name it with the "
          "key \"model\"");
    }
    const MaskPolicies policies = policy_named(policy, config_);
    time_ = with_keys(policies.time, arguments.params, "time");
    channel_ = with_keys(policies.channel, arguments.params, "channel");
  }

  bool passes_samples() const override { return true; }

  void apply(const graph::Shape& shape, std::span<const float>, std::span<float>, graph::Draw draw,
             graph::Row& row) const override {
    row.time_masks = draw_spans(time_, model::frames_of(config_, shape.samples), draw.random);
    row.channel_masks = draw_spans(channel_, config_.hidden_size, draw.random);
  }

 private:
  MaskPolicy time_, channel_;
  model::Config config_;  ///< base's unless a model is named
};

using graph::ParamKind;

graph::ParamSpec share_param(const char* name, const std::string& places, const std::string& is) {
  return {.name = name,
          .kind = ParamKind::number,
          .fallback = -1,
          .minimum = -1,
          .maximum = 1,
          .doc = "share of " + places +
                 " that spans would cover if none overlapped; -1: the policy's (" + is + ")"};
}

graph::ParamSpec length_param(const char* name, const char* unit, const std::string& is) {
  return {.name = name,
          .kind = ParamKind::integer,
          .fallback = 0,
          .unit = unit,
          .minimum = 0,
          .doc = "length of a mask; no room for it: none is drawn; 0: the policy's (" + is + ")"};
}

graph::ParamSpec fewest_param(const char* name, const std::string& is) {
  return {.name = name,
          .kind = ParamKind::integer,
          .fallback = -1,
          .minimum = -1,
          .doc = "masks an utterance at the least, where they fit; -1: the policy's (" + is + ")"};
}

const graph::Register registered({
    .name = "spec_augment",
    .doc = "draws time and channel masks for the model's features",
    .output = graph::EdgeKind::utterances,
    .inputs = {{.key = "from",
                .kind = graph::EdgeKind::utterances,
                .doc = "audio at the model's rate"},
               {.key = "model",
                .kind = graph::EdgeKind::model,
                .required = false,
                .doc = "whose frames and channels are masked; none: wav2vec2-base's"}},
    .params =
        {
            {.name = "policy",
             .kind = ParamKind::choice,
             .fallback = "huggingface",
             .choices = mask_policy_names(),
             .doc =
                 "values of the keys that are not given: transformers' defaults, the model's own "
                 "config.json, fairseq's recipes, or SpecAugment's (whose masks have lengths "
                 "drawn up to the given one)"},
            share_param("time_prob", "frames", "0.05, fairseq 0.65 and 0.5"),
            length_param("time_length", "frames", "10"),
            fewest_param("time_min_masks", "2"),
            share_param("channel_prob", "hidden channels", "0, fairseq 0.5 and 0.1"),
            length_param("channel_length", "channels", "10, fairseq 64"),
            fewest_param("channel_min_masks", "0"),
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<SpecAugment>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
