#include <algorithm>

#include "io/corpus/manifest_entry.h"

namespace flowqat::io {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// The list under `key`; an empty one where there is none.
json list_or_empty(const json& object, const char* key, const fs::path& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return json::array();
  const auto is_object = [](const json& item) { return item.is_object(); };
  if (!found->is_array() || !std::all_of(found->begin(), found->end(), is_object)) {
    throw Error(where, std::string("\"") + key + "\": expected a list of objects, found " +
                           excerpt(found->dump()));
  }
  return *found;
}

void read_supervisions(const json& cut, CorpusEntry& entry, const fs::path& where) {
  struct Supervision {
    double start_s;
    std::string text, speaker;
  };
  std::vector<Supervision> all;
  for (const json& item : list_or_empty(cut, "supervisions", where)) {
    all.push_back({value_or(item, "start", 0.0, where),
                   value_or(item, "text", std::string(), where),
                   value_or(item, "speaker", std::string(), where)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Supervision& a, const Supervision& b) {
    return a.start_s < b.start_s;
  });
  for (const Supervision& one : all) {
    if (one.text.empty()) continue;
    entry.transcript += (entry.transcript.empty() ? "" : " ") + one.text;
  }
  const bool same = std::all_of(all.begin(), all.end(), [&](const Supervision& one) {
    return one.speaker == all.front().speaker;
  });
  if (!all.empty() && same) entry.speaker = all.front().speaker;
}

std::string names_of(const json& transforms) {
  std::string names;
  for (const json& transform : transforms) {
    const auto name = transform.find("name");
    const bool named = name != transform.end() && name->is_string();
    names += (names.empty() ? "" : ", ") + (named ? name->get<std::string>() : transform.dump());
  }
  return names;
}

/// A file of a recording, and which of the file's own channels is wanted.
struct Source {
  json object;
  int channel;
};

/// The source that has the recording's channel `wanted`: its "channels" are the numbers that the
/// file's own have in the recording.
std::optional<Source> source_of(const json& sources, int wanted, const fs::path& where) {
  for (const json& source : sources) {
    const auto channels = source.find("channels");
    if (channels == source.end() || channels->is_null()) {
      if (sources.size() == 1) return Source{source, wanted};
      continue;
    }
    if (!channels->is_array()) {
      throw Error(where,
                  "\"channels\": expected a list of numbers, found " + excerpt(channels->dump()));
    }
    const auto found = std::find(channels->begin(), channels->end(), json(wanted));
    if (found != channels->end()) {
      return Source{source, static_cast<int>(found - channels->begin())};
    }
  }
  return std::nullopt;
}

/// Fills in what the recording says; returns why it cannot be used, or nothing.
std::string read_recording(const json& recording, ManifestEntry& stated, const fs::path& where) {
  const auto sources = list_or_empty(recording, "sources", where);
  if (sources.empty()) throw Error(where, "\"recording\": expected a source, found none");
  const auto source = source_of(sources, *stated.channel, where);
  if (!source) {
    return "none of its recording's sources has its channel, " + std::to_string(*stated.channel);
  }
  stated.channel = source->channel;
  const auto type = required<std::string>(source->object, "type", where);
  if (type != "file") {
    return "its source is of type \"" + type +
           "\", and only \"file\" is read; save the audio as "
           "files first (CutSet.save_audios)";
  }
  stated.entry.place = fs::path(required<std::string>(source->object, "source", where));
  const auto transforms = list_or_empty(recording, "transforms", where);
  if (!transforms.empty()) {
    return "its recording is transformed when it is loaded (" + names_of(transforms) +
           "), and that is not done here; remove the transforms or save the audio as files first "
           "(CutSet.save_audios)";
  }
  stated.rate_hz = required<int>(recording, "sampling_rate", where);
  if (*stated.rate_hz <= 0) {
    throw Error(where, "\"sampling_rate\": expected more than 0 Hz, found " +
                           std::to_string(*stated.rate_hz));
  }
  if (recording.contains("duration")) {
    stated.recording_s = required_seconds(recording, "duration", where);
  }
  return "";
}

/// Fills in what the cut says; returns why it cannot be used, or nothing.
std::string read_cut(const json& cut, ManifestEntry& stated, const fs::path& where) {
  stated.entry.id = required<std::string>(cut, "id", where);
  if (stated.entry.id.empty()) throw Error(where, "\"id\": expected a name, found \"\"");
  const auto type = value_or(cut, "type", std::string("MonoCut"), where);
  if (type != "MonoCut" && type != "Cut") {  // the name in the first versions of lhotse
    return "it is a " + type + ", and only MonoCuts are read";
  }
  stated.segment = {required_seconds(cut, "start", where),
                    required_seconds(cut, "duration", where)};
  stated.channel = value_or(cut, "channel", 0, where);
  read_supervisions(cut, stated.entry, where);
  const auto recording = cut.find("recording");
  if (recording == cut.end() || recording->is_null()) return "it has no recording";
  if (!recording->is_object()) {
    throw Error(where, "\"recording\": expected an object, found " + excerpt(recording->dump()));
  }
  return read_recording(*recording, stated, where);
}

}  // namespace

Manifest read_lhotse(LineReader& lines) {
  Manifest manifest;
  for (json cut; !(cut = next_object(lines)).is_null();) {
    ManifestEntry& stated = manifest.entries.emplace_back();
    stated.line = lines.number();
    const std::string reason = read_cut(cut, stated, lines.here());
    if (!reason.empty()) {
      stated.entry.broken =
          lines.here().string() + ": cut \"" + stated.entry.id + "\" cannot be used: " + reason;
    }
  }
  return manifest;
}

}  // namespace flowqat::io
