/// What shape an utterance will have behind all transforms, for very many of them.
#pragma once
#include <vector>

#include "graph/plan.h"

namespace flowqat::graph {

/// Makes the draws that draw_for() makes, with what they have in common made once. Const and
/// thread-safe; `chain` outlives it.
class Predictor {
 public:
  Predictor(const Chain& chain, const EpochKey& key);
  /// `entry` as Index::plain() fills it.
  Shape shape(const IndexEntry& entry, int copy) const;
  /// Whether presentation number `copy` comes in this epoch: always, but where it stands for the
  /// fraction of a weight.
  bool comes(const IndexEntry& entry, int copy) const;

 private:
  struct Part {
    const Transform* transform;
    uint64_t key;
    int copies_before, copies;  ///< products
  };
  Mix begin_;
  int copies_;
  uint64_t weight_key_;
  std::vector<Part> parts_;
};

}  // namespace flowqat::graph
