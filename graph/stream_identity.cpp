#include "graph/stream_identity.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "graph/checksum.h"
#include "graph/epoch_plan.h"
#include "graph/json_lines.h"
#include "graph/plain_numbers.h"

namespace flowqat::graph {
namespace {

constexpr size_t kShown = 3;

/// As JSON; where it is plain, without the library's detours.
void append_text(const std::string& text, std::string& line) {
  const bool is_plain = std::ranges::all_of(
      text, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  line +=
      is_plain ? '"' + text + '"' : Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string checksum_line(const std::string& checksum) {
  return "{\"checksum\":\"" + checksum + "\"}\n";
}

/// Of the first epoch, whoever draws it.
std::string plan_checksum(const KnownStream& stream, const PipelineOptions& options) {
  Checksum checksum;
  const auto add = [&checksum](int64_t number) {
    checksum.add({reinterpret_cast<const char*>(&number), sizeof number});
  };
  const EpochPlan epoch(stream.chain, stream.index, stream.selection, {.seed = options.seed});
  add(static_cast<int64_t>(epoch.windows()));
  add(static_cast<int64_t>(epoch.presentations()));
  for (const PlannedBatch& batch : epoch.window(0)) {
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
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) entries.push_back(parse_json<Json>(line));
  }
  return entries;
}

}  // namespace

Json identity_of(const KnownStream& stream, const PipelineOptions& options) {
  return {{"utterances", stream.index.size()},
          {"index", stream.index.checksum()},
          {"plan", plan_checksum(stream, options)},
          {"plan_version", plan_version}};
}

void list(const Index& index, const std::function<void(std::string_view)>& sink) {
  constexpr size_t kPiece = size_t{1} << 20;
  Checksum checksum;
  std::string piece;
  const auto hand_on = [&] {
    checksum.add(piece);
    sink(piece);
    piece.clear();
  };
  for (size_t i = 0; i < index.size(); ++i) {
    const IndexEntry entry = index[i];
    piece += '[';
    append_text(entry.id, piece);
    piece += ',' + std::to_string(entry.shape.samples) + ',' + std::to_string(entry.shape.rate_hz) +
             ',' + std::to_string(entry.channels) + ',' + Json(entry.weight).dump() + ',';
    append_text(entry.transcript, piece);
    piece += ',' + std::to_string(index.group(i)) +  // by number: a name may hold a path
             (entry.broken.empty() ? ",false]\n" : ",true]\n");
    if (piece.size() > kPiece) hand_on();
  }
  hand_on();
  sink(checksum_line(checksum.hex()));
}

std::string listing_of(const Index& index) {
  std::string text;
  list(index, [&text](std::string_view piece) { text += piece; });
  return text;
}

bool is_whole_listing(std::string_view listing) {
  const size_t line_bytes = checksum_line(Checksum().hex()).size();
  if (listing.size() < line_bytes) return false;
  const std::string_view lines = listing.substr(0, listing.size() - line_bytes);
  Checksum checksum;
  checksum.add(lines);
  return listing.substr(lines.size()) == checksum_line(checksum.hex());
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
