/// `flowqat runs [DIR]`: which runs there are, how they stand, and what sets them apart.
#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/run_list.h"
#include "cli/terminal.h"
#include "cli/text_width.h"
#include "graph/format.h"
#include "graph/json_lines.h"
#include "graph/plain_numbers.h"

namespace flowqat::cli {
namespace {

using graph::format;
using graph::Json;

constexpr size_t most_differences = 6;
constexpr int widest_value = 40;

struct RunsArguments {
  std::string folder = "runs", sort = "changed";
  bool json = false;
};

std::string time_text(int64_t time_s) {
  if (time_s == 0) return "";
  const auto time = static_cast<std::time_t>(time_s);
  std::tm local{};
  ::localtime_r(&time, &local);
  char text[32] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  return text;
}

std::string differences_text(const ListedRun& run) {
  std::string text;
  for (size_t i = 0; i < std::min(run.differs.size(), most_differences); ++i) {
    const auto& [place, value] = run.differs[i];
    text += text.empty() ? "" : ", ";
    text += value == "null" ? "no " + place : place + "=" + cut_to(value, widest_value);
  }
  if (run.differs.size() > most_differences) {
    text += format(", %zu more", run.differs.size() - most_differences);
  }
  return text;
}

/// Columns as wide as their widest text; the last one as it is.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size())
        line += std::string(static_cast<size_t>(widths[i] - width_of(row[i])) + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string as_text(const std::vector<ListedRun>& runs) {
  std::vector<std::vector<std::string>> rows{
      {"run", "state", "steps", "best WER", "of", "changed", "apart from most"}};
  std::string reasons;
  for (const ListedRun& run : runs) {
    rows.push_back({printable(run.path), run.state, run.step > 0 ? graph::whole_text(run.step) : "",
                    run.best_wer < 0 ? "" : format("%.2f %%", 100 * run.best_wer),
                    printable(run.best), time_text(run.changed_s),
                    printable(differences_text(run))});
    if (run.state == "failed" || run.state == "broken") {
      reasons += printable(run.path) + ": " + run.state + ": " + printable(run.why) + "\n";
    }
  }
  return table(rows) + (reasons.empty() ? "" : "\n" + reasons);
}

Json as_json(const ListedRun& run) {
  Json json{{"path", run.path}, {"state", run.state}};
  if (!run.why.empty()) json["why"] = run.why;
  json["steps"] = run.step;
  if (run.best_wer >= 0) json["best"] = {{"wer", run.best_wer}, {"of", run.best}};
  json["changed_s"] = run.changed_s;
  json["differs"] = Json::object();
  for (const auto& [place, value] : run.differs) {
    json["differs"][place] = parse_json<Json>(value);
  }
  return json;
}

int list(const RunsArguments& arguments) {
  const RunOrder order = arguments.sort == "name"   ? RunOrder::name
                         : arguments.sort == "best" ? RunOrder::best
                                                    : RunOrder::changed;
  const std::vector<ListedRun> runs = list_runs(arguments.folder, order);
  Terminal terminal;
  if (arguments.json) {
    Json all = Json::array();
    for (const ListedRun& run : runs) all.push_back(as_json(run));
    terminal.result(graph::json_line({{"folder", arguments.folder}, {"runs", all}}));
  } else if (runs.empty()) {
    terminal.say(arguments.folder + ": holds no run");
  } else {
    terminal.result(as_text(runs));
  }
  return kDone;
}

}  // namespace

Command runs_command() {
  const auto told = std::make_shared<RunsArguments>();
  return {.name = "runs",
          .doc = "lists runs: how each stands, its best figure, what sets its graph apart",
          .examples = {"flowqat runs", "flowqat runs runs --sort best"},
          .arguments = {{.name = "DIR",
                         .doc = "a folder with runs in it, at any depth, or a run",
                         .target = &told->folder},
                        {.name = "--sort",
                         .value = "HOW",
                         .doc = "changed: the latest first; name; best: the lowest word error rate "
                                "first",
                         .target = &told->sort,
                         .choices = {"changed", "name", "best"}},
                        json_option(told->json)},
          .run = [told] { return list(*told); }};
}

}  // namespace flowqat::cli
