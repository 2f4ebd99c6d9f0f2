#include "graph/plan.h"

#include <algorithm>
#include <cmath>

#include "graph/predictor.h"

namespace flowqat::graph {
namespace {

/// A presentation that an epoch may have, and how long it is on average.
struct Candidate {
  Presentation at;
  double duration_s;
};

/// Calls `use` with every presentation that there may be, its weight's share, and its shape in the
/// first epoch.
template <typename Use>
void for_each_candidate(const Chain& chain, const Index& index, uint64_t seed, const Use& use) {
  const Predictor predictor(chain, {.seed = seed, .consumer = 0, .epoch = 0});
  const int copies = chain.copies();
  IndexEntry plain;
  for (uint32_t entry = 0; entry < index.size(); ++entry) {
    index.plain(entry, plain);
    for (int repeat = 0; repeat < plain.weight; ++repeat) {
      for (int copy = repeat * copies; copy < (repeat + 1) * copies; ++copy) {
        use(Presentation{entry, copy}, std::min(plain.weight - repeat, 1.0),
            predictor.shape(plain, copy));
      }
    }
  }
}

/// Notes the first presentation that comes at another rate than those before it.
class Rates {
 public:
  explicit Rates(Selection& selection) : selection_(selection) {}
  void add(const Presentation& at, const Shape& shape) {
    if (shape.samples == 0) return;
    if (rate_hz_ == 0) rate_hz_ = shape.rate_hz, first_ = at;
    if (shape.rate_hz != rate_hz_ && !selection_.two_rates) selection_.two_rates = {first_, at};
  }

 private:
  Selection& selection_;
  Presentation first_;
  int rate_hz_ = 0;
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

void note_rates(const Chain& chain, const Index& index, uint64_t seed, Selection& selection) {
  const Predictor predictor(chain, {.seed = seed, .consumer = 0, .epoch = 0});
  Rates rates(selection);
  IndexEntry plain;
  for (const Presentation& at : selection.presentations) {
    index.plain(at.entry, plain);
    rates.add(at, predictor.shape(plain, at.copy));
  }
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
  Selection selection;
  for (size_t entry = 0; entry < index.size(); ++entry) {
    const double weight = index.weight(entry);
    selection.left_out += weight <= 0 ? 1 : 0;
    selection.has_fractions |= weight != std::floor(weight);
  }
  const double hours = chain.source->hours();
  if (hours <= 0) {
    selection.presentations.reserve((index.size() - selection.left_out) *
                                    static_cast<size_t>(chain.copies()));
    Rates rates(selection);
    for_each_candidate(chain, index, seed,
                       [&](const Presentation& at, double share, const Shape& shape) {
                         selection.presentations.push_back(at);
                         selection.corpus_s += shape.seconds() * share;
                         rates.add(at, shape);
                       });
    selection.presented_s = selection.corpus_s;
    return selection;
  }
  std::vector<Candidate> all;
  for_each_candidate(chain, index, seed,
                     [&](const Presentation& at, double share, const Shape& shape) {
                       all.push_back({at, shape.seconds() * share});
                       selection.corpus_s += all.back().duration_s;
                     });
  RandomStream random(mix({seed, key_of(chain.source->name()), key_of("hours")}));
  take_hours(std::move(all), 3600 * hours, random, selection);
  note_rates(chain, index, seed, selection);
  return selection;
}

}  // namespace flowqat::graph
