#include "report/worst_utterances.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "nodes/support/error_rate.h"
#include "report/html.h"
#include "report/metric_lines.h"

namespace flowqat::report {
namespace {

constexpr size_t shown = 20, most_words = 400;

struct Utterance {
  std::string id, reference, hypothesis;
  int64_t errors = 0, words = 0, character_errors = 0;
  double duration_s = 0;

  /// Whether it is worse than the other.
  bool operator<(const Utterance& other) const {
    return std::tuple(-errors, -character_errors, id) <
           std::tuple(-other.errors, -other.character_errors, other.id);
  }
};

/// False for a line of something else.
bool read(const graph::Json& line, Utterance& utterance) try {
  utterance = {.id = line.at("id"),
               .reference = line.at("reference"),
               .hypothesis = line.at("hypothesis"),
               .errors = line.at("errors"),
               .words = line.at("reference_words"),
               .character_errors = line.at("character_errors"),
               .duration_s = line.at("duration_s")};
  return true;
} catch (const graph::Json::exception&) {
  return false;
}

std::string difference(const Utterance& utterance) {
  nodes::Alignment words;
  try {
    words = nodes::align_words(utterance.reference, utterance.hypothesis);
  } catch (const std::exception&) {  // no UTF-8
    return escape_html(utterance.reference) + " / " + escape_html(utterance.hypothesis);
  }
  auto said = words.reference.begin(), heard = words.hypothesis.begin();
  std::string text;
  size_t count = 0;
  for (const nodes::Edit edit : words.edits) {
    if (++count > most_words) return text + "...";
    if (count > 1) text += ' ';
    const bool was_said = edit != nodes::Edit::insertion, was_heard = edit != nodes::Edit::deletion;
    if (edit == nodes::Edit::hit) {
      text += escape_html(*said);
    } else {
      if (was_said) text += "<del>" + escape_html(*said) + "</del>";
      if (was_said && was_heard) text += ' ';
      if (was_heard) text += "<ins>" + escape_html(*heard) + "</ins>";
    }
    if (was_said) ++said;
    if (was_heard) ++heard;
  }
  return text;
}

}  // namespace

std::string worst_utterances(const std::filesystem::path& list) {
  std::vector<Utterance> worst;  // sorted, at most twice as many as are shown
  int64_t utterances = 0, with_errors = 0;
  const auto keep = [&](size_t most) {
    std::sort(worst.begin(), worst.end());
    if (worst.size() > most) worst.resize(most);
  };
  for_each_line(list, [&](const graph::Json& line) {
    Utterance utterance;
    if (!read(line, utterance)) return;
    ++utterances;
    if (utterance.errors == 0) return;
    ++with_errors;
    worst.push_back(std::move(utterance));
    if (worst.size() > 2 * shown) keep(shown);
  });
  keep(shown);
  if (utterances == 0) return "";
  std::string text = "<p>" + graph::whole_text(with_errors) + " of " +
                     graph::counted(utterances, "utterance") + " with errors. <del>Said</del> " +
                     "but not heard, <ins>heard</ins> but not said.</p>\n";
  for (const Utterance& utterance : worst) {
    text += "<div class=\"utterance\"><b>" + escape_html(utterance.id) +
            "</b> <span class=\"quiet\">" +
            graph::format("%.1f s, %lld of %s wrong", utterance.duration_s,
                          static_cast<long long>(utterance.errors),
                          graph::counted(utterance.words, "word").c_str()) +
            "</span><br>" + difference(utterance) + "</div>\n";
  }
  return text;
}

}  // namespace flowqat::report
