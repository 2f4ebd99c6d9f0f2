#include "io/corpus/manifest_entry.h"

namespace flowqat::io {
namespace {

/// Speakers are numbers in manifests for speech synthesis.
std::string speaker_of(const nlohmann::json& object, const std::filesystem::path& where) {
  const auto found = object.find("speaker");
  if (found != object.end() && found->is_number_integer()) return found->dump();
  return value_or(object, "speaker", std::string(), where);
}

bool has(const nlohmann::json& object, const char* key) {
  return object.contains(key) && !object.at(key).is_null();
}

/// "channel" or "channel_selector": a number from 0 on, a list of one, or "average" for all.
std::optional<int> channel_of(const nlohmann::json& object, const std::filesystem::path& where) {
  const char* key = has(object, "channel") ? "channel" : "channel_selector";
  if (!has(object, key)) return std::nullopt;
  nlohmann::json chosen = object.at(key);
  if (chosen == "average") return std::nullopt;
  if (chosen.is_array() && chosen.size() == 1) chosen = chosen[0];
  if (chosen.is_number_integer() && chosen >= 0 && chosen < 65536) return chosen.get<int>();
  throw Error(where, std::string("\"") + key +
                         "\": expected the number of a channel, from 0 on, or \"average\", found " +
                         excerpt(object.at(key).dump()));
}

void read_line(const nlohmann::json& object, const ManifestKeys& keys,
               const std::filesystem::path& where, ManifestEntry& stated) {
  const char* text = keys.text.empty() ? "text" : keys.text.c_str();
  const char* audio = keys.audio.empty() ? "audio_filepath" : keys.audio.c_str();
  stated.entry.place = std::filesystem::path(required<std::string>(object, audio, where));
  stated.has_text = has(object, text);
  stated.entry.transcript = value_or(object, text, std::string(), where);
  stated.entry.speaker = speaker_of(object, where);
  stated.channel = channel_of(object, where);
  const auto duration_s = has(object, "duration")
                              ? std::optional(required_seconds(object, "duration", where))
                              : std::nullopt;
  if (has(object, "offset")) {
    stated.segment = {required_seconds(object, "offset", where), duration_s};
  } else {
    stated.recording_s = duration_s;
  }
}

}  // namespace

Manifest read_nemo(LineReader& lines, const ManifestKeys& keys) {
  Manifest manifest;
  for (std::string line; next_text(lines, line);) {
    add_line(lines, manifest, [&](ManifestEntry& stated) {
      read_line(parse_object(line, lines.here()), keys, lines.here(), stated);
    });
  }
  return manifest;
}

}  // namespace flowqat::io
