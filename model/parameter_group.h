#pragma once
#include <optional>
#include <string>

namespace flowqat::model {

/// What training does otherwise with some of a model's parameters: those whose names match. Of
/// several groups, a later one overrides what it says of an earlier one's.
struct ParameterGroup {
  /// A name as weights files have it, with * ? [a-b]: "wav2vec2.encoder.layers.[0-5].*".
  std::string match;
  std::optional<double> lr_factor = {};     ///< of the schedule's rate
  std::optional<double> weight_decay = {};  ///< of all that may decay: learned steps never do
  std::optional<bool> frozen = {};          ///< neither moved nor decayed
};

}  // namespace flowqat::model
