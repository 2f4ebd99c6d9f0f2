#include <charconv>

#include "io/corpus/manifest_entry.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// "T H E | C A T |" is "THE CAT".
std::string words_of(const std::string& letters) {
  std::string words;
  for (const char c : letters) {
    if (c != '|' && c != ' ') {
      words += c;
    } else if (c == '|' && !words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  return words;
}

std::vector<std::string> read_transcripts(const fs::path& path) {
  LineReader lines(path);
  std::vector<std::string> texts;
  for (std::string line; lines.next(line);) {
    std::string text = path.extension() == ".ltr" ? words_of(line) : line;
    while (text.ends_with(' ') || text.ends_with('\t')) text.pop_back();
    texts.push_back(std::move(text));
  }
  return texts;
}

/// TRAIN.tsv and TRAIN.tsv.gz have their transcripts in TRAIN.wrd or TRAIN.ltr.
void add_transcripts(const fs::path& path, Manifest& manifest) {
  fs::path base = path;
  if (base.extension() == ".gz") base.replace_extension();
  // A folder changes when transcripts are put beside the manifest, or others that go before.
  manifest.watched.push_back(path.has_parent_path() ? path.parent_path() : ".");
  for (const char* extension : {".wrd", ".ltr"}) {
    const fs::path beside = base.replace_extension(extension);
    if (!fs::exists(beside)) continue;
    manifest.watched.push_back(beside);
    std::vector<std::string> texts = read_transcripts(beside);
    const size_t count = manifest.entries.size();
    while (texts.size() > count && texts.back().empty()) texts.pop_back();
    if (texts.size() != count) {
      throw Error(beside, "expected " + std::to_string(count) + " lines, as many as " +
                              path.filename().string() + " has utterances, found " +
                              std::to_string(texts.size()));
    }
    for (size_t i = 0; i < count; ++i) {
      manifest.entries[i].entry.transcript = std::move(texts[i]);
      manifest.entries[i].has_text = true;
    }
    return;
  }
}

}  // namespace

Manifest read_fairseq(LineReader& lines) {
  Manifest manifest;
  std::string line;
  while (lines.next(line) && is_blank(line)) continue;
  if (is_blank(line) || line.find('\t') != std::string::npos) {
    throw Error(lines.here(), "expected the folder of the audio, found " + excerpt(line));
  }
  manifest.audio_root = line;
  while (lines.next(line)) {
    if (is_blank(line)) continue;
    const size_t tab = line.find('\t');
    int64_t samples = -1;
    if (tab != std::string::npos && tab > 0) {
      const char* end = line.data() + line.size();
      const auto [stop, code] = std::from_chars(line.data() + tab + 1, end, samples);
      if (code != std::errc() || stop != end) samples = -1;
    }
    add_line(lines, manifest, [&](ManifestEntry& stated) {
      if (samples < 0) {
        throw Error(lines.here(),
                    "expected a path, a tab and a number of samples, found " + excerpt(line));
      }
      stated.entry.place = fs::path(line.substr(0, tab));
      stated.recording_samples = samples;
    });
  }
  add_transcripts(lines.path(), manifest);
  return manifest;
}

}  // namespace flowqat::io
