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

/// How far a supervision may stand over its cut: times are rounded.
constexpr double overlap_tolerance_s = 0.002;

/// Fills in what the supervisions say; returns why they cannot be used, or nothing.
std::string read_supervisions(const json& cut, double cut_s, const ManifestKeys& keys,
                              ManifestEntry& stated, const fs::path& where) {
  struct Supervision {
    double start_s;
    std::string text, speaker;
  };
  CorpusEntry& entry = stated.entry;
  const char* key = keys.text.empty() ? "text" : keys.text.c_str();
  std::vector<Supervision> all;
  const json items = list_or_empty(cut, "supervisions", where);
  stated.has_text = items.empty();  // nothing is said in it
  for (const json& item : items) {
    all.push_back({value_or(item, "start", 0.0, where), value_or(item, key, std::string(), where),
                   value_or(item, "speaker", std::string(), where)});
    const Supervision& one = all.back();
    const double end_s = one.start_s + value_or(item, "duration", 0.0, where);
    stated.has_text = stated.has_text || (item.contains(key) && !item.at(key).is_null());
    // Half a nanosecond more, because the sum of two decimal fractions is not exact.
    const double tolerance_s = overlap_tolerance_s + 5e-10;
    const bool is_inside = one.start_s >= -tolerance_s && end_s <= cut_s + tolerance_s;
    if (is_inside || one.text.empty()) continue;
    return "its supervision " + excerpt(one.text) + " from " + text_of(one.start_s) + " to " +
           text_of(end_s) + " s is not all in the cut of " + text_of(cut_s) +
           " s, so that its text says more than can be heard; cut between the supervisions first "
           "(CutSet.trim_to_supervisions)";
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
  return "";
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
std::string read_cut(const json& cut, const ManifestKeys& keys, ManifestEntry& stated,
                     const fs::path& where) {
  stated.entry.id = required<std::string>(cut, "id", where);
  if (stated.entry.id.empty()) throw Error(where, "\"id\": expected a name, found \"\"");
  const auto type = value_or(cut, "type", std::string("MonoCut"), where);
  if (type != "MonoCut" && type != "Cut") {  // the name in the first versions of lhotse
    return "it is a " + type + ", and only MonoCuts are read";
  }
  const double cut_s = required_seconds(cut, "duration", where);
  stated.segment = {required_seconds(cut, "start", where), cut_s};
  stated.channel = value_or(cut, "channel", 0, where);
  if (const std::string reason = read_supervisions(cut, cut_s, keys, stated, where);
      !reason.empty()) {
    return reason;
  }
  const auto recording = cut.find("recording");
  if (recording == cut.end() || recording->is_null()) return "it has no recording";
  if (!recording->is_object()) {
    throw Error(where, "\"recording\": expected an object, found " + excerpt(recording->dump()));
  }
  return read_recording(*recording, stated, where);
}

}  // namespace

Manifest read_lhotse(LineReader& lines, const ManifestKeys& keys) {
  Manifest manifest;
  for (std::string line; next_text(lines, line);) {
    add_line(lines, manifest, [&](ManifestEntry& stated) {
      const std::string reason =
          read_cut(parse_object(line, lines.here()), keys, stated, lines.here());
      if (reason.empty()) return;
      stated.entry.broken = printable(lines.here().native()) + ": cut " + excerpt(stated.entry.id) +
                            " cannot be used: " + reason;
    });
  }
  return manifest;
}

}  // namespace flowqat::io
