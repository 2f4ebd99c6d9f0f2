/// Two models, or two files of hypotheses, against each other: `flowqat evaluate A --against B`.
#pragma once
#include <string>
#include <vector>

#include "cli/heard.h"
#include "nodes/support/differences.h"
#include "nodes/support/score.h"

namespace flowqat::cli {

/// One that was heard in two ways.
struct Changed {
  Heard heard;                ///< by the model
  std::string other;          ///< what the other heard
  nodes::ErrorCounts errors;  ///< words
  nodes::ErrorCounts other_errors;

  int64_t more_errors() const { return errors.errors() - other_errors.errors(); }
};

struct Comparison {
  std::string model, other;  ///< as they were given
  nodes::ScoreSums sums, other_sums;
  nodes::RateDifference wer, cer;  ///< of the model to the other
  /// Where words were heard otherwise: the utterances that became worst first, then in the order in
  /// which they were heard.
  std::vector<Changed> changed;
  int64_t better = 0, worse = 0;           ///< of them; the others have as many errors as before
  int64_t model_only = 0, other_only = 0;  ///< utterances that were not compared
  int64_t other_references = 0;  ///< compared ones whose reference is not the same for both
};

/// Utterances are paired by their ids; where an id occurs several times, in order. Throws RunError
/// where there is none in common, or nothing was said in all of them.
Comparison compare(std::vector<Heard> model, std::vector<Heard> other, uint64_t seed,
                   const std::string& model_name, const std::string& other_name);

/// A changed utterance's line for machines.
graph::Json as_json(const Changed& changed);
/// Tables for people, with the first of those that changed.
std::string as_text(const Comparison& comparison);
graph::Json as_json(const Comparison& comparison);

}  // namespace flowqat::cli
