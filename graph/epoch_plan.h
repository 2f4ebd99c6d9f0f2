/// An epoch, planned a window at a time. A window is a part of the epoch's presentations, drawn
/// from all of the corpus (or dealt out as Batcher::dealing() says); its batches are drawn up for
/// themselves, and the epoch is one window behind the other. An epoch of at most Batcher::window()
/// presentations is one window.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "graph/permutation.h"
#include "graph/plan.h"
#include "graph/predictor.h"

namespace flowqat::graph {

/// Const and thread-safe: any window can be asked for at any time.
class EpochPlan {
 public:
  /// What is handed in outlives it. Throws GraphError when batches would mix sample rates.
  EpochPlan(const Chain& chain, const Index& index, const Selection& selection,
            const EpochKey& key);

  size_t windows() const { return windows_; }
  /// Presentations of the epoch; where weights have fractions, at the most.
  size_t presentations() const { return selection_.presentations.size(); }
  /// Those of a window.
  size_t presentations(size_t window) const {
    return first_place(window + 1) - first_place(window);
  }
  /// The batches of a window. Throws GraphError as the constructor.
  Plan window(size_t number) const;
  /// All windows.
  Plan whole() const;
  /// How many batches the epoch has, where that can be told without planning it.
  std::optional<int64_t> count() const;

 private:
  /// Neighbours in the selection that belong to one group.
  struct Run {
    uint32_t begin, count;
    size_t place;  ///< of its first one in the epoch
  };

  size_t first_place(size_t window) const;
  /// Of the selection, in the order in which the batcher gets them.
  std::vector<uint32_t> positions(size_t window) const;
  void order_by_length();
  void order_groups();
  [[noreturn]] void refuse_rates(const Presentation& one, const Presentation& other) const;

  const Chain& chain_;
  const Index& index_;
  const Selection& selection_;
  const EpochKey key_;
  const Predictor predictor_;
  const Dealing dealing_;
  size_t windows_ = 1;
  std::optional<Permutation> permutation_;
  std::vector<uint32_t> by_length_;  ///< only where it is dealt so, in several windows
  std::vector<Run> runs_;            ///< the same of groups
};

/// How many batches each window has, found out on `threads` threads.
std::vector<int64_t> count_batches(const EpochPlan& plan, int threads);

}  // namespace flowqat::graph
