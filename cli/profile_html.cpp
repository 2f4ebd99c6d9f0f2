#include "cli/profile_html.h"

#include <algorithm>
#include <array>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "report/html.h"

namespace flowqat::cli {
namespace {

using graph::format;

// Okabe and Ito's colours, told apart with every kind of colour vision; grey comes last.
constexpr std::array<const char*, 8> colours{"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                             "#56b4e9", "#d55e00", "#f0e442", "#999999"};
constexpr size_t most_columns = 160;
constexpr double width = 860, height = 220, left = 56, top = 10;

const char* colour(size_t series) { return colours[series % colours.size()]; }

/// Values of several series over time, laid on top of one another.
struct Stack {
  std::vector<std::string> names;
  std::vector<double> time_s;
  std::vector<std::vector<double>> values;  ///< [series][time]
};

/// The mean of every `stride` looks, so that no picture holds more than can be seen.
Stack stack(const graph::Profile& profile, std::vector<std::string> names,
            std::vector<double> graph::Occupancy::*field) {
  const auto& timeline = profile.timeline;
  const size_t stride = timeline.size() / most_columns + 1;
  Stack result{.names = std::move(names), .time_s = {}, .values = {}};
  result.values.resize(result.names.size());
  for (size_t begin = 0; begin < timeline.size(); begin += stride) {
    const size_t end = std::min(begin + stride, timeline.size());
    result.time_s.push_back(timeline[begin].time_s);
    for (size_t series = 0; series < result.names.size(); ++series) {
      double sum = 0;
      for (size_t i = begin; i < end; ++i) sum += (timeline[i].*field)[series];
      result.values[series].push_back(sum / static_cast<double>(end - begin));
    }
  }
  return result;
}

std::string legend(const std::vector<std::string>& names) {
  std::string text = "<p class=\"legend\">";
  for (size_t i = 0; i < names.size(); ++i) {
    text += format("<span><i style=\"background:%s\"></i>", colour(i)) +
            report::escape_html(names[i]) + "</span>";
  }
  return text + "</p>\n";
}

std::string picture(const Stack& stack, const char* unit) {
  if (stack.time_s.size() < 2) return "<p>Too short to draw.</p>\n";
  std::vector<double> below(stack.time_s.size(), 0.0);
  double highest = 0;
  for (size_t i = 0; i < stack.time_s.size(); ++i) {
    double sum = 0;
    for (const auto& series : stack.values) sum += series[i];
    highest = std::max(highest, sum);
  }
  highest = report::round_up(highest);
  const double first_s = stack.time_s.front(), last_s = stack.time_s.back();
  const auto x = [&](double time_s) {
    return left + (time_s - first_s) / (last_s - first_s) * (width - left);
  };
  const auto y = [&](double value) { return top + (1 - value / highest) * height; };

  std::string text =
      format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n", width + 20, top + height + 30);
  for (int line = 0; line <= 4; ++line) {
    const double value = highest * line / 4;
    text += format(
        "<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>"
        "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%g %s</text>\n",
        left, width, y(value), y(value), left - 6, y(value) + 4, value, unit);
  }
  for (size_t series = 0; series < stack.values.size(); ++series) {
    std::string upper, lower;
    for (size_t i = 0; i < stack.time_s.size(); ++i) {
      lower = format("%.1f,%.1f ", x(stack.time_s[i]), y(below[i])) + lower;
      below[i] += stack.values[series][i];
      upper += format("%.1f,%.1f ", x(stack.time_s[i]), y(below[i]));
    }
    text += format("<polygon fill=\"%s\" points=\"", colour(series)) + upper + lower +
            "\"><title>" + report::escape_html(stack.names[series]) + "</title></polygon>\n";
  }
  for (int tick = 0; tick <= 5; ++tick) {
    const double time_s = first_s + (last_s - first_s) * tick / 5;
    text += format("<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%.1f s</text>\n", x(time_s),
                   top + height + 20, time_s);
  }
  return text + "</svg>\n" + legend(stack.names);
}

std::string cell(const std::string& text) { return "<td>" + report::escape_html(text) + "</td>"; }

std::string node_table(const graph::Profile& profile) {
  std::string text =
      "<table><tr><th>node</th><th>utterances/s</th><th>x real time of one thread</th>"
      "<th>busy</th><th>p50 ms</th><th>p99 ms</th><th>waiting before, s</th>"
      "<th>waiting behind, s</th></tr>\n";
  for (const graph::NodeProfile& node : profile.nodes) {
    text += std::string(node.node == profile.bottleneck ? "<tr class=\"bottleneck\">" : "<tr>") +
            cell(node.node) + cell(format("%.1f", node.utterances_per_s)) +
            cell(format("%.0f", node.x_realtime)) + "<td>" +
            format("<span class=\"bar\" style=\"width:%.0fpx\"></span> %.1f %%",
                   60 * node.busy_share, 100 * node.busy_share) +
            "</td>" + cell(format("%.2f", node.p50_ms)) + cell(format("%.2f", node.p99_ms)) +
            cell(format("%.1f", node.in_flight_before_s)) +
            cell(format("%.1f", node.in_flight_after_s)) + "</tr>\n";
  }
  return text + "</table>\n";
}

std::string isolated_table(const std::vector<graph::IsolatedNode>& nodes) {
  if (nodes.empty()) return "";
  std::string text =
      "<h2>Each node alone</h2>\n<table><tr><th>node</th><th>threads</th><th>utterances/s</th>"
      "<th>x real time</th><th>against one thread</th></tr>\n";
  for (const graph::IsolatedNode& node : nodes) {
    text += "<tr>" + cell(node.node) + cell(std::to_string(node.threads)) +
            cell(format("%.1f", node.utterances_per_s)) + cell(format("%.0f", node.x_realtime)) +
            cell(format("%.2f", node.scaling)) + "</tr>\n";
  }
  return text + "</table>\n";
}

}  // namespace

std::string profile_page(const graph::Profile& profile,
                         const std::vector<graph::IsolatedNode>& isolated,
                         const std::string& title) {
  std::vector<std::string> nodes, places;
  for (const graph::NodeProfile& node : profile.nodes) {
    nodes.push_back(node.node);
    places.push_back("before " + node.node);
  }
  places.push_back("finished, or its batch incomplete");
  std::string page = report::html_head(title);
  page +=
      "<p>" +
      format(
          "%.0f hours of audio an hour (%.0f to %.0f in slices of the time: %zu) on %s; %.3f CPU "
          "seconds per 1,000 s; peak memory %.0f MB. %s of audio in %s.",
          profile.x_realtime(), profile.lowest_x_realtime(), profile.highest_x_realtime(),
          profile.slices_x_realtime.size(), graph::counted(profile.threads, "thread").c_str(),
          profile.cpu_s_per_1000_s(), 1e-6 * static_cast<double>(profile.peak_rss_bytes),
          graph::duration_text(profile.audio_s).c_str(),
          graph::duration_text(profile.wall_s).c_str()) +
      "</p>\n<p>Bottleneck: <b>" + report::escape_html(profile.bottleneck) +
      "</b>: " + report::escape_html(profile.reason) + ".</p>\n";
  page += node_table(profile) + isolated_table(isolated);
  page += "<h2>Audio in flight, by where it waits</h2>\n" +
          picture(stack(profile, places, &graph::Occupancy::waiting_s), "s");
  page += "<h2>Utterances being worked on, by node</h2>\n" +
          picture(stack(profile, nodes, &graph::Occupancy::active), "");
  return page + report::html_end();
}

}  // namespace flowqat::cli
