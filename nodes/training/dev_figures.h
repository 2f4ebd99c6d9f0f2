#pragma once
#include <string>

#include "graph/json.h"
#include "nodes/support/error_rate.h"

namespace flowqat::nodes {

/// What an evaluation has summed up of a dev stream so far.
struct DevFigures {
  ErrorCounts words, characters;
  double loss_sum = 0;          ///< of the CTC losses that are finite, in nats
  int64_t tokens = 0;           ///< of their targets
  int64_t infinite_losses = 0;  ///< utterances whose target does not fit their frames
  int64_t utterances = 0;
  double audio_s = 0, infer_s = 0;

  DevFigures& operator+=(const DevFigures& other);
  /// Nats a target token: the training's loss with the reduction "characters". Infinity where no
  /// target fits.
  double loss() const;
  /// "wer", "cer" or "loss".
  double figure(const std::string& name) const;
};

/// All of it, to go on from.
graph::Json to_json(const DevFigures& figures);
DevFigures dev_figures(const graph::Json& json);

}  // namespace flowqat::nodes
