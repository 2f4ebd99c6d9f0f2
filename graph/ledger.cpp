#include "graph/ledger.h"

#include <nlohmann/json.hpp>

namespace flowqat::graph {

Ledger::Ledger(const std::filesystem::path& rejected_jsonl, const Json& state, bool accepts)
    : lines_(rejected_jsonl, state.is_null() ? state : state.at("lines"), accepts) {}

void Ledger::add(const Batch& batch, const std::string& consumer, int64_t epoch) {
  chain_.add(batch);
  if (batch.number == 0 || consumer_ != consumer || epoch_ != epoch) epoch_rejected_ = 0;
  consumer_ = consumer;
  epoch_ = epoch;
  for (size_t row = 0; row < batch.rows.size(); ++row) {
    const Row& at = batch.rows[row];
    if (!at.rejected) {
      ++done_;
      if (!at.note.empty() && on_rejected_) on_rejected_(at);
      if (at.is_silent && on_silent_) on_silent_(at);
      continue;
    }
    ++rejected_;
    ++epoch_rejected_;
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
  return consumer_ == consumer && epoch_ == epoch ? epoch_rejected_ : 0;
}

Json Ledger::state() const {
  return {{"done", done_},
          {"rejected", rejected_},
          {"lines", lines_.state()},
          {"epoch", {{"consumer", consumer_}, {"epoch", epoch_}, {"rejected", epoch_rejected_}}},
          {"batches_sha256", chain_.hex()}};
}

void Ledger::restore(const Json& state) {
  done_ = state.at("done").get<int64_t>();
  rejected_ = state.at("rejected").get<int64_t>();
  const Json& epoch = state.at("epoch");
  consumer_ = epoch.at("consumer").get<std::string>();
  epoch_ = epoch.at("epoch").get<int64_t>();
  epoch_rejected_ = epoch.at("rejected").get<int64_t>();
  chain_.restore(state.at("batches_sha256").get<std::string>());
}

}  // namespace flowqat::graph
