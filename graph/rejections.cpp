#include "graph/rejections.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/format.h"
#include "graph/plain_numbers.h"

namespace flowqat::graph {
namespace {

constexpr size_t most_reasons = 100, shown_reasons = 5;

/// What reasons of one kind have in common: neither the file nor numbers.
std::string kind_of(const Row& row) {
  std::string text = row.rejected->reason;
  const std::string path = one_line(row.entry->path);
  for (size_t at = 0; !path.empty() && (at = text.find(path)) != std::string::npos;) {
    text.erase(at, path.size());
    if (text.compare(at, 2, ": ") == 0) text.erase(at, 2);
  }
  std::string kind;
  bool in_number = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    // A point or comma inside of a number belongs to it.
    const bool goes_on = in_number && (text[i] == '.' || text[i] == ',') && i + 1 < text.size() &&
                         std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0;
    if (is_digit && !in_number) kind += 'N';
    if (!is_digit && !goes_on) kind += text[i];
    in_number = is_digit || goes_on;
  }
  return kind;
}

}  // namespace

std::string reason_with_path(const Row& row) {
  const std::string path = one_line(row.entry->path);
  const bool is_named = row.rejected->reason.find(path) != std::string::npos;
  return (is_named ? "" : path + ": ") + one_line(row.rejected->reason);
}

void Rejections::add_note(const Row& row) {
  if (noted_.contains(row.entry->id)) return;
  if (noted_.size() < named) {
    noted_.insert(row.entry->id);
    say_(row.entry->path + ": " + row.note);
  } else if (!std::exchange(noted_more_, true)) {
    say_("the same of more utterances");
  }
}

void Rejections::add(const Row& row) {
  if (!row.rejected) {
    if (!row.note.empty()) add_note(row);
    return;
  }
  ++count_;
  const std::string kind = kind_of(row), &node = row.rejected->node;
  const auto known = std::find_if(reasons_.begin(), reasons_.end(), [&](const Reason& reason) {
    return reason.node == node && reason.text == kind;
  });
  if (known != reasons_.end()) {
    ++known->count;
  } else if (reasons_.size() < most_reasons) {
    reasons_.push_back({node, kind, 1});
  }
  if (named_.contains(row.entry->id)) return;
  if (named_.size() < named) {
    named_.insert(row.entry->id);
    say_("left out: " + reason_with_path(row));
  } else if (!std::exchange(told_more_, true)) {
    say_("left out: more utterances; they are counted");
  }
}

std::string Rejections::by_reason() const {
  std::vector<Reason> reasons = reasons_;
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.count > b.count; });
  std::string text;
  int64_t shown = 0;
  for (size_t i = 0; i < std::min(reasons.size(), shown_reasons); ++i) {
    shown += reasons[i].count;
    text += (i > 0 ? "; " : "") + reasons[i].node + ": " + reasons[i].text + " (" +
            whole_text(reasons[i].count) + ")";
  }
  if (shown < count_) text += "; other reasons (" + whole_text(count_ - shown) + ")";
  return text;
}

Json Rejections::state() const {
  Json reasons = Json::array();
  for (const Reason& reason : reasons_) reasons.push_back({reason.node, reason.text, reason.count});
  return {{"count", count_}, {"reasons", reasons}};
}

void Rejections::restore(const Json& state) {
  count_ = state.at("count").get<int64_t>();
  reasons_.clear();
  for (const Json& reason : state.at("reasons")) {
    reasons_.push_back({reason.at(0).get<std::string>(), reason.at(1).get<std::string>(),
                        reason.at(2).get<int64_t>()});
  }
}

}  // namespace flowqat::graph
