/// Idle objects that are costly to make, kept for the next user.
#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace flowqat::io {

/// At most `limit` idle values; the one that waited longest makes room. Thread-safe. Users give
/// back only what is fit for reuse: a value that saw an error is simply destroyed.
template <typename Key, typename Value>
class Pool {
 public:
  explicit Pool(size_t limit) : limit_(limit) {}

  /// An idle value that was given back under `key`, or null.
  std::unique_ptr<Value> take(const Key& key) {
    const std::lock_guard lock(mutex_);
    for (auto idle = idle_.rbegin(); idle != idle_.rend(); ++idle) {
      if (!(idle->first == key)) continue;
      auto value = std::move(idle->second);
      idle_.erase(std::next(idle).base());
      return value;
    }
    return nullptr;
  }

  void give_back(const Key& key, std::unique_ptr<Value> value) {
    std::unique_ptr<Value> oldest;  // destroyed after the lock is released
    const std::lock_guard lock(mutex_);
    if (idle_.size() == limit_) {
      oldest = std::move(idle_.front().second);
      idle_.erase(idle_.begin());
    }
    idle_.emplace_back(key, std::move(value));
  }

 private:
  size_t limit_;
  std::mutex mutex_;
  std::vector<std::pair<Key, std::unique_ptr<Value>>> idle_;
};

}  // namespace flowqat::io
