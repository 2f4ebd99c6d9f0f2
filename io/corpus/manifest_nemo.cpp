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

}  // namespace

Manifest read_nemo(LineReader& lines) {
  Manifest manifest;
  for (nlohmann::json object; !(object = next_object(lines)).is_null();) {
    const auto where = lines.here();
    ManifestEntry& stated = manifest.entries.emplace_back();
    stated.line = lines.number();
    stated.entry.place =
        std::filesystem::path(required<std::string>(object, "audio_filepath", where));
    stated.entry.transcript = value_or(object, "text", std::string(), where);
    stated.entry.speaker = speaker_of(object, where);
    if (has(object, "offset")) {
      stated.segment = {required_seconds(object, "offset", where),
                        required_seconds(object, "duration", where)};
    } else if (has(object, "duration")) {
      stated.recording_s = required_seconds(object, "duration", where);
    }
  }
  return manifest;
}

}  // namespace flowqat::io
