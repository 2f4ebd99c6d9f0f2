/// Which stretches of a row of places (frames or hidden channels) SpecAugment masks.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graph/message.h"
#include "graph/random.h"
#include "model/config.h"

namespace flowqat::nodes {

struct MaskPolicy {
  enum class Rule {
    /// Masks of one length, as many as would cover `share` of the places if none overlapped: the
    /// rule of transformers' _compute_mask_indices, with its rounding offset drawn for every
    /// utterance instead of for every batch, so that no utterance depends on its neighbours.
    share,
    /// `fewest` masks, each of a length drawn from 0 to `length`, but at most `share` of the
    /// places. Park et al. 2019, "SpecAugment" (arXiv:1904.08779), section 2.
    drawn_lengths,
  };
  Rule rule = Rule::share;
  double share = 0;
  int64_t length = 0;
  int64_t fewest = 0;  ///< masks, where they fit
};

struct MaskPolicies {
  MaskPolicy time, channel;
};

/// The names that policy_named() knows, the default first.
std::vector<std::string> mask_policy_names();

/// huggingface: the defaults of transformers' Wav2Vec2Config. model: what the model's own
/// config.json says, nothing where "apply_spec_augment" is false. fairseq_100h and fairseq_960h:
/// base_100h.yaml and base_960h.yaml of examples/wav2vec/config/finetuning, and wav2vec2.py, whose
/// apply_mask asks for two time masks and for no channel mask at the least. specaugment_lb, _ld,
/// _sm, _ss: the policies of Park et al. 2019, table 1, without time warping, its frames of 10 ms
/// become the model's of 20 ms, and its 80 mel bins become the hidden channels.
MaskPolicies policy_named(const std::string& name, const model::Config& config);

/// What `policy` masks of `places`: never beyond them. Consumes as many draws whatever fits.
std::vector<graph::MaskSpan> draw_spans(const MaskPolicy& policy, int64_t places,
                                        graph::RandomStream& random);

}  // namespace flowqat::nodes
