#include "nodes/support/ctc_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace flowqat::nodes {
namespace {

constexpr double never = -std::numeric_limits<double>::infinity();

double log_sum(double a, double b) {
  const double larger = std::max(a, b);
  return larger == never ? never : larger + std::log1p(std::exp(std::min(a, b) - larger));
}

/// log of the softmax's denominator.
double log_total(std::span<const float> scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float score : scores) sum += std::exp(score - largest);
  return largest + std::log(sum);
}

}  // namespace

double ctc_loss(std::span<const float> logits, int64_t vocabulary, std::span<const int32_t> target,
                int32_t blank) {
  const auto width = static_cast<size_t>(vocabulary);
  std::vector<int32_t> path(2 * target.size() + 1, blank);
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] < 0 || target[i] >= vocabulary) return -never;
    path[2 * i + 1] = target[i];
  }
  // Before the first frame all probability stands where the path begins.
  std::vector<double> before(path.size(), never), now(path.size());
  bool is_first = true;
  for (size_t at = 0; at + width <= logits.size(); at += width, is_first = false) {
    const std::span<const float> scores = logits.subspan(at, width);
    const double total = log_total(scores);
    for (size_t i = 0; i < path.size(); ++i) {
      double reached = before[i];
      if (is_first) {
        reached = i < 2 ? 0 : never;
      } else {
        if (i > 0) reached = log_sum(reached, before[i - 1]);
        if (i > 1 && path[i] != blank && path[i] != path[i - 2]) {
          reached = log_sum(reached, before[i - 2]);
        }
      }
      now[i] = reached + scores[static_cast<size_t>(path[i])] - total;
    }
    std::swap(before, now);
  }
  if (is_first) return target.empty() ? 0 : -never;
  return -(path.size() > 1 ? log_sum(before.back(), before[path.size() - 2]) : before.back());
}

}  // namespace flowqat::nodes
