#include "cli/heard.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "io/files/error.h"
#include "io/files/json_file.h"
#include "io/files/line_reader.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

graph::Json parse(const std::string& line, const fs::path& here) {
  std::string reason;
  try {
    graph::Json json = parse_json<graph::Json>(line);
    if (json.is_object()) return json;
  } catch (const JsonError& error) {
    reason = " (column " + std::to_string(error.column) + ": " + error.reason + ")";
  }
  throw io::Error(here, "expected a JSON object, as flowqat evaluate --out writes it" + reason);
}

std::string text_of(const graph::Json& utterance, const char* key, const fs::path& here) {
  const auto found = utterance.find(key);
  if (found != utterance.end() && found->is_string()) return found->get<std::string>();
  throw io::Error(here,
                  std::string("expected \"id\", \"reference\" and \"hypothesis\" with texts; ") +
                      "found none under \"" + key + "\"");
}

}  // namespace

bool is_file_of_hypotheses(const std::string& given) {
  std::error_code ignored;
  return fs::is_regular_file(given, ignored);
}

std::vector<Heard> read_hypotheses(const fs::path& file) {
  std::vector<Heard> heard;
  io::LineReader lines(file);
  for (std::string line; lines.next(line);) {
    if (io::is_blank(line)) continue;
    const fs::path here = lines.here();
    const graph::Json utterance = parse(line, here);
    Heard one{.id = text_of(utterance, "id", here),
              .speaker = io::value_or(utterance, "speaker", std::string(), here),
              .duration_s = io::value_or(utterance, "duration_s", 0.0, here),
              .reference = text_of(utterance, "reference", here),
              .hypothesis = text_of(utterance, "hypothesis", here)};
    if (one.duration_s < 0) throw io::Error(here, "\"duration_s\" must be 0 or above");
    heard.push_back(std::move(one));
  }
  return heard;
}

}  // namespace flowqat::cli
