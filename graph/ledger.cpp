#include "graph/ledger.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/json_text.h"
#include "graph/rejection_budget.h"
#include "graph/rejections.h"

namespace flowqat::graph {
namespace {

/// A row for another process's ledger: its digest alone where there is nothing to tell of it.
Json told(const Row& row) {
  const Json digest{row.digest.high64, row.digest.low64};
  if (!row.rejected && row.note.empty() && !row.is_silent) return digest;
  Json json{{"digest", digest},
            {"id", row.entry->id},
            {"path", row.entry->path},
            {"note", row.note},
            {"is_silent", row.is_silent}};
  if (row.rejected) json["rejected"] = {row.rejected->node, row.rejected->reason};
  return json;
}

void read_told(const Json& json, Row& row, IndexEntry& entry) {
  const Json& digest = json.is_array() ? json : json.at("digest");
  row.digest.high64 = digest.at(0);
  row.digest.low64 = digest.at(1);
  if (json.is_array()) return;
  entry.id = json.at("id");
  entry.path = json.at("path");
  row.note = json.at("note");
  row.is_silent = json.at("is_silent");
  if (json.contains("rejected")) {
    row.rejected = RejectedBy{json.at("rejected").at(0), json.at("rejected").at(1)};
  }
}

}  // namespace

Ledger::Ledger(const std::filesystem::path& rejected_jsonl, const Json& state, bool accepts)
    : lines_(rejected_jsonl, state.is_null() ? state : state.at("lines"), accepts) {}

void Ledger::open(const LedgerStream& stream) {
  ++section_;
  if (!is_shared_) return begin(stream);
  note(-1, {{"open", stream.consumer},
            {"epoch", stream.epoch},
            {"is_begun", stream.is_begun},
            {"source", stream.source},
            {"utterances", stream.utterances}});
}

void Ledger::begin(const LedgerStream& stream) {
  Epoch& at_hand = epochs_[stream.consumer];
  if (!stream.is_begun || at_hand.number != stream.epoch) at_hand = {.number = stream.epoch};
  at_hand.source = stream.source;
  at_hand.utterances = stream.utterances;
}

void Ledger::add(const Batch& batch, const std::string& consumer, int64_t epoch) {
  if (!is_shared_) return add_now(batch, consumer, epoch);
  Json rows = Json::array();
  for (const Row& row : batch.rows) rows.push_back(told(row));
  note(batch.number, {{"batch", consumer},
                      {"epoch", epoch},
                      {"padded_samples", batch.padded_samples},
                      {"rows", std::move(rows)}});
}

void Ledger::add_now(const Batch& batch, const std::string& consumer, int64_t epoch) {
  chain_.add(batch);
  Epoch& at_hand = epochs_[consumer];
  if (at_hand.number != epoch) at_hand = {.number = epoch};
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
    at_hand.last = reason_with_path(at);
    write(batch, row, consumer, epoch, *at.rejected);
    if (on_rejected_) on_rejected_(at);
  }
}

void Ledger::add_useless(const Batch& batch, size_t row, const std::string& consumer, int64_t epoch,
                         const std::string& reason) {
  if (!is_shared_) return write(batch, row, consumer, epoch, {consumer, reason});
  note(batch.number, {{"useless", consumer},
                      {"epoch", epoch},
                      {"reason", reason},
                      {"row", row},
                      {"id", batch.rows[row].entry->id},
                      {"path", batch.rows[row].entry->path}});
}

void Ledger::note(int64_t batch, Json entry) {
  entry["section"] = section_;
  entry["number"] = batch;
  noted_ += entry.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Ledger::entries() {
  section_ = 0;
  return std::exchange(noted_, {});
}

void Ledger::enter(const std::vector<std::string>& of_all) {
  std::vector<Json> entries;
  for (const std::string& noted : of_all) {
    std::istringstream lines(noted);
    for (std::string line; std::getline(lines, line);) entries.push_back(parse_json<Json>(line));
  }
  const auto place = [](const Json& entry) {
    return std::pair(entry.at("section").get<int64_t>(), entry.at("number").get<int64_t>());
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const Json& a, const Json& b) { return place(a) < place(b); });
  for (const Json& entry : entries) enter(entry);
}

void Ledger::enter(const Json& entry) {
  const auto epoch = entry.at("epoch").get<int64_t>();
  if (entry.contains("open")) {
    return begin({.consumer = entry.at("open"),
                  .epoch = epoch,
                  .is_begun = entry.at("is_begun"),
                  .source = entry.at("source"),
                  .utterances = entry.at("utterances")});
  }
  Batch batch;
  batch.number = entry.at("number").get<int64_t>();
  if (entry.contains("useless")) {
    const size_t row = entry.at("row");
    batch.entries.resize(1);
    batch.entries[0].id = entry.at("id");
    batch.entries[0].path = entry.at("path");
    batch.rows.resize(row + 1);
    batch.rows[row].entry = batch.entries.data();
    const std::string consumer = entry.at("useless");
    return write(batch, row, consumer, epoch, {consumer, entry.at("reason")});
  }
  const Json& rows = entry.at("rows");
  batch.padded_samples = entry.at("padded_samples");
  batch.rows.resize(rows.size());
  batch.entries.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    batch.rows[i].entry = &batch.entries[i];
    read_told(rows[i], batch.rows[i], batch.entries[i]);
  }
  add_now(batch, entry.at("batch"), epoch);
}

void Ledger::check_budgets(const PipelineOptions& options) const {
  for (const auto& [consumer, epoch] : epochs_) {
    if (epoch.rejected == 0 || epoch.utterances == 0) continue;
    check_rejected(epoch.rejected, epoch.utterances, options, epoch.source, epoch.last);
  }
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

void Ledger::go_back(const Json& state) {
  lines_.cut_back(state.at("lines"));
  restore(state);
}

void Ledger::restore(const Json& state) {
  done_ = state.at("done").get<int64_t>();
  rejected_ = state.at("rejected").get<int64_t>();
  epochs_.clear();
  for (const auto& [consumer, epoch] : state.at("epochs").items()) {
    epochs_[consumer] = {.number = epoch.at("epoch").get<int64_t>(),
                         .rejected = epoch.at("rejected").get<int64_t>()};
  }
  chain_.restore(state.at("batches_sha256").get<std::string>());
}

}  // namespace flowqat::graph
