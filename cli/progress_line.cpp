#include "cli/progress_line.h"

#include <algorithm>
#include <cmath>

#include "cli/text_width.h"
#include "graph/plain_numbers.h"
#include "io/fetch/fetch.h"

namespace flowqat::cli {
namespace {

constexpr int shortest_bar = 10, longest_bar = 20, shortest_name = 8;

/// "120 of 2,000 steps", or nothing where nothing is counted.
std::string count_text(const graph::Progress& progress) {
  if (progress.unit.empty() || (progress.total <= 0 && progress.done <= 0)) return "";
  if (progress.unit == "bytes") {
    return io::bytes_text(progress.done) + " of " + io::bytes_text(progress.total);
  }
  const std::string of =
      progress.total > 0 ? " of " + graph::whole_text(progress.total) : std::string();
  return graph::whole_text(progress.done) + of + " " + progress.unit;
}

std::string left_text(const graph::Progress& progress) {
  if (progress.left_s < 0) return "";
  return graph::duration_text(std::ceil(progress.left_s)) + " left";
}

/// "[####------]", `columns` between the brackets.
std::string bar(double share, int columns) {
  const int full = static_cast<int>(share * columns);
  return " [" + std::string(static_cast<size_t>(full), '#') +
         std::string(static_cast<size_t>(columns - full), '-') + "]";
}

/// Puts `text` at the end of `line`.
void append(std::string& line, const std::string& text) {
  if (text.empty()) return;
  line += (line.empty() ? "" : ", ") + text;
}

}  // namespace

std::string progress_text(const graph::Progress& progress) {
  std::string line = count_text(progress);
  if (progress.share() >= 0) append(line, graph::percent_text(progress.share()));
  for (const std::string& text : progress.more) append(line, text);
  append(line, left_text(progress));
  return printable(progress.what + (line.empty() ? "" : ": ") + line);
}

std::string progress_line(const graph::Progress& progress, int columns) {
  const std::string name = printable(progress.what);
  const double share = progress.share();
  int room = columns;
  const auto take = [&](int wanted) {
    const bool fits = wanted <= room;
    if (fits) room -= wanted;
    return fits;
  };
  /// The text if there is room for it and for the comma or colon before it.
  const auto fitting = [&](const std::string& text) {
    return !text.empty() && take(width_of(text) + 2) ? text : std::string();
  };

  // From the most important to the least.
  int name_width = std::min({width_of(name), std::max(shortest_name, columns / 2), columns});
  take(name_width);
  const std::string count = fitting(count_text(progress));
  const std::string left = fitting(left_text(progress));
  const std::string percent = fitting(share >= 0 ? graph::percent_text(share) : "");
  int bar_width = share >= 0 && take(shortest_bar + 3) ? shortest_bar : 0;
  std::string facts = count;
  append(facts, percent);
  for (const std::string& more : progress.more) {
    const std::string text = fitting(printable(more));
    if (text.empty()) break;
    append(facts, text);
  }
  append(facts, left);
  const int longer_name = std::min(width_of(name) - name_width, room);
  name_width += longer_name;
  room -= longer_name;
  if (bar_width > 0) bar_width += std::min(room, longest_bar - shortest_bar);
  return cut_to(name, name_width) + (bar_width > 0 ? bar(share, bar_width) : "") +
         (facts.empty() ? "" : ": ") + facts;
}

}  // namespace flowqat::cli
