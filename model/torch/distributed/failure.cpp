#include "model/torch/distributed/failure.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include "model/torch/distributed/meeting.h"

namespace flowqat::model {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char *kFailure = "failure", *kAsked = "failure/asked";

/// What all that fail alike have in common.
std::string core_of(std::string failure) {
  const std::string because = " failed: ", heard = " heard: ";
  if (const size_t end = failure.find(because);
      end != std::string::npos && failure.starts_with("ends because rank ")) {
    failure.erase(0, end + because.size());
  }
  if (const size_t end = failure.find(heard); end != std::string::npos) {
    const size_t begin = failure.rfind(" (rank ", end);
    if (begin != std::string::npos) failure.erase(begin);
  }
  return failure;
}

}  // namespace

bool is_told_by_first(c10d::Store& store, const Rank& rank, const std::string& failure) try {
  if (rank.rank == 0) {
    store.set(kFailure, core_of(failure));
    return false;
  }
  const auto until = Clock::now() + 3s;
  while (!store.check({kFailure})) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(50ms);
  }
  const bool is_same = store.get_to_str(kFailure) == core_of(failure);
  store.add(kAsked, 1);
  return is_same;
} catch (const std::exception&) {
  return false;  // the store is gone, and with it who could have told
}

bool is_told_by_first(const Rank& rank, const std::string& failure) try {
  Rank asking = rank;
  asking.timeout_s = std::min(rank.timeout_s, 5.0);
  c10d::PrefixStore store("flowqat/" + std::to_string(rank.attempt) + "/before",
                          open_store(asking));
  const bool is_told = is_told_by_first(store, rank, failure);
  const auto until = Clock::now() + 5s;
  while (rank.rank == 0 && store.add(kAsked, 0) < rank.size - 1 && Clock::now() < until) {
    std::this_thread::sleep_for(20ms);
  }
  return is_told;
} catch (const std::exception&) {
  return false;
}

}  // namespace flowqat::model
