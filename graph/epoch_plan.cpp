#include "graph/epoch_plan.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::graph {
namespace {

RandomStream random_for(const Chain& chain, const EpochKey& key, size_t window) {
  const uint64_t first = mix(
      {key.seed, key.consumer, static_cast<uint64_t>(key.epoch), key_of(chain.batcher->name())});
  return RandomStream(window == 0 ? first : mix({first, window}));
}

uint64_t key_for(const Chain& chain, const EpochKey& key, const char* what) {
  return mix({key.seed, key.consumer, static_cast<uint64_t>(key.epoch),
              key_of(chain.batcher->name()), key_of(what)});
}

}  // namespace

EpochPlan::EpochPlan(const Chain& chain, const Index& index, const Selection& selection,
                     const EpochKey& key)
    : chain_(chain),
      index_(index),
      selection_(selection),
      key_(key),
      predictor_(chain, key),
      dealing_(chain.batcher->dealing(key.epoch)) {
  const size_t count = presentations();
  const auto most = static_cast<size_t>(std::max<int64_t>(chain.batcher->window(), 1));
  windows_ = std::max<size_t>((count + most - 1) / most, 1);
  if (selection.two_rates) {
    refuse_rates(selection.two_rates->first, selection.two_rates->second);
  }
  if (dealing_ == Dealing::drawn && chain.source->shuffle_window() > 0) {
    order_groups();
  } else if (dealing_ == Dealing::drawn && windows_ > 1) {
    permutation_.emplace(key_for(chain, key, "windows"), count);
  } else if (dealing_ == Dealing::by_length && windows_ > 1) {
    order_by_length();
  }
}

void EpochPlan::refuse_rates(const Presentation& one, const Presentation& other) const {
  const auto told = [&](const Presentation& at) {
    const IndexEntry entry = index_[at.entry];
    return std::pair(one_line(entry.path), predictor_.shape(entry, at.copy).rate_hz);
  };
  const auto [first, first_hz] = told(one);
  const auto [second, second_hz] = told(other);
  throw GraphError("node \"" + chain_.batcher->name() +
                   "\": utterances of different rates in one batch: " + first + " comes at " +
                   std::to_string(first_hz) + " Hz, " + second + " at " +
                   std::to_string(second_hz) + " Hz; put a resample node before it");
}

void EpochPlan::order_by_length() {
  std::vector<uint64_t> lengths(presentations());
  IndexEntry plain;
  for (uint32_t position = 0; position < lengths.size(); ++position) {
    const Presentation& at = selection_.presentations[position];
    index_.plain(at.entry, plain);
    const int64_t samples = predictor_.shape(plain, at.copy).samples;
    // What is longer than a day or two stands at the end, among its like in the corpus's order.
    lengths[position] =
        static_cast<uint64_t>(std::clamp<int64_t>(samples, 0, UINT32_MAX)) << 32 | position;
  }
  std::sort(lengths.begin(), lengths.end());
  by_length_.reserve(lengths.size());
  for (const uint64_t length : lengths) by_length_.push_back(static_cast<uint32_t>(length));
}

void EpochPlan::order_groups() {
  std::vector<uint32_t> rank(index_.groups());
  std::iota(rank.begin(), rank.end(), 0u);
  RandomStream random(key_for(chain_, key_, "groups"));
  random.shuffle(std::span(rank));
  std::vector<uint32_t> group_of_run;
  std::vector<Run> runs;
  for (uint32_t position = 0; position < presentations(); ++position) {
    const uint32_t group = index_.group(selection_.presentations[position].entry);
    if (runs.empty() || group_of_run.back() != group) {
      runs.push_back({.begin = position, .count = 0, .place = 0});
      group_of_run.push_back(group);
    }
    ++runs.back().count;
  }
  std::vector<uint32_t> order(runs.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return rank[group_of_run[a]] < rank[group_of_run[b]];
  });
  size_t place = 0;
  for (const uint32_t run : order) {
    runs_.push_back(runs[run]);
    runs_.back().place = place;
    place += runs_.back().count;
  }
}

