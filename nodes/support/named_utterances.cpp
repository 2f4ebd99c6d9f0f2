#include "nodes/support/named_utterances.h"

#include <algorithm>

#include "graph/plain_numbers.h"

namespace flowqat::nodes {
namespace {

constexpr size_t kNamed = 5;

}  // namespace

std::vector<std::string> ids_of(const std::vector<const graph::Row*>& rows) {
  std::vector<std::string> ids;
  for (const graph::Row* row : rows) ids.push_back(row->entry->id);
  return ids;
}

std::string named_utterances(const std::vector<std::string>& ids) {
  std::string text;
  for (size_t i = 0; i < std::min(ids.size(), kNamed); ++i) text += (i > 0 ? ", " : "") + ids[i];
  if (ids.size() > kNamed) {
    text += " and " + graph::whole_text(static_cast<int64_t>(ids.size() - kNamed)) + " more";
  }
  return text;
}

}  // namespace flowqat::nodes
