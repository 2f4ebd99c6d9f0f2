#include "graph/ledger.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace flowqat::graph {

Ledger::Ledger(const std::filesystem::path& rejected_jsonl, const Json& state, bool accepts)
    : lines_(rejected_jsonl, state.is_null() ? state : state.at("lines"), accepts) {}

void Ledger::add(const Batch& batch, const std::string& consumer, int64_t epoch) {
  chain_.add(batch);
  Epoch& at_hand = epochs_[consumer];
  if (batch.number == 0 || at_hand.number != epoch) at_hand = {.number = epoch, .rejected = 0};
  for (size_t row = 0; row < batch.rows.size(); ++row) {
    const Row& at = batch.rows[row];
    if (!at.rejected) {
      ++done_;
      if (!at.note.empty() && on_rejected_) on_rejected_(at);
      if (at.is_silent && on_silent_) on_silent_(at);
      continue;
    }
    ++rejected_;
    ++at_hand.rejected;
    write(batch, row, consumer, epoch, *at.rejected);
    if (on_rejected_) on_rejected_(at);
  }
}

void Ledger::add_useless(const Batch& batch, size_t row, const std::string& consumer, int64_t epoch,
                         const std::string& reason) {
  write(batch, row, consumer, epoch, {consumer, reason});
}

void Ledger::write(const Batch& batch, size_t row, const std::string& consumer, int64_t epoch,
                   const RejectedBy& why) {
  const IndexEntry& entry = *batch.rows[row].entry;
  lines_.add({{"id", entry.id},
              {"path", entry.path},
              {"node", why.node},
              {"reason", why.reason},
              {"consumer", consumer},
              {"epoch", epoch + 1},
              {"batch", batch.number + 1},
              {"row", row + 1}});
}

int64_t Ledger::rejected_in(const std::string& consumer, int64_t epoch) const {
  const auto found = epochs_.find(consumer);
  return found != epochs_.end() && found->second.number == epoch ? found->second.rejected : 0;
}

Json Ledger::state() const {
  Json epochs = Json::object();
  for (const auto& [consumer, epoch] : epochs_) {
    epochs[consumer] = {{"epoch", epoch.number}, {"rejected", epoch.rejected}};
  }
  return {{"done", done_},
          {"rejected", rejected_},
          {"lines", lines_.state()},
          {"epochs", std::move(epochs)},
          {"batches_sha256", chain_.hex()}};
}

void Ledger::restore(const Json& state) {
  done_ = state.at("done").get<int64_t>();
  rejected_ = state.at("rejected").get<int64_t>();
  epochs_.clear();
  for (const auto& [consumer, epoch] : state.at("epochs").items()) {
    epochs_[consumer] = {epoch.at("epoch").get<int64_t>(), epoch.at("rejected").get<int64_t>()};
  }
  chain_.restore(state.at("batches_sha256").get<std::string>());
}

}  // namespace flowqat::graph
