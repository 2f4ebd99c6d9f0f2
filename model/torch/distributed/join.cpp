#include <c10/util/Logging.h>

#include <cmath>
#include <csignal>
#include <cstdlib>

#include "model/torch/base/boundary.h"
#include "model/torch/distributed/torch_group.h"

namespace flowqat::model {
namespace {

/// One process, which has nobody to ask.
class Alone : public Group {
 public:
  explicit Alone(const Rank& rank) : rank_(rank) {}
  const Rank& rank() const override { return rank_; }
  void sum(std::span<double>) override {}
  void largest(std::span<double>) override {}
  std::vector<std::string> gather(const std::string& own) override { return {own}; }
  std::string broadcast(const std::string& of_first) override { return of_first; }
  void barrier() override {}
  bool is_told(const std::string&) override { return false; }

 private:
  Rank rank_;
};

void check(const Rank& rank) {
  const auto of = [](int one, int all) {
    return std::to_string(one) + " of " + std::to_string(all);
  };
  if (rank.size < 1 || rank.rank < 0 || rank.rank >= rank.size) {
    throw Error("a group's ranks go from 0 to its size less 1, found rank " +
                of(rank.rank, rank.size));
  }
  if (rank.local_size < 1 || rank.local_size > rank.size || rank.local_rank < 0 ||
      rank.local_rank >= rank.local_size) {
    throw Error(
        "a group's ranks on one machine go from 0 to their number less 1, found local rank " +
        of(rank.local_rank, rank.local_size) + " in a group of " + std::to_string(rank.size));
  }
  if (rank.port < 1 || rank.port > 65535) {
    throw Error("the port where a group meets (MASTER_PORT) must be from 1 to 65535, found " +
                std::to_string(rank.port));
  }
  if (!(rank.timeout_s >= 0.1) || !std::isfinite(rank.timeout_s)) {
    throw Error("a group's timeout_s must be at least 0.1, found " +
                std::to_string(rank.timeout_s));
  }
}

}  // namespace

std::shared_ptr<Group> join_group(const Rank& rank, int64_t joins_before) {
  return at_boundary("meeting", [&]() -> std::shared_ptr<Group> {
    check(rank);
    if (rank.size == 1) return std::make_shared<Alone>(rank);
    // Whoever writes to a process that has ended is to hear of it, not to end itself.
    std::signal(SIGPIPE, SIG_IGN);
    // c10d logs each connection that breaks, with a backtrace, and throws it as well: PeerError
    // says it once, in words.
    if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
    return std::make_shared<TorchGroup>(
        rank, "flowqat/" + std::to_string(rank.attempt) + "/" + std::to_string(joins_before));
  });
}

}  // namespace flowqat::model
