#include "nodes/support/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "graph/random.h"

namespace flowqat::nodes {
namespace {

constexpr int64_t most_resamples = 10000, fewest_resamples = 1000, most_draws = 200'000'000;

struct Sums {
  int64_t errors = 0, references = 0, other_errors = 0, other_references = 0;

  void add(const PairedErrors& utterance) {
    errors += utterance.errors;
    references += utterance.references;
    other_errors += utterance.other_errors;
    other_references += utterance.other_references;
  }
  static double rate(int64_t errors, int64_t references) {
    return static_cast<double>(errors) / static_cast<double>(std::max<int64_t>(references, 1));
  }
  double difference() const {
    return rate(errors, references) - rate(other_errors, other_references);
  }
};

double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

}  // namespace

int64_t resamples_for(int64_t utterances) {
  return std::clamp(most_draws / std::max<int64_t>(utterances, 1), fewest_resamples,
                    most_resamples);
}

RateDifference bootstrap(std::span<const PairedErrors> utterances, uint64_t seed,
                         int64_t resamples) {
  Sums all;
  for (const PairedErrors& utterance : utterances) all.add(utterance);
  RateDifference result{.difference = all.difference(),
                        .low = -std::numeric_limits<double>::infinity(),
                        .high = std::numeric_limits<double>::infinity(),
                        .utterances = std::ssize(utterances),
                        .resamples = resamples};
  if (utterances.size() < 2) return result;
  std::vector<double> differences(static_cast<size_t>(resamples));
  for (size_t r = 0; r < differences.size(); ++r) {
    graph::RandomStream random(graph::mix({seed, r}));
    Sums sums;
    for (size_t i = 0; i < utterances.size(); ++i) {
      sums.add(utterances[random.below(utterances.size())]);
    }
    differences[r] = sums.difference();
  }
  std::sort(differences.begin(), differences.end());
  const auto better = std::lower_bound(differences.begin(), differences.end(), 0.0);
  result.probability_of_improvement =
      static_cast<double>(better - differences.begin()) / static_cast<double>(resamples);
  constexpr double tail = (1 - confidence) / 2;
  result.low = percentile(differences, tail);
  result.high = percentile(differences, 1 - tail);
  return result;
}

}  // namespace flowqat::nodes
