#include "model/torch/distributed/pulse.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <utility>

namespace flowqat::model {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kBeat(500), kLook(3000), kPatience(7000);

std::string beat_key(int rank) { return "beat/" + std::to_string(rank); }
std::string left_key(int rank) { return "left/" + std::to_string(rank); }
constexpr const char* kMissing = "missing";

struct Beat {
  int64_t number = 0, operations = 0;
  std::string operation;
};

Beat beat_of(const std::vector<uint8_t>& bytes) {
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  Beat beat;
  text >> beat.number >> beat.operations;
  std::getline(text >> std::ws, beat.operation);
  return beat;
}

std::string in_store(const Pulse::Missing& missing) {
  std::string text;
  for (const int rank : missing.ranks) text += std::to_string(rank) + " ";
  return text + "\n" + missing.how;
}

Pulse::Missing from_store(const std::string& text) {
  Pulse::Missing missing;
  const size_t end = text.find('\n');
  std::istringstream ranks(text.substr(0, end));
  for (int rank; ranks >> rank;) missing.ranks.push_back(rank);
  missing.how = text.substr(end + 1);
  return missing;
}

}  // namespace

/// All that the thread touches. The store is the thread's alone once it runs.
struct Pulse::State {
  c10::intrusive_ptr<c10d::Store> store;
  int rank, size;
  bool is_store_hosted;

  std::mutex mutex;
  std::condition_variable changed;
  int64_t operations = 0;
  std::string operation = "meeting";
  bool stop = false, ended = false, looking = false;
  bool is_late = false;                       ///< whom looking is for
  std::optional<Clock::time_point> asked_at;  ///< of the store, which has not answered yet
  std::optional<Missing> found;

  int64_t beats = 0;

  void beat() {
    std::string text;
    {
      const std::lock_guard lock(mutex);
      text = std::to_string(++beats) + " " + std::to_string(operations) + " " + operation;
    }
    static_cast<c10d::Store&>(*store).set(beat_key(rank), text);
    store->check({beat_key(rank)});  // setting alone waits for no answer
  }

  std::vector<Beat> all_beats() {
    std::vector<std::string> keys;
    for (int other = 0; other < size; ++other) keys.push_back(beat_key(other));
    std::vector<Beat> beats_of_all;
    for (const auto& bytes : store->multiGet(keys)) beats_of_all.push_back(beat_of(bytes));
    return beats_of_all;
  }

  Missing look(bool counts_late) {
    if (store->check({kMissing})) return from_store(store->get_to_str(kMissing));
    const std::vector<Beat> first = all_beats();
    std::vector<Beat> last;
    const auto until = Clock::now() + kLook;
    do {
      std::this_thread::sleep_for(kBeat);
      beat();
      last = all_beats();
    } while (Clock::now() < until);
    if (store->check({kMissing})) return from_store(store->get_to_str(kMissing));
    std::vector<int> gone, left, behind;
    for (int other = 0; other < size; ++other) {
      const auto at = static_cast<size_t>(other);
      if (store->check({left_key(other)})) {
        left.push_back(other);
      } else if (last[at].number == first[at].number) {
        gone.push_back(other);
      } else if (counts_late && last[at].operations < first[static_cast<size_t>(rank)].operations) {
        behind.push_back(other);
      }
    }
    Missing missing;
    if (!gone.empty()) {
      missing = {gone, named(gone, size) + " gave no sign of life for 3 s: ended or stopped"};
    } else if (!left.empty()) {
      missing = {left, named(left, size) + " left before the others: see what it said"};
    } else if (!behind.empty()) {
      const Beat& one = last[static_cast<size_t>(behind.front())];
      missing = {behind, named(behind, size) + " lives but has not come to this: its last was \"" +
                             one.operation + "\", " + std::to_string(one.operations) +
                             " steps from the meeting"};
    }
    if (!missing.ranks.empty()) {
      static_cast<c10d::Store&>(*store).set(kMissing, in_store(missing));
    }
    return missing;
  }

  bool hangs() const { return asked_at && Clock::now() - *asked_at > kLook; }

  Missing without_store() const {
    if (is_store_hosted) {
      return {{},
              "the store that the launcher holds is gone: the launcher has ended or is stopped"};
    }
    return {{0}, "rank 0 of " + std::to_string(size) + ", which holds the store, does not answer"};
  }

  void run() {
    bool is_lost = false;
    std::unique_lock lock(mutex);
    while (!stop) {
      changed.wait_for(lock, kBeat, [this] { return stop || (looking && !found); });
      const bool look_now = looking && !found;
      if (!look_now) asked_at = Clock::now();
      const bool counts_late = is_late;
      lock.unlock();
      std::optional<Missing> seen;
      try {
        if (!is_lost) beat();
        if (look_now) seen = is_lost ? without_store() : look(counts_late);
      } catch (const std::exception&) {
        is_lost = true;  // whoever asks is told so
        if (look_now) seen = without_store();
      }
      lock.lock();
      asked_at.reset();
      // Asked for those who are late meanwhile: it looks again.
      if (seen && seen->how.empty() && is_late != counts_late) seen.reset();
      if (seen) found = std::move(seen);
      changed.notify_all();
    }
    lock.unlock();
    try {
      if (!is_lost) static_cast<c10d::Store&>(*store).set(left_key(rank), std::string("1"));
    } catch (const std::exception&) {  // nobody is there to be told
    }
    lock.lock();
    ended = true;
    changed.notify_all();
  }
};

Pulse::Pulse(c10::intrusive_ptr<c10d::Store> store, const Rank& rank)
    : state_(std::make_shared<State>()) {
  state_->store = std::move(store);
  state_->rank = rank.rank;
  state_->size = rank.size;
  state_->is_store_hosted = rank.is_store_hosted;
  state_->beat();
  thread_ = std::thread([state = state_] { state->run(); });
}

Pulse::~Pulse() {
  std::unique_lock lock(state_->mutex);
  state_->stop = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, milliseconds(2000),
                           [this] { return state_->ended || state_->hangs(); });
  const bool ended = state_->ended;
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void Pulse::begin(const char* operation) {
  const std::lock_guard lock(state_->mutex);
  ++state_->operations;
  state_->operation = operation;
}

std::string Pulse::named(const std::vector<int>& ranks, int size) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < ranks.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(ranks[i]);
  }
  return text + " of " + std::to_string(size);
}

void Pulse::wait_for_leaving(c10d::Store& store, const Rank& rank) {
  const auto until = Clock::now() + kPatience;
  for (int other = 0; other < rank.size && Clock::now() < until;) {
    if (store.check({left_key(other)})) {
      ++other;
    } else if (store.check({kMissing})) {
      const std::vector<int> missing = from_store(store.get_to_str(kMissing)).ranks;
      if (std::ranges::find(missing, other) != missing.end()) ++other;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
}

Pulse::Missing Pulse::find_missing(bool is_late) {
  std::unique_lock lock(state_->mutex);
  // Nobody was missing when it was last asked; now somebody may be.
  if (state_->found && state_->found->how.empty()) state_->found.reset();
  state_->is_late = is_late || state_->is_late;
  state_->looking = true;
  state_->changed.notify_all();
  const auto until = Clock::now() + kPatience;
  while (!state_->found && !state_->hangs() && Clock::now() < until) {
    state_->changed.wait_for(lock, milliseconds(100));
  }
  return state_->found.value_or(state_->without_store());
}

}  // namespace flowqat::model
