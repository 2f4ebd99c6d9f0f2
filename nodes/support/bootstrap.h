/// How certain the difference of two error rates is: the paired bootstrap over utterances of Bisani
/// and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP
/// 2004.
#pragma once
#include <cstdint>
#include <span>

namespace flowqat::nodes {

/// An utterance's errors and references (words, or characters), as each of two models has them. The
/// references of one utterance differ only where the models' vocabularies do.
struct PairedErrors {
  int32_t errors = 0, references = 0;
  int32_t other_errors = 0, other_references = 0;
};

/// Of one model's error rate to another's.
struct RateDifference {
  double difference = 0;     ///< the rate minus the other's: below 0 is better
  double low = 0, high = 0;  ///< the 95 % interval
  /// The share of resamples in which the rate is below the other's.
  double probability_of_improvement = 0;
  int64_t utterances = 0, resamples = 0;

  /// Whether other utterances of the same kind may well have said that there is no difference, or
  /// the opposite one.
  bool is_noise() const { return low <= 0 && high >= 0; }
};

inline constexpr double confidence = 0.95;

/// How many resamples are drawn of so many utterances: 10,000 up to 20,000 utterances, fewer
/// beyond so that 200 million draws do (a second), but never fewer than 1,000.
int64_t resamples_for(int64_t utterances);

/// Draws `resamples` times as many utterances as there are, each for both models, with replacement;
/// the interval lies between the 2.5th and the 97.5th percentile of the differences (interpolated
/// between neighbours, as numpy does by default). Resample r of the same seed and number of
/// utterances is always the same: the draws of RandomStream(mix({seed, r})). Where a resample says
/// nothing, its rates are numbers of errors (ErrorCounts::rate). Of fewer than two utterances there
/// is nothing to resample: then the interval is all from -infinity to infinity.
RateDifference bootstrap(std::span<const PairedErrors> utterances, uint64_t seed,
                         int64_t resamples);

}  // namespace flowqat::nodes
