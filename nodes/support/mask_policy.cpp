#include "nodes/support/mask_policy.h"

#include <algorithm>

namespace flowqat::nodes {
namespace {

using Rule = MaskPolicy::Rule;

constexpr const char* huggingface = "huggingface";
constexpr const char* of_the_model = "model";

struct Fairseq {
  const char* name;
  MaskPolicy time, channel;
};
constexpr Fairseq fairseq[] = {
    {"fairseq_100h", {Rule::share, 0.65, 10, 2}, {Rule::share, 0.5, 64, 0}},
    {"fairseq_960h", {Rule::share, 0.5, 10, 2}, {Rule::share, 0.1, 64, 0}},
};

/// The paper's F, m_F, T, p and m_T.
struct SpecAugmentPolicy {
  const char* name;
  int64_t mel_bins, frequency_masks, frames, time_masks;
  double share;
};
constexpr SpecAugmentPolicy spec_augment[] = {
    {"specaugment_lb", 27, 1, 100, 1, 1.0},
    {"specaugment_ld", 27, 2, 100, 2, 1.0},
    {"specaugment_sm", 15, 2, 70, 2, 0.2},
    {"specaugment_ss", 27, 2, 70, 2, 0.2},
};
constexpr int64_t all_mel_bins = 80, frames_of_a_model_frame = 2;

MaskPolicies policies_of(const model::Config& config) {
  return {.time = {Rule::share, config.mask_time_prob, config.mask_time_length,
                   config.mask_time_min_masks},
          .channel = {Rule::share, config.mask_feature_prob, config.mask_feature_length,
                      config.mask_feature_min_masks}};
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

graph::MaskSpan span_of(int64_t start, int64_t length) {
  return {static_cast<int32_t>(start), static_cast<int32_t>(length)};
}

std::vector<graph::MaskSpan> draw_by_share(const MaskPolicy& policy, int64_t places,
                                           graph::RandomStream& random) {
  // Drawn even where no mask fits, so that what follows does not depend on it.
  const double offset = random.uniform();
  if (policy.share <= 0 || places < policy.length) return {};
  auto count = static_cast<int64_t>(
      policy.share * static_cast<double>(places) / static_cast<double>(policy.length) + offset);
  count = std::max(count, policy.fewest);
  count = std::min({count, places / policy.length, places - policy.length + 1});
  std::vector<graph::MaskSpan> spans;
  for (const int64_t start : draw_distinct(count, places - policy.length + 1, random)) {
    spans.push_back(span_of(start, policy.length));
  }
  return spans;
}

std::vector<graph::MaskSpan> draw_lengths(const MaskPolicy& policy, int64_t places,
                                          graph::RandomStream& random) {
  const auto longest =
      std::min(policy.length, static_cast<int64_t>(policy.share * static_cast<double>(places)));
  std::vector<graph::MaskSpan> spans;
  for (int64_t i = 0; i < policy.fewest; ++i) {
    const auto length = static_cast<int64_t>(
        random.below(static_cast<uint64_t>(std::max<int64_t>(longest, 0)) + 1));
    const auto start =
        static_cast<int64_t>(random.below(static_cast<uint64_t>(places - length) + 1));
    if (length > 0) spans.push_back(span_of(start, length));
  }
  return spans;
}

}  // namespace

std::vector<std::string> mask_policy_names() {
  std::vector<std::string> names{huggingface, of_the_model};
  for (const Fairseq& policy : fairseq) names.emplace_back(policy.name);
  for (const SpecAugmentPolicy& policy : spec_augment) names.emplace_back(policy.name);
  return names;
}

MaskPolicies policy_named(const std::string& name, const model::Config& config) {
  for (const Fairseq& policy : fairseq) {
    if (name == policy.name) return {policy.time, policy.channel};
  }
  for (const SpecAugmentPolicy& policy : spec_augment) {
    if (name != policy.name) continue;
    return {
        .time = {Rule::drawn_lengths, policy.share, policy.frames / frames_of_a_model_frame,
                 policy.time_masks},
        .channel = {Rule::drawn_lengths, 1.0, policy.mel_bins * config.hidden_size / all_mel_bins,
                    policy.frequency_masks}};
  }
  if (name == huggingface) return policies_of(model::Config());
  return config.apply_spec_augment ? policies_of(config) : MaskPolicies();
}

std::vector<graph::MaskSpan> draw_spans(const MaskPolicy& policy, int64_t places,
                                        graph::RandomStream& random) {
  return policy.rule == Rule::share ? draw_by_share(policy, places, random)
                                    : draw_lengths(policy, places, random);
}

}  // namespace flowqat::nodes
