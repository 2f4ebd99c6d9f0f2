/// What each layer's quantization costs, and the mixed policy that follows. Needs no model: WERs
/// come from whoever calls.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/quantization.h"

namespace flowqat::nodes {

using Layers = std::vector<std::string>;

/// Layers that are quantized, and measured, together.
struct Unit {
  std::string name;  ///< a layer's, or a part's
  Layers layers;
  double wer = 0;          ///< with these layers alone quantized
  double logit_error = 0;  ///< RMS of the logits' difference over RMS of the float logits
};

/// A unit for each layer that the policy quantizes, or for each part with such layers.
std::vector<Unit> units_of(const model::Policy& policy, const Layers& layers, bool by_part);

/// By WER, then by logit error.
void sort_worst_first(std::vector<Unit>& units);

struct Proposal {
  Layers in_float;
  double wer = 0;      ///< of the mixed model
  double wer_all = 0;  ///< with all units quantized
  int evaluations = 0;
};

/// Few units in float, so that the WER is at most `highest_wer`: the worst ones, as many as a
/// bisection finds to be needed; then each of them is tried quantized again. `wer_of` measures with
/// exactly these layers quantized. Where nothing else is within, all are in float.
Proposal propose(const std::vector<Unit>& worst_first, double highest_wer,
                 const std::function<double(const Layers&)>& wer_of);

/// The policy with these layers in float: a part by its name where none of its layers is left to
/// quantize, others as exceptions.
model::Policy with_float(const model::Policy& policy, const Layers& in_float, const Layers& layers);

}  // namespace flowqat::nodes
