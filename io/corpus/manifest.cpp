#include "io/corpus/manifest.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "io/corpus/manifest_entry.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// The format of JSON Lines, by the keys of their first object.
ManifestFormat format_of(const nlohmann::json& object, const fs::path& where) {
  if (object.contains("audio_filepath")) return ManifestFormat::nemo;
  if (object.contains("recording_id") || object.contains("sources")) {
    throw Error(where,
                "found lhotse's recordings or supervisions alone; make cuts of both with "
                "\"lhotse cut simple\"");
  }
  for (const char* key : {"recording", "tracks", "type"}) {
    if (object.contains(key)) return ManifestFormat::lhotse;
  }
  throw Error(where,
              "expected \"audio_filepath\" (NeMo) or \"recording\" (lhotse) among the keys, "
              "found " +
                  keys_of(object));
}

ManifestFormat detect_format(const fs::path& path) {
  std::string first, second;
  {
    LineReader lines(path);
    while (lines.next(first) && is_blank(first)) continue;
    while (lines.next(second) && is_blank(second)) continue;
  }
  if (first.find_first_not_of(" \t") == first.find('{')) {
    LineReader lines(path);
    const nlohmann::json object = next_object(lines);
    if (!object.is_null()) return format_of(object, lines.here());
  }
  if (second.find('\t') != std::string::npos) return ManifestFormat::fairseq;
  throw Error(path,
              "expected a manifest in JSON Lines (NeMo, lhotse cuts) or a TSV (fairseq), "
              "found a file that begins with " +
                  excerpt(first));
}

Manifest read_manifest(const fs::path& path, ManifestFormat format) {
  if (format == ManifestFormat::automatic) format = detect_format(path);
  LineReader lines(path);
  Manifest manifest = format == ManifestFormat::nemo      ? read_nemo(lines)
                      : format == ManifestFormat::fairseq ? read_fairseq(lines)
                                                          : read_lhotse(lines);
  if (manifest.entries.empty()) throw Error(path, "expected utterances, found none");
  return manifest;
}

/// Ids that the manifest gives are kept; the others are made of the path and the offset.
void set_ids(std::vector<ManifestEntry>& entries, const fs::path& path) {
  std::unordered_map<std::string, int64_t> line_of;  // of given ids
  std::unordered_map<std::string, int64_t> last;     // of made ones, the number that was given last
  for (ManifestEntry& stated : entries) {
    std::string& id = stated.entry.id;
    if (!id.empty()) {
      const auto [first, is_new] = line_of.emplace(id, stated.line);
      if (is_new) continue;
      throw Error(path, "lines " + std::to_string(first->second) + " and " +
                            std::to_string(stated.line) + " both have the id " + excerpt(id) +
                            "; ids must be unique");
    }
    std::string made = stated.entry.place.path.string();
    if (stated.segment) made += "@" + text_of(stated.segment->start_s);
    id = made;
    while (last.contains(id)) id = made + "#" + std::to_string(++last[made]);
    last.emplace(id, 1);
  }
}

/// What changes when audio is added, removed or replaced: the folder of each file, or what there is
/// of the way to it, and each recording that segments are taken from. Of a whole recording,
/// decoding notices that it is another; of a segment, it would not.
std::set<fs::path> audio_to_watch(const std::vector<CorpusEntry>& entries) {
  std::set<std::string> folders, recordings;
  for (const CorpusEntry& entry : entries) {
    folders.insert(entry.place.path.parent_path().native());
    if (entry.place.first_sample) recordings.insert(entry.place.path.native());
  }
  std::set<fs::path> watched(recordings.begin(), recordings.end());
  std::error_code code;
  for (fs::path folder : folders) {
    while (folder.has_relative_path() && !fs::is_directory(folder, code)) {
      folder = folder.parent_path();
    }
    watched.insert(folder.empty() ? "." : folder);
  }
  return watched;
}

/// The folder that relative paths start from.
fs::path audio_root(const fs::path& path, const Manifest& manifest,
                    const ManifestOptions& options) {
  if (!options.audio_root.empty()) return options.audio_root;
  const fs::path own = path.has_parent_path() ? path.parent_path() : ".";
  return manifest.audio_root.empty() ? own : own / manifest.audio_root;
}

}  // namespace

ManifestFormat parse_manifest_format(const std::string& text) {
  const auto names = manifest_format_names();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    throw Error("expected a manifest format of auto, nemo, fairseq or lhotse, found " +
                excerpt(text));
  }
  return static_cast<ManifestFormat>(found - names.begin());
}

std::vector<std::string> manifest_format_names() { return {"auto", "nemo", "fairseq", "lhotse"}; }

Corpus scan_manifest(const fs::path& path, const ManifestOptions& options,
                     const Scanning& scanning) {
  Manifest manifest = read_manifest(path, options.format);
  set_ids(manifest.entries, path);
  const fs::path root = audio_root(path, manifest, options);
  Corpus corpus;
  corpus.entries.reserve(manifest.entries.size());
  for (ManifestEntry& stated : manifest.entries) {
    CorpusEntry& entry = corpus.entries.emplace_back(std::move(stated.entry));
    entry.group = path.filename().string();
    // What is broken already has no audio; its line in the manifest is where to look.
    stated.relative = entry.broken.empty() && entry.place.path.is_relative();
    entry.place.path = entry.broken.empty() ? root / entry.place.path : path;
  }
  read_headers(corpus.entries, scanning);
  for (size_t i = 0; i < corpus.entries.size(); ++i) {
    fit_to_header(manifest.entries[i], path, root, corpus.entries[i]);
  }
  corpus.watched = std::move(manifest.watched);
  corpus.watched.push_back(path);
  for (const fs::path& audio : audio_to_watch(corpus.entries)) corpus.watched.push_back(audio);
  return corpus;
}

}  // namespace flowqat::io
