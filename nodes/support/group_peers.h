#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/peers.h"
#include "graph/together.h"
#include "model/group.h"

namespace flowqat::nodes {

/// The processes of a run, who meet in the model's group.
class GroupPeers : public graph::Peers {
 public:
  explicit GroupPeers(std::shared_ptr<model::Group> group) : group_(std::move(group)) {}

  int rank() const override { return group_->rank().rank; }
  int size() const override { return group_->rank().size; }
  int local_size() const override { return group_->rank().local_size; }
  void sum(std::span<double> values) override { group_->sum(values); }
  std::vector<std::string> gather(const std::string& own) override { return group_->gather(own); }
  std::string broadcast(const std::string& of_first) override {
    return group_->broadcast(of_first);
  }
  const std::shared_ptr<model::Group>& group() const { return group_; }

 private:
  std::shared_ptr<model::Group> group_;
};

/// The group behind the processes of a run; null for one alone.
inline std::shared_ptr<model::Group> group_of(const graph::Together& together) {
  const auto* const peers = dynamic_cast<const GroupPeers*>(together.peers());
  return peers == nullptr ? nullptr : peers->group();
}

}  // namespace flowqat::nodes
