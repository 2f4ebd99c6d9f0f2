/// What the readers of the manifest formats share; users of manifests need manifest.h alone.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/corpus/corpus.h"
#include "io/corpus/manifest.h"
#include "io/files/json_file.h"
#include "io/files/line_reader.h"
#include "io/files/printable.h"

namespace flowqat::io {

/// All that a manifest states of one utterance. What is not stated is not there, or 0.
struct ManifestEntry {
  struct Segment {
    double start_s;
    std::optional<double> duration_s;  ///< none: to the end of the recording
  };

  CorpusEntry entry;      ///< the path as written, not yet resolved; no `audio`
  bool relative = false;  ///< whether the path had to be resolved
  int64_t line = 0;
  bool is_malformed = false;  ///< `broken` because of the line itself
  /// Whether a text is stated, be it an empty one.
  bool has_text = false;
  std::optional<Segment> segment;  ///< none: the whole recording
  std::optional<double> recording_s;
  std::optional<int64_t> recording_samples;
  std::optional<int> rate_hz;
  std::optional<int> channel;  ///< the one of the file that is wanted, from 0 on; none: all
};

struct Manifest {
  std::vector<ManifestEntry> entries;
  std::filesystem::path audio_root;  ///< as the manifest names it; empty: it does not
  /// Where there is no file at a relative path, it may be in this folder below the root.
  std::filesystem::path other_root = {};
  std::vector<std::filesystem::path> watched;  ///< beside the manifest itself
};

/// These read one format each; `keys` say where the audio and the text are, as in ManifestOptions.
/// A line that is malformed or cannot be used is a `broken` entry, of which the line alone is
/// known.
Manifest read_nemo(LineReader& lines, const ManifestKeys& keys);
Manifest read_fairseq(LineReader& lines);
Manifest read_lhotse(LineReader& lines, const ManifestKeys& keys);
Manifest read_table(LineReader& lines, const ManifestKeys& keys);

/// The separator of a table whose header is `line`: it has two columns or more, one of them a
/// column of audio by its name. 0 if it is no such header.
char table_separator(const std::string& line, const ManifestKeys& keys);
/// Where a table has its texts, and what else it has: for describe_texts().
std::string describe_table_texts(LineReader& lines, const ManifestKeys& keys);

/// Checks what is stated against the recording's `audio`, as read_headers() left it in `entry`, and
/// cuts the segment out of it: see manifest.h for the rules. What does not fit becomes `broken`.
/// `manifest` and `audio_root` are for messages.
void fit_to_header(const ManifestEntry& stated, const std::filesystem::path& manifest,
                   const std::filesystem::path& audio_root, CorpusEntry& entry);

/// Puts the next line that is not blank into `line`; false behind the last.
bool next_text(LineReader& lines, std::string& line);
/// `line` as a JSON object. Throws Error.
nlohmann::json parse_object(const std::string& line, const std::filesystem::path& where);

/// Adds an entry for a line that `read` reads into it; what that throws makes the entry broken.
template <typename Read>
void add_line(const LineReader& lines, Manifest& manifest, Read&& read) {
  ManifestEntry& stated = manifest.entries.emplace_back();
  stated.line = lines.number();
  try {
    read(stated);
  } catch (const Error& error) {
    ManifestEntry broken;
    broken.line = stated.line;
    broken.is_malformed = true;
    broken.entry.id = stated.entry.id;
    broken.entry.broken = error.what();
    stated = std::move(broken);
  }
}

/// The shortest text that reads as this number again.
std::string text_of(double number);
/// Its keys, for a message.
std::string keys_of(const nlohmann::json& object);

/// As value_or(), but a key that is missing or null is an Error.
template <typename T>
T required(const nlohmann::json& object, const char* key, const std::filesystem::path& where) {
  if (!object.contains(key) || object.at(key).is_null()) {
    throw Error(where, std::string("expected the key \"") + key + "\", found " + keys_of(object));
  }
  return value_or(object, key, T{}, where);
}

/// A time or length, at least 0.
double required_seconds(const nlohmann::json& object, const char* key,
                        const std::filesystem::path& where);

}  // namespace flowqat::io
