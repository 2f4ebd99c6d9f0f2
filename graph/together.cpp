#include "graph/together.h"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json_text.h"
#include "graph/error.h"
#include "graph/json.h"
#include "graph/output_error.h"

namespace flowqat::graph {
namespace {

/// How often those who wait for one another's work look whether all are still there.
constexpr std::chrono::seconds kBeat{1};
/// Those that ask to stop are all below.
constexpr int kSignals = 32;

std::string told(const char* kind, const std::exception& error) {
  return Json{{"kind", kind}, {"error", error.what()}}.dump(-1, ' ', false,
                                                            Json::error_handler_t::replace);
}

/// How work ended, for those who wait for it.
std::string outcome_of(const std::exception_ptr& failure) {
  if (!failure) return "";
  try {
    std::rethrow_exception(failure);
  } catch (const Interrupted& interrupted) {
    return Json{{"signal", interrupted.signal_number}}.dump();
  } catch (const GraphError& error) {
    return told("graph", error);
  } catch (const OutputError& error) {
    return told("output", error);
  } catch (const std::exception& error) {
    return told("run", error);
  }
}

void throw_outcome(size_t rank, const std::string& outcome) {
  if (outcome.empty()) return;
  const Json told = parse_json<Json>(outcome);
  if (told.contains("signal")) throw Interrupted(told.at("signal").get<int>());
  const std::string kind = told.at("kind"),
                    text = "ends because rank " + std::to_string(rank) +
                           " failed: " + told.at("error").get<std::string>();
  if (kind == "graph") throw GraphError(text);
  if (kind == "output") throw OutputError(text);
  throw RunError(text);
}

}  // namespace

Together::Together(Peers* peers, const std::atomic<int>& stop_signal)
    : peers_(peers),
      share_(peers == nullptr ? Share{} : Share{.rank = peers->rank(), .size = peers->size()}),
      own_signal_(stop_signal) {}

void Together::agree(std::span<double> sums) {
  if (is_alone()) return;
  std::vector<double> all(sums.begin(), sums.end());
  all.resize(sums.size() + kSignals);
  const int own = own_signal_;
  if (own > 0 && own < kSignals) all[sums.size() + static_cast<size_t>(own)] = 1;
  peers_->sum(all);
  std::copy_n(all.begin(), sums.size(), sums.begin());
  for (int number = 1; number < kSignals && agreed_signal_ == 0; ++number) {
    if (all[sums.size() + static_cast<size_t>(number)] > 0) agreed_signal_ = number;
  }
}

void Together::each(const std::function<void()>& work) {
  if (is_alone()) return work();
  wait_for_all(work);
}

void Together::first(const std::function<void()>& work) {
  if (is_alone()) return work();
  wait_for_all(is_first() ? work : std::function<void()>());
}

void Together::wait_for_all(const std::function<void()>& work) {
  std::mutex mutex;
  std::condition_variable ended;
  bool is_over = !work;
  std::exception_ptr failure, lost;
  // Tells the others once a second that this one is there, and hears the same of them.
  const auto beat = [&] {
    try {
      for (double over[1] = {0}; over[0] < size();) {
        std::unique_lock lock(mutex);
        ended.wait_for(lock, kBeat, [&] { return is_over; });
        over[0] = is_over ? 1 : 0;
        lock.unlock();
        agree(over);
      }
    } catch (...) {
      lost = std::current_exception();
      agreed_signal_ = SIGTERM;  // so that the work ends soon
    }
  };
  if (!work) {
    beat();
  } else {
    std::thread heart(beat);
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex);
      is_over = true;
    }
    ended.notify_one();
    heart.join();
  }
  if (lost) std::rethrow_exception(lost);
  const std::vector<std::string> outcomes = peers_->gather(outcome_of(failure));
  if (failure) std::rethrow_exception(failure);
  for (size_t rank = 0; rank < outcomes.size(); ++rank) throw_outcome(rank, outcomes[rank]);
}

std::vector<std::string> Together::gather(const std::string& own) {
  return is_alone() ? std::vector{own} : peers_->gather(own);
}

std::string Together::broadcast(const std::string& of_first) {
  return is_alone() ? of_first : peers_->broadcast(of_first);
}

}  // namespace flowqat::graph
