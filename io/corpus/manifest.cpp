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
ManifestFormat format_of(const nlohmann::json& object, const ManifestKeys& keys,
                         const fs::path& where) {
  if (object.contains("audio_filepath")) return ManifestFormat::nemo;
  if (!keys.audio.empty() && object.contains(keys.audio)) return ManifestFormat::nemo;
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
                  keys_of(object) + "; the key \"audio_key\" names another");
}

/// The first line that is an object tells the format: one bad line costs one line, the first too.
ManifestFormat format_of_objects(LineReader& lines, const ManifestKeys& keys) {
  constexpr int most_lines = 100;
  std::string first_error, line;
  for (int i = 0; i < most_lines && next_text(lines, line); ++i) {
    try {
      return format_of(parse_object(line, lines.here()), keys, lines.here());
    } catch (const Error& error) {
      if (first_error.empty()) first_error = error.what();
    }
  }
  throw Error(first_error);
}

ManifestFormat detect_format(const fs::path& path, const ManifestKeys& keys) {
  std::string first, second;
  {
    LineReader lines(path);
    next_text(lines, first);
    next_text(lines, second);
  }
  if (first.find_first_not_of(" \t") == first.find('{')) {
    LineReader lines(path);
    if (!is_blank(first)) return format_of_objects(lines, keys);
  }
  if (table_separator(first, keys) != 0) return ManifestFormat::table;
  const bool is_one_column = first.find('\t') == std::string::npos;
  if (is_one_column && second.find('\t') != std::string::npos) return ManifestFormat::fairseq;
  throw Error(path,
              "expected a manifest in JSON Lines (NeMo, lhotse cuts), a TSV (fairseq), or a table "
              "with a header that names the column of the audio (path, audio_filepath, file_name "
              "or, with \"audio_key\", another), found a file that begins with " +
                  excerpt(first));
}

/// The format that is asked for or found. Throws Error for keys that it has no use for.
ManifestFormat chosen_format(const fs::path& path, const ManifestOptions& options) {
  const ManifestKeys& keys = options.keys;
  const ManifestFormat format =
      options.format == ManifestFormat::automatic ? detect_format(path, keys) : options.format;
  const bool has_keys = format == ManifestFormat::nemo || format == ManifestFormat::table;
  if (!keys.audio.empty() && !has_keys) {
    throw Error(path, "\"audio_key\" is for NeMo's manifests and for tables, and it is none");
  }
  if (!keys.text.empty() && format == ManifestFormat::fairseq) {
    throw Error(path, "\"text_key\": a fairseq TSV has its transcripts beside it in .wrd or .ltr");
  }
  return format;
}

Manifest read_manifest(const fs::path& path, ManifestFormat format, const ManifestKeys& keys) {
  LineReader lines(path);
  switch (format) {
    case ManifestFormat::nemo:
      return read_nemo(lines, keys);
    case ManifestFormat::lhotse:
      return read_lhotse(lines, keys);
    case ManifestFormat::table:
      return read_table(lines, keys);
    default:
      return read_fairseq(lines);
  }
}

/// Where a text is missing by an oversight: some have one, and this one's is not stated.
void mark_without_text(const fs::path& path, const ManifestKeys& keys, Manifest& manifest) {
  const auto has_text = [](const ManifestEntry& stated) { return stated.has_text; };
  if (std::ranges::none_of(manifest.entries, has_text)) return;
  for (ManifestEntry& stated : manifest.entries) {
    if (stated.has_text || !stated.entry.broken.empty()) continue;
    stated.entry.broken = printable(path.native()) + ", line " + std::to_string(stated.line) +
                          ": " + printable(stated.entry.place.path.native()) + " has no " +
                          (keys.text.empty() ? "text" : excerpt(keys.text)) +
                          ", others have; write \"\" (in JSON) where nothing is said";
  }
}

