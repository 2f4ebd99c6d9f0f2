/// Randomness that depends on what is drawn for, never on when or on which thread.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

namespace flowqat::graph {

/// A key for a name (a node, an utterance's id): XXH3, 64 bits.
uint64_t key_of(std::string_view name);
/// One key of several; the order counts.
uint64_t mix(std::initializer_list<uint64_t> keys);

/// mix() key by key, for many that begin alike: Mix().add(a).add(b).value() is mix({a, b}).
class Mix {
 public:
  Mix add(uint64_t key) const;
  uint64_t value() const;

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15ULL;
};

/// SplitMix64 (Steele, Lea, Flood 2014): a counter through a bijective mixer. One is made for every
/// (run seed, consumer, epoch, utterance, copy, node), so the few draws that a transform needs are
/// the same at any number of threads. The distributions are our own because std:: ones differ
/// between standard libraries.
class RandomStream {
 public:
  explicit RandomStream(uint64_t key) : state_(key) {}

  uint64_t next();
  /// Uniform on [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform on 0..count-1 without bias (Lemire 2019); count > 0.
  uint64_t below(uint64_t count);

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[below(left)]);
    }
  }

 private:
  uint64_t state_;
};

}  // namespace flowqat::graph
