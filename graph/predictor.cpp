#include "graph/predictor.h"

namespace flowqat::graph {

Predictor::Predictor(const Chain& chain, const EpochKey& key)
    : begin_(Mix().add(key.seed).add(key.consumer).add(static_cast<uint64_t>(key.epoch))),
      copies_(chain.copies()),
      weight_key_(key_of("weight")) {
  int before = 1;
  for (const Transform* transform : chain.transforms) {
    parts_.push_back({transform, key_of(transform->name()), before, transform->copies()});
    before *= transform->copies();
  }
}

Shape Predictor::shape(const IndexEntry& entry, int copy) const {
  Shape shape = entry.shape;
  const Mix presentation = begin_.add(entry.key).add(static_cast<uint64_t>(copy));
  for (const Part& part : parts_) {
    if (shape.samples <= 0) break;
    if (part.transform->passes_samples()) continue;
    shape = part.transform->predict(shape, {entry, copy / part.copies_before % part.copies,
                                            RandomStream(presentation.add(part.key).value())});
  }
  return shape;
}

bool Predictor::comes(const IndexEntry& entry, int copy) const {
  const int repeat = copy / copies_;
  const double chance = entry.weight - repeat;
  if (chance >= 1) return true;
  RandomStream random(
      begin_.add(entry.key).add(static_cast<uint64_t>(repeat)).add(weight_key_).value());
  return random.uniform() < chance;
}

}  // namespace flowqat::graph
