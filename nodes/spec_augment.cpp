/// SpecAugment on wav2vec2's features: draws which frames and which hidden channels the model will
/// mask. The rule is transformers' _compute_mask_indices, with its rounding offset drawn for every
/// utterance instead of for every batch, so that no utterance depends on its neighbours.
#include <algorithm>
#include <array>

#include "graph/error.h"
#include "graph/registry.h"
#include "nodes/model_step.h"

namespace flowqat::nodes {
namespace {

struct MaskPolicy {
  double probability;  ///< share of places that spans would cover if none overlapped
  int64_t length;      ///< of a span
  int64_t fewest;      ///< spans, where they fit
};

struct Policy {
  const char* name;
  MaskPolicy time, channel;
};

/// What the keys are worth that are not given. huggingface: Wav2Vec2Config (transformers).
/// fairseq: base_100h.yaml and base_960h.yaml of examples/wav2vec/config/finetuning, and
/// wav2vec2.py, whose apply_mask asks for two time masks and for no channel mask at the least.
constexpr std::array<Policy, 3> policies{{
    {.name = "huggingface", .time = {0.05, 10, 2}, .channel = {0, 10, 0}},
    {.name = "fairseq_100h", .time = {0.65, 10, 2}, .channel = {0.5, 64, 0}},
    {.name = "fairseq_960h", .time = {0.5, 10, 2}, .channel = {0.1, 64, 0}},
}};

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  for (const Policy& policy : policies) names.emplace_back(policy.name);
  return names;
}

const Policy& policy_of(const graph::Params& params) {
  return *std::find_if(policies.begin(), policies.end(),
                       [&](const Policy& policy) { return policy.name == params.text("policy"); });
}

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
  if (given >= 0) policy.probability = given;
  if (params.integer(length.c_str()) > 0) policy.length = params.integer(length.c_str());
  if (params.integer(fewest.c_str()) >= 0) policy.fewest = params.integer(fewest.c_str());
  return policy;
}

/// `count` distinct numbers below `below`, sorted (Floyd's algorithm).
std::vector<int64_t> draw_distinct(int64_t count, int64_t below, graph::RandomStream& random) {
  std::vector<int64_t> drawn;
  for (int64_t candidate = below - count; candidate < below; ++candidate) {
    const auto pick = static_cast<int64_t>(random.below(static_cast<uint64_t>(candidate) + 1));
    const auto at = std::lower_bound(drawn.begin(), drawn.end(), pick);
    if (at != drawn.end() && *at == pick) {
      drawn.push_back(candidate);  // larger than all before
    } else {
      drawn.insert(at, pick);
    }
  }
  return drawn;
}

std::vector<graph::MaskSpan> draw_spans(const MaskPolicy& policy, int64_t places,
                                        graph::RandomStream& random) {
  // Drawn even where no mask fits, so that what follows does not depend on it.
  const double offset = random.uniform();
  if (policy.probability <= 0 || places < policy.length) return {};
  auto count = static_cast<int64_t>(policy.probability * static_cast<double>(places) /
                                        static_cast<double>(policy.length) +
                                    offset);
  count = std::max(count, policy.fewest);
  count = std::min({count, places / policy.length, places - policy.length + 1});
  std::vector<graph::MaskSpan> spans;
  for (int64_t start : draw_distinct(count, places - policy.length + 1, random)) {
    spans.push_back({static_cast<int32_t>(start), static_cast<int32_t>(policy.length)});
  }
  return spans;
}

class SpecAugment : public graph::Transform {
 public:
  explicit SpecAugment(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")),
        time_(with_keys(policy_of(arguments.params).time, arguments.params, "time")),
        channel_(with_keys(policy_of(arguments.params).channel, arguments.params, "channel")) {
    if (const auto* model = dynamic_cast<const ModelStep*>(arguments.inputs.one("model"))) {
      geometry_ = model->config();
    }
  }

  bool passes_samples() const override { return true; }

  void apply(const graph::Shape& shape, std::span<const float>, std::span<float>, graph::Draw draw,
             graph::Row& row) const override {
    row.time_masks = draw_spans(time_, model::frames_of(geometry_, shape.samples), draw.random);
    row.channel_masks = draw_spans(channel_, geometry_.hidden_size, draw.random);
  }

 private:
  MaskPolicy time_, channel_;
  model::Config geometry_;  ///< base's unless a model is named
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
             .choices = policy_names(),
             .doc = "values of the keys that are not given; a key that is given replaces its "
                    "policy's"},
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
