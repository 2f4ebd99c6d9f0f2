#include "graph/plan.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::graph {
namespace {

Shape predicted_shape(const Chain& chain, const IndexEntry& entry, int copy, const EpochKey& key) {
  Shape shape = entry.shape;
  for (size_t position = 0; position < chain.transforms.size() && shape.samples > 0; ++position) {
    shape = chain.transforms[position]->predict(shape, draw_for(chain, position, entry, copy, key));
  }
  return shape;
}

/// A presentation that an epoch may have, and how long it is on average.
struct Candidate {
  Presentation at;
  double duration_s;
};

/// Draws `wanted_s` seconds of `all` into `selection`. What has no length (it is broken, as its
/// header shows) would fit always: it comes in the share in which the others come.
void take_hours(std::vector<Candidate> all, double wanted_s, RandomStream& random,
                Selection& selection) {
  random.shuffle(std::span(all));
  const auto has_length = [](const Candidate& candidate) { return candidate.duration_s > 0; };
  const auto empty = std::stable_partition(all.begin(), all.end(), has_length);
  for (auto candidate = all.begin(); candidate != empty; ++candidate) {
    if (selection.presented_s + candidate->duration_s > wanted_s) continue;
    selection.presented_s += candidate->duration_s;
    selection.presentations.push_back(candidate->at);
  }
  const double share = selection.corpus_s > 0 ? selection.presented_s / selection.corpus_s : 1;
  // Rounded up or down by chance, so that one of few comes as often as it should.
  auto left =
      static_cast<int64_t>(static_cast<double>(all.end() - empty) * share + random.uniform());
  for (auto candidate = empty; candidate != all.end() && left > 0; ++candidate, --left) {
    selection.presentations.push_back(candidate->at);
  }
  std::sort(selection.presentations.begin(), selection.presentations.end(),
            [](const Presentation& a, const Presentation& b) {
              return std::pair(a.entry, a.copy) < std::pair(b.entry, b.copy);
            });
}

/// The presentations of this epoch: those whose weight has a fraction are drawn.
std::vector<Presentation> presented(const Chain& chain, const Index& index,
                                    const Selection& selection, const EpochKey& key) {
  const int copies = chain.copies();
  std::vector<Presentation> all;
  all.reserve(selection.presentations.size());
  for (const Presentation& at : selection.presentations) {
    const IndexEntry& entry = index[at.entry];
    const int repeat = at.copy / copies;
    const double chance = entry.weight - repeat;
    if (chance < 1) {
      RandomStream random(mix({key.seed, key.consumer, static_cast<uint64_t>(key.epoch), entry.key,
                               static_cast<uint64_t>(repeat), key_of("weight")}));
      if (random.uniform() >= chance) continue;
    }
    all.push_back(at);
  }
  return all;
}

/// The rate of every utterance that has one.
int common_rate_hz(const Chain& chain, const Index& index,
                   const std::vector<Presentation>& presentations,
                   const std::vector<Shape>& shapes) {
  size_t first = 0;
  while (first < shapes.size() && shapes[first].samples == 0) ++first;
  if (first == shapes.size()) return 0;
  for (size_t i = first + 1; i < shapes.size(); ++i) {
    if (shapes[i].samples == 0 || shapes[i].rate_hz == shapes[first].rate_hz) continue;
    throw GraphError("node \"" + chain.batcher->name() +
                     "\": utterances of different rates in one batch: " +
                     one_line(index[presentations[first].entry].path) + " comes at " +
                     std::to_string(shapes[first].rate_hz) + " Hz, " +
                     one_line(index[presentations[i].entry].path) + " at " +
                     std::to_string(shapes[i].rate_hz) + " Hz; put a resample node before it");
  }
  return shapes[first].rate_hz;
}

std::vector<uint32_t> group_numbers(const Index& index,
                                    const std::vector<Presentation>& presentations) {
  std::unordered_map<std::string_view, uint32_t> numbers;
  std::vector<uint32_t> all;
  all.reserve(presentations.size());
  for (const Presentation& at : presentations) {
    const auto next = static_cast<uint32_t>(numbers.size());
    all.push_back(numbers.try_emplace(index[at.entry].group, next).first->second);
  }
  return all;
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
  const EpochKey first_epoch{.seed = seed, .consumer = 0, .epoch = 0};
  const int copies = chain.copies();
  Selection selection;
  std::vector<Candidate> all;
  all.reserve(index.size() * static_cast<size_t>(copies));
  for (uint32_t entry = 0; entry < index.size(); ++entry) {
    const double weight = index[entry].weight;
    if (weight <= 0) ++selection.left_out;
    for (int repeat = 0; repeat < weight; ++repeat) {
      for (int copy = repeat * copies; copy < (repeat + 1) * copies; ++copy) {
        const double duration_s =
            predicted_shape(chain, index[entry], copy, first_epoch).seconds() *
            std::min(weight - repeat, 1.0);
        all.push_back({{entry, copy}, duration_s});
        selection.corpus_s += duration_s;
      }
    }
  }
  const double hours = chain.source->hours();
  if (hours > 0) {
    RandomStream random(mix({seed, key_of(chain.source->name()), key_of("hours")}));
    take_hours(std::move(all), 3600 * hours, random, selection);
    return selection;
  }
  selection.presented_s = selection.corpus_s;
  for (const Candidate& candidate : all) selection.presentations.push_back(candidate.at);
  return selection;
}

Plan plan_epoch(const Chain& chain, const Index& index, const Selection& selection,
                const EpochKey& key, const Share& share) {
  const std::vector<Presentation> presentations = presented(chain, index, selection, key);
  std::vector<Shape> shapes;
  shapes.reserve(presentations.size());
  for (const Presentation& at : presentations) {
    shapes.push_back(predicted_shape(chain, index[at.entry], at.copy, key));
  }
  const int rate_hz = common_rate_hz(chain, index, presentations, shapes);
  EpochShapes epoch{.shapes = shapes,
                    .epoch = key.epoch,
                    .world_size = share.world_size,
                    .shuffle_window = chain.source->shuffle_window()};
  if (epoch.shuffle_window > 0) epoch.groups = group_numbers(index, presentations);
  const RandomStream random(mix(
      {key.seed, key.consumer, static_cast<uint64_t>(key.epoch), key_of(chain.batcher->name())}));
  const auto groups = chain.batcher->group(epoch, random);
  const auto world_size = static_cast<size_t>(share.world_size);
  if (groups.size() < world_size) {
    throw GraphError("node \"" + chain.batcher->name() + "\": an epoch has " +
                     std::to_string(groups.size()) + " batches, fewer than the " +
                     std::to_string(world_size) + " ranks of key \"world_size\"");
  }
  Plan plan(groups.size() / world_size);
  for (size_t round = 0; round < plan.size(); ++round) {
    const std::vector<uint32_t>& group =
        groups[round * world_size + static_cast<size_t>(share.rank)];
    PlannedBatch& batch = plan[round];
    batch.rate_hz = rate_hz;
    batch.rows.reserve(group.size());
    int64_t longest = 0;
    for (const uint32_t position : group) {
      batch.rows.push_back(presentations[position]);
      longest = std::max(longest, shapes[position].samples);
    }
    batch.padded_samples = chain.batcher->padded_samples(longest);
  }
  return plan;
}

}  // namespace flowqat::graph
