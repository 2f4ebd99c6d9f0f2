/// What the readers of the manifest formats share; users of manifests need manifest.h alone.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/corpus/corpus.h"
#include "io/files/json_file.h"
#include "io/files/line_reader.h"

namespace flowqat::io {

/// All that a manifest states of one utterance. What is not stated is not there, or 0.
struct ManifestEntry {
  struct Segment {
    double start_s, duration_s;
  };

  CorpusEntry entry;      ///< the path as written, not yet resolved; no `audio`
  bool relative = false;  ///< whether the path had to be resolved
  int64_t line = 0;
  std::optional<Segment> segment;  ///< none: the whole recording
  std::optional<double> recording_s;
  std::optional<int64_t> recording_samples;
  std::optional<int> rate_hz;
  std::optional<int> channel;  ///< the one of the file that is wanted, from 0 on; none: all
};

struct Manifest {
  std::vector<ManifestEntry> entries;
  std::filesystem::path audio_root;            ///< as the manifest names it; empty: it does not
  std::vector<std::filesystem::path> watched;  ///< beside the manifest itself
};

/// These read one format each. They throw Error for a malformed line; what is well-formed but
/// cannot be used is `broken`.
Manifest read_nemo(LineReader& lines);
Manifest read_fairseq(LineReader& lines);
Manifest read_lhotse(LineReader& lines);

/// Checks what is stated against the recording's `audio`, as read_headers() left it in `entry`, and
/// cuts the segment out of it: see manifest.h for the rules. What does not fit becomes `broken`.
/// `manifest` and `audio_root` are for messages.
void fit_to_header(const ManifestEntry& stated, const std::filesystem::path& manifest,
                   const std::filesystem::path& audio_root, CorpusEntry& entry);

/// The next line that is not blank, as a JSON object; null behind the last.
nlohmann::json next_object(LineReader& lines);

/// The beginning of `text` in quotes, fit for a message whatever it holds.
std::string excerpt(const std::string& text);
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