/// A manifest in which no line could be read is another format, or no manifest.
void refuse_malformed(const Manifest& manifest, const fs::path& path) {
  if (manifest.entries.empty()) throw Error(path, "expected utterances, found none");
  const auto is_malformed = [](const ManifestEntry& stated) { return stated.is_malformed; };
  if (std::ranges::all_of(manifest.entries, is_malformed)) {
    throw Error(manifest.entries.front().entry.broken);
  }
}

/// Ids that the manifest gives are kept; the others are made of the path and the offset.
void set_ids(std::vector<ManifestEntry>& entries, const fs::path& path) {
  std::unordered_map<std::string, int64_t> line_of;  // of given ids
  std::unordered_map<std::string, int64_t> last;     // of made ones, the number that was given last
  for (ManifestEntry& stated : entries) {
    std::string& id = stated.entry.id;
    bool by_line = stated.entry.place.path.empty();
    if (!id.empty()) {
      const auto [first, is_new] = line_of.emplace(id, stated.line);
      if (is_new) continue;
      stated.entry.broken = printable(path.native()) + ", line " + std::to_string(stated.line) +
                            ": the id " + excerpt(id) + " is that of line " +
                            std::to_string(first->second) + "; ids must be unique";
      by_line = true;
    }
    std::string made = by_line ? path.filename().string() + ":" + std::to_string(stated.line)
                               : stated.entry.place.path.string();
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
    throw Error("expected a manifest format of auto, nemo, fairseq, lhotse or table, found " +
                excerpt(text));
  }
  return static_cast<ManifestFormat>(found - names.begin());
}

std::vector<std::string> manifest_format_names() {
  return {"auto", "nemo", "fairseq", "lhotse", "table"};
}

Corpus scan_manifest(const fs::path& path, const ManifestOptions& options,
                     const Scanning& scanning) {
  const ManifestFormat format = chosen_format(path, options);
  Manifest manifest = read_manifest(path, format, options.keys);
  refuse_malformed(manifest, path);
  mark_without_text(path, options.keys, manifest);
  set_ids(manifest.entries, path);
  const fs::path root = audio_root(path, manifest, options);
  Corpus corpus;
  corpus.entries.reserve(manifest.entries.size());
  std::error_code code;
  for (ManifestEntry& stated : manifest.entries) {
    CorpusEntry& entry = corpus.entries.emplace_back(std::move(stated.entry));
    entry.group = path.filename().string();
    // What is broken already has no audio; its line in the manifest is where to look.
    stated.relative = entry.broken.empty() && entry.place.path.is_relative();
    const fs::path written = entry.place.path;
    entry.place.path = entry.broken.empty() ? root / written : path;
    if (stated.relative && !manifest.other_root.empty() && !fs::exists(entry.place.path, code) &&
        fs::exists(root / manifest.other_root / written, code)) {
      entry.place.path = root / manifest.other_root / written;
    }
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

std::string describe_texts(const fs::path& path, const ManifestOptions& options) {
  const ManifestFormat format = chosen_format(path, options);
  const ManifestKeys& keys = options.keys;
  LineReader lines(path);
  if (format == ManifestFormat::table) return describe_table_texts(lines, keys);
  if (format == ManifestFormat::fairseq) {
    return "expected the transcripts of " + printable(path.native()) +
           " beside it, in the same name with the ending .wrd or .ltr";
  }
  const std::string wanted = keys.text.empty() ? "\"text\"" : excerpt(keys.text);
  for (std::string line; next_text(lines, line);) {
    nlohmann::json object;
    try {
      object = parse_object(line, lines.here());
    } catch (const Error&) {
      continue;
    }
    const std::string where = printable(lines.here().native());
    if (format == ManifestFormat::lhotse) {
      const auto all = object.find("supervisions");
      const bool has_some = all != object.end() && all->is_array() && !all->empty();
      return "expected " + wanted + " in the supervisions of the cuts; " + where + " has " +
             (has_some ? "one with the keys " + keys_of(all->front()) : "none");
    }
    return "expected the text under " + wanted + "; " + where + " has the keys " + keys_of(object) +
           ", and the key \"text_key\" names another";
  }
  return "";
}

}  // namespace flowqat::io
