#include "graph/random.h"

#include <xxhash.h>

namespace flowqat::graph {
namespace {

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15ULL;

uint64_t finalize(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t key_of(std::string_view name) { return XXH3_64bits(name.data(), name.size()); }

uint64_t mix(std::initializer_list<uint64_t> keys) {
  Mix mixed;
  for (uint64_t key : keys) mixed = mixed.add(key);
  return mixed.value();
}

Mix Mix::add(uint64_t key) const {
  Mix next = *this;
  next.state_ = finalize(state_ + kGolden) ^ key;
  return next;
}

uint64_t Mix::value() const { return finalize(state_ + kGolden); }

uint64_t RandomStream::next() { return finalize(state_ += kGolden); }

double RandomStream::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

uint64_t RandomStream::below(uint64_t count) {
  __extension__ using Uint128 = unsigned __int128;
  Uint128 product = static_cast<Uint128>(next()) * count;
  if (static_cast<uint64_t>(product) < count) {
    const uint64_t threshold = -count % count;
    while (static_cast<uint64_t>(product) < threshold) {
      product = static_cast<Uint128>(next()) * count;
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

}  // namespace flowqat::graph
