#include "graph/stream_identity.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "graph/checksum.h"
#include "graph/json_lines.h"
#include "graph/plain_numbers.h"

namespace flowqat::graph {
namespace {

constexpr size_t kShown = 3;

std::string checksum_of_text(std::string_view text) {
  Checksum checksum;
  checksum.add(text);
  return checksum.hex();
}

std::string listing_of(const Index& index) {
  std::string text;
  std::unordered_map<std::string_view, size_t> groups;  // by number: a name may hold a path
  for (const IndexEntry& entry : index) {
    const size_t group = groups.try_emplace(entry.group, groups.size()).first->second;
    text += Json::array({entry.id, entry.shape.samples, entry.shape.rate_hz, entry.channels,
                         entry.weight, entry.transcript, group, !entry.broken.empty()})
                .dump(-1, ' ', false, Json::error_handler_t::replace) +
            "\n";
  }
  return text;
}

/// Of the first epoch, whoever draws it.
std::string plan_checksum(const KnownStream& stream, const PipelineOptions& options) {
  Checksum checksum;
  const auto add = [&checksum](int64_t number) {
    checksum.add({reinterpret_cast<const char*>(&number), sizeof number});
  };
  for (const PlannedBatch& batch : plan_epoch(stream.chain, stream.index, stream.selection,
                                              {.seed = options.seed}, options.share)) {
    add(batch.padded_samples);
    add(batch.rate_hz);
    for (const Presentation& row : batch.rows) {
      add(row.entry);
      add(row.copy);
    }
  }
  return checksum.hex();
}

/// Names of a kind, the first few of them.
struct Kind {
  explicit Kind(std::string what) : what(std::move(what)) {}
  std::string what;
  std::vector<std::string> names = {};

  std::string text() const {
    if (names.empty()) return "";
    std::string line = "; " + what + ": ";
    for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
      line += (i > 0 ? ", " : "") + names[i];
    }
    if (names.size() > kShown) {
      line += " and " + whole_text(static_cast<int64_t>(names.size() - kShown)) + " more";
    }
    return line;
  }
};

using Entries = std::vector<Json>;

Entries entries_of(const std::string& listing) {
  Entries entries;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) entries.push_back(parse_json<Json>(line));
  return entries;
}

}  // namespace

StreamIdentity identity_of(const KnownStream& stream, const PipelineOptions& options) {
  std::string listing = listing_of(stream.index);
  auto summary = std::make_shared<const Json>(Json{{"utterances", stream.index.size()},
                                                   {"index", checksum_of_text(listing)},
                                                   {"plan", plan_checksum(stream, options)}});
  return {std::move(summary), std::move(listing)};
}

std::string listing_difference(const std::string& before, const std::string& now) {
  if (before == now) return "";
  const Entries old_entries = entries_of(before), new_entries = entries_of(now);
  std::unordered_map<std::string, const Json*> known;
  for (const Json& entry : old_entries) known.emplace(entry.at(0).get<std::string>(), &entry);
  Kind added("new"), gone("gone"), length("of another length or rate"),
      text("with another transcript"), other("with another weight, group or state");
  for (const Json& entry : new_entries) {
    const auto id = entry.at(0).get<std::string>();
    const auto found = known.find(id);
    if (found == known.end()) {
      added.names.push_back(id);
      continue;
    }
    const Json& old = *found->second;
    const auto differs = [&](size_t field) { return old.at(field) != entry.at(field); };
    if (differs(1) || differs(2) || differs(3)) {
      length.names.push_back(id);
    } else if (differs(5)) {
      text.names.push_back(id);
    } else if (differs(4) || differs(6) || differs(7)) {
      other.names.push_back(id);
    }
    known.erase(found);
  }
  for (const Json& entry : old_entries) {
    const auto id = entry.at(0).get<std::string>();
    if (known.contains(id)) gone.names.push_back(id);
  }
  std::string line = counted(std::ssize(old_entries), "utterance") + " before, " +
                     whole_text(std::ssize(new_entries)) + " now";
  const std::string kinds = gone.text() + added.text() + length.text() + text.text() + other.text();
  return line + (kinds.empty() ? "; in another order" : kinds);
}

}  // namespace flowqat::graph