size_t EpochPlan::first_place(size_t window) const {
  if (window >= windows_) return presentations();
  const auto multiple = static_cast<size_t>(chain_.batcher->window_multiple());
  return presentations() * window / windows_ / multiple * multiple;
}

std::vector<uint32_t> EpochPlan::positions(size_t window) const {
  const size_t begin = first_place(window), end = first_place(window + 1);
  std::vector<uint32_t> positions(end - begin);
  if (!runs_.empty()) {
    auto run = std::upper_bound(runs_.begin(), runs_.end(), begin,
                                [](size_t place, const Run& one) { return place < one.place; });
    --run;
    for (size_t place = begin; place < end; ++place) {
      if (place == run->place + run->count) ++run;
      positions[place - begin] = run->begin + static_cast<uint32_t>(place - run->place);
    }
    return positions;
  }
  for (size_t place = begin; place < end; ++place) {
    positions[place - begin] = static_cast<uint32_t>(permutation_         ? (*permutation_)(place)
                                                     : by_length_.empty() ? place
                                                                          : by_length_[place]);
  }
  if (permutation_) std::sort(positions.begin(), positions.end());
  return positions;
}

Plan EpochPlan::window(size_t number) const {
  std::vector<Presentation> presentations;
  std::vector<Shape> shapes;
  IndexEntry plain;
  std::optional<size_t> first;  // that has a rate
  for (const uint32_t position : positions(number)) {
    const Presentation& at = selection_.presentations[position];
    index_.plain(at.entry, plain);
    if (!predictor_.comes(plain, at.copy)) continue;
    presentations.push_back(at);
    shapes.push_back(predictor_.shape(plain, at.copy));
    if (shapes.back().samples == 0) continue;
    if (!first) first = shapes.size() - 1;
    if (shapes.back().rate_hz != shapes[*first].rate_hz) {
      refuse_rates(presentations[*first], at);
    }
  }
  const auto groups = chain_.batcher->group({.shapes = shapes,
                                             .epoch = key_.epoch,
                                             .shuffle_window = chain_.source->shuffle_window(),
                                             .is_last = number + 1 == windows_},
                                            random_for(chain_, key_, number));
  Plan plan(groups.size());
  for (size_t i = 0; i < plan.size(); ++i) {
    const std::vector<uint32_t>& group = groups[i];
    PlannedBatch& batch = plan[i];
    batch.rate_hz = first ? shapes[*first].rate_hz : 0;
    batch.rows.reserve(group.size());
    int64_t longest = 0;
    for (const uint32_t position : group) {
      batch.rows.push_back(presentations[position]);
      longest = std::max(longest, shapes[position].samples);
    }
    batch.padded_samples = chain_.batcher->padded_samples(longest);
  }
  return plan;
}

Plan EpochPlan::whole() const {
  Plan all = window(0);
  for (size_t number = 1; number < windows_; ++number) {
    Plan next = window(number);
    std::move(next.begin(), next.end(), std::back_inserter(all));
  }
  return all;
}

std::optional<int64_t> EpochPlan::count() const {
  const bool is_plain = !selection_.has_fractions && runs_.empty();
  if (!is_plain) return std::nullopt;
  const int64_t batches = chain_.batcher->count(static_cast<int64_t>(presentations()));
  return batches < 0 ? std::nullopt : std::optional(batches);
}

std::vector<int64_t> count_batches(const EpochPlan& plan, int threads) {
  std::vector<int64_t> counts(plan.windows());
  std::vector<std::exception_ptr> failures(plan.windows());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < counts.size(); i = next++) {
      try {
        counts[i] = std::ssize(plan.window(i));
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  {
    const size_t most = std::min(counts.size(), static_cast<size_t>(std::max(threads, 1)));
    std::vector<std::jthread> others;
    for (size_t i = 1; i < most; ++i) others.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return counts;
}

}  // namespace flowqat::graph
