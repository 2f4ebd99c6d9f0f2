/// SpecAugment on wav2vec2's features: draws which frames and which hidden channels the model will
/// mask. The rule is transformers' _compute_mask_indices, with its rounding offset drawn for every
/// utterance instead of for every batch, so that no utterance depends on its neighbours.
#include <algorithm>

#include "graph/registry.h"
#include "nodes/model_step.h"

namespace flowqat::nodes {
namespace {

struct MaskPolicy {
  double probability;  ///< share of places that spans would cover if none overlapped
  int64_t length;      ///< of a span
  int64_t fewest;      ///< spans, where they fit
};

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
        time_{arguments.params.number("time_prob"), arguments.params.integer("time_length"),
              arguments.params.integer("time_min_masks")},
        channel_{arguments.params.number("channel_prob"),
                 arguments.params.integer("channel_length"),
                 arguments.params.integer("channel_min_masks")} {
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
            {.name = "time_prob",
             .kind = ParamKind::number,
             .fallback = 0.05,
             .minimum = 0,
             .maximum = 1,
             .doc = "share of frames that spans would cover if none overlapped"},
            {.name = "time_length",
             .kind = ParamKind::integer,
             .fallback = 10,
             .unit = "frames",
             .minimum = 1,
             .doc = "length of a time mask"},
            {.name = "time_min_masks",
             .kind = ParamKind::integer,
             .fallback = 2,
             .minimum = 0,
             .doc = "time masks an utterance at the least, where they fit"},
            {.name = "channel_prob",
             .kind = ParamKind::number,
             .fallback = 0,
             .minimum = 0,
             .maximum = 1,
             .doc = "share of hidden channels that spans would cover if none overlapped"},
            {.name = "channel_length",
             .kind = ParamKind::integer,
             .fallback = 10,
             .unit = "channels",
             .minimum = 1,
             .doc = "length of a channel mask; longer than the hidden size: none is drawn"},
            {.name = "channel_min_masks",
             .kind = ParamKind::integer,
             .fallback = 0,
             .minimum = 0,
             .doc = "channel masks an utterance at the least"},
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<SpecAugment>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
