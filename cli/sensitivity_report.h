/// What `flowqat sensitivity` found out, for people and for machines.
#pragma once
#include <string>
#include <vector>

#include "graph/params.h"
#include "nodes/support/sensitivity_search.h"

namespace flowqat::cli {

struct Sensitivity {
  double wer_float = 0;
  double wer_all = 0, logit_error_all = 0;  ///< with all units quantized
  std::vector<nodes::Unit> units;           ///< worst first
  int64_t utterances = 0;
  double budget = 0;  ///< points of WER
  nodes::Proposal proposal;
  model::Policy policy;  ///< the proposal as one
};

graph::Json as_json(const nodes::Unit& unit, double wer_float);
graph::Json as_json(const Sensitivity& found);
/// A table and the proposal.
std::string as_text(const Sensitivity& found);

}  // namespace flowqat::cli
