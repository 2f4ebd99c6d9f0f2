#include "report/rejected_figures.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "graph/json.h"
#include "graph/plain_numbers.h"
#include "report/html.h"

namespace flowqat::report {
namespace {

constexpr size_t shown = 20;

}  // namespace

void RejectedFigures::read() {
  std::ifstream file(list_);
  file.seekg(bytes_);
  for (std::string text; std::getline(file, text) && !file.eof();) {
    bytes_ += std::ssize(text) + 1;
    try {
      const auto line = parse_json<graph::Json>(text);
      const std::string id = line.at("id"), node = line.at("node"), reason = line.at("reason");
      ++count_;
      ++by_node_[node];
      // One that is broken is rejected anew in every epoch.
      if (first_.size() < shown && named_.insert(id).second) first_.push_back({id, node, reason});
    } catch (const std::exception&) {
      continue;
    }
  }
}

std::string RejectedFigures::html() const {
  if (count_ == 0) return "";
  std::string text = "<p>";
  bool is_first = true;
  for (const auto& [node, count] : by_node_) {
    text +=
        std::string(is_first ? "" : ", ") + graph::whole_text(count) + " by " + escape_html(node);
    is_first = false;
  }
  text +=
      "; each time that an utterance came counts. All are listed in rejected.jsonl.</p>\n"
      "<table class=\"words\">\n";
  for (const Utterance& utterance : first_) {
    text += "<tr><td>" + escape_html(utterance.id) + "</td><td>" + escape_html(utterance.node) +
            ": " + escape_html(utterance.reason) + "</td></tr>\n";
  }
  return text + "</table>\n";
}

}  // namespace flowqat::report
