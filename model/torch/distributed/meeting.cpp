#include "model/torch/distributed/meeting.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "model/torch/distributed/pulse.h"

namespace flowqat::model {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kLate = "late";  // set by whoever finds out first

std::string here_key(int rank) { return "here/" + std::to_string(rank); }

std::string seconds(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + " s";
}

PeerError late(const Rank& rank, std::vector<int> missing) {
  return {"meeting at " + place_of(rank) + ": " + Pulse::named(missing, rank.size) +
              " did not come within " + seconds(rank.timeout_s) +
              ": see whether it was started, and what it said",
          std::move(missing)};
}

std::vector<int> not_here(c10d::Store& store, int size) {
  std::vector<int> missing;
  for (int other = 0; other < size; ++other) {
    if (!store.check({here_key(other)})) missing.push_back(other);
  }
  return missing;
}

void come(c10d::Store& store, const Rank& rank) {
  if (store.add(here_key(rank.rank), 1) > 1) {
    throw Error("meeting at " + place_of(rank) + ": two processes say that they are rank " +
                std::to_string(rank.rank) + " of " + std::to_string(rank.size) +
                ": give each its own RANK, and each run its own MASTER_PORT");
  }
  const std::string own = std::to_string(rank.size);
  const std::string first = store.compareSet("size", std::string(), own);
  if (first != own) {
    throw Error("meeting at " + place_of(rank) + ": rank " + std::to_string(rank.rank) +
                " was told of " + own + " processes, another of " + first +
                ": give all the same WORLD_SIZE, and each run its own MASTER_PORT");
  }
}

}  // namespace

std::string place_of(const Rank& rank) { return rank.address + ":" + std::to_string(rank.port); }

c10::intrusive_ptr<c10d::Store> open_store(const Rank& rank) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(rank.port);
  options.isServer = rank.rank == 0 && !rank.is_store_hosted;
  options.waitWorkers = false;  // meet() knows who is missing
  options.timeout = milliseconds(std::llround(1000 * rank.timeout_s));
  try {
    return c10::make_intrusive<c10d::TCPStore>(rank.address, options);
  } catch (const c10::Error& error) {
    if (options.isServer) {
      throw Error("meeting: rank 0 cannot listen at port " + std::to_string(rank.port) + " (" +
                  error.what_without_backtrace() + "): choose another MASTER_PORT");
    }
    if (rank.is_store_hosted) {
      throw Error("meeting: the launcher's store at " + place_of(rank) + " did not answer within " +
                  seconds(rank.timeout_s) + " (" + error.what_without_backtrace() + ")");
    }
    throw late(rank, {0});
  }
}

void meet(c10d::Store& store, const Rank& rank) {
  const auto until = Clock::now() + milliseconds(std::llround(1000 * rank.timeout_s));
  std::vector<std::string> all;
  for (int other = 0; other < rank.size; ++other) all.push_back(here_key(other));
  try {
    come(store, rank);
    milliseconds pause(10);
    while (!store.check(all)) {
      if (store.check({kLate})) throw late(rank, not_here(store, rank.size));
      if (Clock::now() >= until) {
        store.set(kLate, std::string("1"));
        const std::vector<int> missing = not_here(store, rank.size);
        if (missing.empty()) break;
        // The others ask every 200 ms; then they know, and the store may go.
        std::this_thread::sleep_for(milliseconds(500));
        throw late(rank, missing);
      }
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, milliseconds(200));
    }
  } catch (const c10::Error& error) {
    if (rank.is_store_hosted) {
      throw PeerError("meeting: the launcher's store at " + place_of(rank) + " is gone (" +
                          error.what_without_backtrace() + "): the launcher has ended",
                      {});
    }
    throw PeerError("meeting at " + place_of(rank) + ": rank 0 of " + std::to_string(rank.size) +
                        ", which holds the store, has ended (" + error.what_without_backtrace() +
                        ")",
                    {0});
  }
}

}  // namespace flowqat::model
