#include "graph/plan.h"

#include <algorithm>
#include <numeric>

#include "graph/error.h"

namespace flowqat::graph {
namespace {

Shape predicted_shape(const Chain& chain, const IndexEntry& entry, int copy, const EpochKey& key) {
  Shape shape = entry.shape;
  for (size_t position = 0; position < chain.transforms.size() && shape.samples > 0; ++position) {
    shape = chain.transforms[position]->predict(shape, draw_for(chain, position, entry, copy, key));
  }
  return shape;
}

}  // namespace

Chain Chain::behind(const Batcher& batcher) {
  Chain chain;
  chain.batcher = &batcher;
  for (const StreamNode* node = batcher.upstream(); node; node = node->upstream()) {
    if (const auto* transform = dynamic_cast<const Transform*>(node)) {
      chain.transforms.insert(chain.transforms.begin(), transform);
    }
    if (const auto* source = dynamic_cast<const Source*>(node)) chain.source = source;
  }
  return chain;
}

int Chain::copies() const {
  int product = 1;
  for (const Transform* transform : transforms) product *= transform->copies();
  return product;
}

Draw draw_for(const Chain& chain, size_t position, const IndexEntry& entry, int copy,
              const EpochKey& key) {
  const Transform& transform = *chain.transforms[position];
  int own_copy = copy;
  for (size_t before = 0; before < position; ++before)
    own_copy /= chain.transforms[before]->copies();
  own_copy %= transform.copies();
  return {entry, own_copy,
          RandomStream(mix({key.seed, key.consumer, static_cast<uint64_t>(key.epoch), entry.key,
                            static_cast<uint64_t>(copy), key_of(transform.name())}))};
}

Selection select(const Chain& chain, const Index& index, uint64_t seed) {
  const int copies = chain.copies();
  std::vector<Presentation> all;
  all.reserve(index.size() * static_cast<size_t>(copies));
  for (uint32_t entry = 0; entry < index.size(); ++entry) {
    for (int copy = 0; copy < copies; ++copy) all.push_back({entry, copy});
  }
  const EpochKey first_epoch{.seed = seed, .consumer = 0, .epoch = 0};
  const auto presented_s = [&](const Presentation& at) {
    return predicted_shape(chain, index[at.entry], at.copy, first_epoch).seconds();
  };
  Selection selection;
  const double wanted_s = chain.source->hours() * 3600;
  if (wanted_s <= 0) {
    for (const Presentation& at : all) selection.corpus_s += presented_s(at);
    selection.presented_s = selection.corpus_s;
    selection.presentations = std::move(all);
    return selection;
  }
  RandomStream(mix({seed, key_of(chain.source->name()), key_of("hours")}))
      .shuffle(std::span<Presentation>(all));
  for (const Presentation& at : all) {
    const double duration_s = presented_s(at);
    selection.corpus_s += duration_s;
    if (selection.presented_s + duration_s > wanted_s) continue;
    selection.presented_s += duration_s;
    selection.presentations.push_back(at);
  }
  std::sort(selection.presentations.begin(), selection.presentations.end(),
            [](const Presentation& a, const Presentation& b) {
              return std::pair(a.entry, a.copy) < std::pair(b.entry, b.copy);
            });
  return selection;
}

Plan plan_epoch(const Chain& chain, const Index& index, const Selection& selection,
                const EpochKey& key) {
  std::vector<Shape> shapes;
  shapes.reserve(selection.presentations.size());
  const Presentation* reference = nullptr;
  int rate_hz = 0;
  for (const Presentation& at : selection.presentations) {
    const Shape shape = predicted_shape(chain, index[at.entry], at.copy, key);
    if (shape.samples > 0 && rate_hz != 0 && shape.rate_hz != rate_hz) {
      throw GraphError(
          "node \"" + chain.batcher->name() +
          "\": utterances of different rates in one batch: " + index[reference->entry].path +
          " comes at " + std::to_string(rate_hz) + " Hz, " + index[at.entry].path + " at " +
          std::to_string(shape.rate_hz) + " Hz; put a resample node before it");
    }
    if (shape.samples > 0 && rate_hz == 0) rate_hz = shape.rate_hz, reference = &at;
    shapes.push_back(shape);
  }
  const RandomStream random(mix(
      {key.seed, key.consumer, static_cast<uint64_t>(key.epoch), key_of(chain.batcher->name())}));
  Plan plan;
  for (const std::vector<uint32_t>& group : chain.batcher->group(shapes, random)) {
    PlannedBatch batch;
    batch.rate_hz = rate_hz;
    int64_t longest = 0;
    for (uint32_t position : group) {
      batch.rows.push_back(selection.presentations[position]);
      longest = std::max(longest, shapes[position].samples);
    }
    batch.padded_samples = chain.batcher->padded_samples(longest);
    plan.push_back(std::move(batch));
  }
  return plan;
}

}  // namespace flowqat::graph
