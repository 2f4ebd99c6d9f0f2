#include "io/corpus/manifest_entry.h"

#include <charconv>

#include "base/json_text.h"

namespace flowqat::io {

bool next_text(LineReader& lines, std::string& line) {
  do {
    if (!lines.next(line)) return false;
  } while (is_blank(line));
  return true;
}

nlohmann::json parse_object(const std::string& line, const std::filesystem::path& where) {
  nlohmann::json object;
  std::string reason;
  try {
    object = parse_json<nlohmann::json>(line);
    if (object.is_object()) return object;
  } catch (const JsonError& error) {
    reason = ": column " + std::to_string(error.column) + ": " + error.reason;
  }
  throw Error(where, "expected a JSON object, found " + excerpt(line) + reason);
}

std::string text_of(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

std::string keys_of(const nlohmann::json& object) {
  std::string keys;
  for (const auto& [key, value] : object.items()) keys += (keys.empty() ? "" : ", ") + key;
  return keys.empty() ? "no key" : excerpt(keys, 400);
}

double required_seconds(const nlohmann::json& object, const char* key,
                        const std::filesystem::path& where) {
  const auto seconds = required<double>(object, key, where);
  if (seconds < 0) {
    throw Error(where, std::string("\"") + key + "\": expected at least 0 s, found " +
                           shown(object.at(key)));
  }
  return seconds;
}

}  // namespace flowqat::io
