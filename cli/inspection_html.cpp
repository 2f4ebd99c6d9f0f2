#include "cli/inspection_html.h"

#include <algorithm>
#include <cmath>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "report/html.h"

namespace flowqat::cli {
namespace {

using graph::format;

constexpr int most_bars = 40;
constexpr size_t named_speakers = 40, shown_utterances = 20, shown_rows = 40;
constexpr double width = 860, height = 200, left = 56, top = 10, right = 10;

long long number(int64_t value) { return static_cast<long long>(value); }

/// A number for an axis, without the noise of sums of binary fractions.
std::string label(double value) { return format("%.6g", std::abs(value) < 1e-9 ? 0.0 : value); }

/// Bars that stand side by side, with both axes; `marks` are dashed lines from top to bottom.
std::string picture(const Distribution& values, const char* unit, const char* counted,
                    const std::vector<double>& marks = {}) {
  if (values.empty()) return "<p>Nothing to draw.</p>\n";
  const Histogram histogram = values.histogram(most_bars);
  const size_t bars = histogram.counts.size();
  const double step = (width - left) / static_cast<double>(bars);
  // Whole numbers stand at the lines.
  const double counts = static_cast<double>(histogram.highest());
  const double line_step = std::max(1.0, std::ceil(report::round_up(counts / 5)));
  const int lines = static_cast<int>(std::ceil(counts / line_step));
  const double highest = line_step * lines;
  const auto y = [&](double value) { return top + (1 - value / highest) * height; };
  const auto x = [&](double value) {
    return left + (value - histogram.first) / histogram.width * step;
  };
  std::string text =
      format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n", width + right, top + height + 40);
  for (int line = 0; line <= lines; ++line) {
    const double value = line_step * line;
    text += format(
        "<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>"
        "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
        left, width, y(value), y(value), left - 6, y(value) + 4, value);
  }
  for (size_t bar = 0; bar < bars; ++bar) {
    const int64_t count = histogram.counts[bar];
    if (count == 0) continue;
    const bool is_last = histogram.is_open && bar + 1 == bars;
    const double tall = std::max(1.0, top + height - y(static_cast<double>(count)));
    text += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
                   left + static_cast<double>(bar) * step + 0.5, top + height - tall,
                   std::max(0.5, step - 1), tall) +
            label(histogram.begin_of(bar)) +
            (is_last ? " and more" : " to " + label(histogram.begin_of(bar + 1))) + " " + unit +
            format(": %lld %s</title></rect>\n", number(count), counted);
  }
  const size_t stride = bars / 10 + 1;
  for (size_t bar = 0; bar <= bars; bar += stride) {
    if (histogram.is_open && bar == bars) break;
    text += format("<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">",
                   left + static_cast<double>(bar) * step, top + height + 18) +
            label(histogram.begin_of(bar)) + "</text>\n";
  }
  for (const double mark : marks) {
    if (mark <= histogram.first || mark >= histogram.begin_of(bars)) continue;
    text += format("<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\"/>\n",
                   x(mark), x(mark), top, top + height);
  }
  return text + format("<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%s%s</text></svg>\n",
                       (left + width) / 2, top + height + 36, unit,
                       histogram.is_open ? "; the last bar holds all that is more" : "");
}

/// A bar for each speaker, the most minutes first.
std::string speaker_picture(const Inspection& inspection) {
  std::vector<std::pair<std::string, AudioSum>> speakers(inspection.speakers.begin(),
                                                         inspection.speakers.end());
  std::stable_sort(speakers.begin(), speakers.end(), [](const auto& a, const auto& b) {
    return a.second.audio_s > b.second.audio_s;
  });
  constexpr double line = 18, names = 120, numbers = 110;
  const double longest_s = std::max(1e-9, speakers.front().second.audio_s);
  std::string text = format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n", width + right,
                            line * static_cast<double>(speakers.size()) + 4);
  for (size_t i = 0; i < speakers.size(); ++i) {
    const auto& [speaker, sum] = speakers[i];
    const double y = line * static_cast<double>(i);
    const double wide = (width - names - numbers) * sum.audio_s / longest_s;
    text += format("<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">", names - 8, y + 13) +
            report::escape_html(cut(speaker, 17)) +
            format(
                "</text><rect x=\"%.0f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\"/>"
                "<text x=\"%.1f\" y=\"%.1f\">%.1f min, %lld utt.</text>\n",
                names, y + 3, std::max(1.0, wide), line - 4, names + wide + 6, y + 13,
                sum.audio_s / 60, number(sum.utterances));
  }
  return text + "</svg>\n";
}

std::string row(const std::string& first, const std::string& second) {
  return "<tr><td>" + report::escape_html(first) + "</td><td>" + report::escape_html(second) +
         "</td></tr>\n";
}

std::string spread_line(const Distribution& values, const std::string& unit) {
  return "<p>" + spread(values, unit) + ".</p>\n";
}

template <class Key>
std::string joined(const std::map<Key, AudioSum>& sums, const char* unit) {
  std::string text;
  for (const auto& [key, sum] : sums) {
    text += format("%s%d%s (%s, %s)", text.empty() ? "" : ", ", key, unit,
                   graph::counted(sum.utterances, "utterance").c_str(),
                   graph::duration_text(sum.audio_s).c_str());
  }
  return text;
}

std::string overview(const Inspection& inspection, const Listener& listener) {
  std::string text =
      "<table class=\"words\">\n" + row("utterances", std::to_string(inspection.all.utterances)) +
      row("audio", graph::duration_text(inspection.all.audio_s)) +
      row("speakers",
          inspection.speakers.empty() ? "not known" : std::to_string(inspection.speakers.size())) +
      row("sample rates", joined(inspection.rates_hz, " Hz")) +
      row("channels", joined(inspection.channels, "")) +
      row("transcripts",
          format("%lld, %lld of them changed by normalization",
                 number(inspection.normalized.utterances), number(inspection.normalized.changed)));
  if (inspection.repeated_texts > 0) {
    text += row("repeated transcripts",
                format("%lld utterances say what another says (different texts: %lld)",
                       number(inspection.repetitions), number(inspection.repeated_texts)));
  }
  std::string found;
  for (const NamedFinding& named : findings(inspection, listener)) {
    if (named.finding.count == 0) continue;
    found +=
        format("%s%lld ", found.empty() ? "" : "; ", number(named.finding.count)) + named.title;
  }
  text += row("findings", found.empty() ? "none" : found) + "</table>\n";
  if (inspection.groups.size() < 2) return text;
  text += "<h2>Parts</h2>\n<table><tr><th>part</th><th>utterances</th><th>audio</th></tr>\n";
  size_t shown = 0;
  for (const auto& [group, sum] : inspection.groups) {
    if (++shown > shown_rows) break;
    text += "<tr><td>" + report::escape_html(group) +
            format("</td><td>%lld</td><td>%s</td></tr>\n", number(sum.utterances),
                   graph::duration_text(sum.audio_s).c_str());
  }
  text += "</table>\n";
  if (inspection.groups.size() > shown_rows) {
    text += format("<p class=\"quiet\">and %zu more</p>\n", inspection.groups.size() - shown_rows);
  }
  return text;
}

std::string characters(const Inspection& inspection, const Listener& listener) {
  const auto rows = unknown_characters(inspection, listener);
  std::string text = "<h2>Characters outside the vocabulary</h2>\n";
  if (rows.empty()) return text + "<p>None.</p>\n";
  text += "<table><tr><th>character</th><th>as written</th><th>after normalization</th></tr>\n";
  for (size_t i = 0; i < std::min(rows.size(), shown_rows); ++i) {
    text += std::string(rows[i].normalized > 0 ? "<tr class=\"bottleneck\">" : "<tr>") + "<td>" +
            report::escape_html(rows[i].name) +
            format("</td><td>%lld</td><td>%lld</td></tr>\n", number(rows[i].as_written),
                   number(rows[i].normalized));
  }
  text += "</table>\n";
  if (rows.size() > shown_rows) {
    text += format("<p class=\"quiet\">and %zu more</p>\n", rows.size() - shown_rows);
  }
  return text;
}

std::string finding_tables(const Inspection& inspection, const Listener& listener) {
  std::string text;
  for (const NamedFinding& named : findings(inspection, listener)) {
    if (named.finding.count == 0) continue;
    text += format("<h3>%lld utterance%s ", number(named.finding.count),
                   named.finding.count == 1 ? "" : "s") +
            report::escape_html(named.title) + "</h3>\n<table class=\"words names\">\n";
    const auto& worst = named.finding.worst;
    const size_t shown = std::min(worst.size(), shown_utterances);
    for (size_t i = 0; i < shown; ++i) text += row(worst[i].id, worst[i].why);
    text += "</table>\n";
    const int64_t more = named.finding.count - static_cast<int64_t>(shown);
    if (more > 0) text += format("<p class=\"quiet\">and %lld more</p>\n", number(more));
  }
  return text.empty() ? "" : "<h2>Findings</h2>\n" + text;
}

}  // namespace

std::string inspection_page(const Inspection& inspection, const Listener& listener,
                            const std::string& title) {
  std::string page =
      report::html_head(title) + overview(inspection, listener) + "<h2>Durations</h2>\n" +
      spread_line(inspection.durations_s, "s") +
      picture(inspection.durations_s, "seconds", "utterances", {listener.max_duration_s});
  if (!inspection.characters_per_s.empty()) {
    const auto& usual = inspection.usual_characters_per_s;
    page += "<h2>Characters a second</h2>\n" + spread_line(inspection.characters_per_s, "") +
            picture(inspection.characters_per_s, "characters a second", "utterances",
                    {usual.lower, usual.upper});
  }
  if (!inspection.speakers.empty()) {
    page += "<h2>Minutes a speaker</h2>\n" +
            spread_line(inspection.minutes_per_speaker, "minutes") +
            (inspection.speakers.size() <= named_speakers
                 ? speaker_picture(inspection)
                 : picture(inspection.minutes_per_speaker, "minutes", "speakers"));
  }
  if (inspection.normalized.utterances > 0) page += characters(inspection, listener);
  return page + finding_tables(inspection, listener) + report::html_end();
}

}  // namespace flowqat::cli
