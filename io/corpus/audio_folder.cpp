#include "io/corpus/audio_folder.h"

#include <algorithm>

#include "io/files/companion.h"
#include "io/files/error.h"
#include "io/files/line_reader.h"
#include "io/files/parallel.h"
#include "io/files/printable.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// No text of an utterance is as long.
constexpr size_t most_text_bytes = size_t{16} << 20;

/// ASCII alone: the endings of audio files are.
std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// The files, sorted; the folders that were looked into are added to `folders` if it is not null.
std::vector<fs::path> list(const fs::path& folder, const std::vector<std::string>& extensions,
                           std::vector<fs::path>* folders) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) {
    throw Error(folder, "expected a folder with audio files, found " +
                            std::string(fs::exists(folder, code) ? "a file" : "nothing"));
  }
  std::vector<std::string> endings;
  std::string listed;
  for (const std::string& extension : extensions) {
    endings.push_back(lower(extension.starts_with('.') ? extension : "." + extension));
    listed += (listed.empty() ? "*" : ", *") + endings.back();
  }
  std::vector<fs::path> files;
  fs::recursive_directory_iterator next(folder, code);
  if (folders) folders->push_back(folder);
  for (; !code && next != fs::recursive_directory_iterator(); next.increment(code)) {
    if (is_companion(next->path().filename().native())) {
      next.disable_recursion_pending();
      continue;
    }
    const std::string ending = lower(next->path().extension().string());
    std::error_code ignored;  // a link to nowhere is listed, and found broken when it is read
    if (folders && next->is_directory(ignored) && !next->is_symlink(ignored)) {
      folders->push_back(next->path());
    }
    if (std::count(endings.begin(), endings.end(), ending) > 0 && !next->is_directory(ignored)) {
      files.push_back(next->path());
    }
  }
  if (code) throw Error(folder, "cannot be listed: " + code.message());
  if (files.empty()) {
    throw Error(folder, "no audio found in it or below it: expected files named " + listed);
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The text in `path`, on one line.
std::string read_text(const fs::path& path) {
  std::error_code code;
  if (fs::is_regular_file(path, code) && fs::file_size(path, code) == 0) return "";
  LineReader lines(path);
  std::string text;
  for (std::string line; lines.next(line);) {
    if (is_blank(line)) continue;
    if (text.size() + line.size() > most_text_bytes) throw Error(path, "is too long for a text");
    text += (text.empty() ? "" : " ") + line;
  }
  return text;
}

/// The first of the texts beside `audio` that is there; empty: none is.
fs::path text_beside(const fs::path& audio, const std::vector<std::string>& texts) {
  std::error_code code;
  for (const std::string& ending : texts) {
    fs::path beside = audio;
    beside.replace_extension();
    beside += ending.starts_with('.') ? ending : "." + ending;
    if (fs::exists(beside, code)) return beside;
  }
  return {};
}

/// Fills in the transcripts; the files that were read are added to what is watched.
void read_texts(Corpus& corpus, const std::vector<std::string>& texts, int threads) {
  std::vector<fs::path> files(corpus.entries.size());
  parallel_for(files.size(), threads, [&](size_t i) {
    CorpusEntry& entry = corpus.entries[i];
    try {
      files[i] = text_beside(entry.place.path, texts);
      if (!files[i].empty()) entry.transcript = read_text(files[i]);
    } catch (const Error& error) {
      entry.broken = error.what();
    }
  });
  const bool any = std::ranges::any_of(files, [](const fs::path& file) { return !file.empty(); });
  for (size_t i = 0; any && i < files.size(); ++i) {
    CorpusEntry& entry = corpus.entries[i];
    if (!files[i].empty()) {
      corpus.watched.push_back(files[i]);
    } else if (entry.broken.empty()) {
      entry.broken = printable(entry.place.path.native()) +
                     ": has no transcript, others have: expected a file of its name that ends in ";
      for (const std::string& ending : texts) {
        entry.broken += (&ending == &texts.front() ? "." : ", .") + ending;
      }
    }
  }
}

}  // namespace

const std::vector<std::string>& text_extensions() {
  static const std::vector<std::string> extensions{"txt", "lab", "transcript", "normalized.txt"};
  return extensions;
}

const std::vector<std::string>& audio_extensions() {
  static const std::vector<std::string> extensions{"flac", "wav", "mp3", "ogg", "opus", "m4a"};
  return extensions;
}

std::vector<fs::path> audio_files_below(const fs::path& folder,
                                        const std::vector<std::string>& extensions) {
  return list(folder, extensions, nullptr);
}

Corpus scan_audio_folder(const fs::path& folder, const std::vector<std::string>& extensions,
                         const Scanning& scanning, const std::vector<std::string>& texts) {
  Corpus corpus;
  for (const fs::path& file : list(folder, extensions, &corpus.watched)) {
    const fs::path place = file.lexically_relative(folder);
    CorpusEntry entry;
    entry.id = place.generic_string();
    entry.place = file;
    entry.group = place.parent_path().generic_string();
    corpus.entries.push_back(std::move(entry));
  }
  if (!texts.empty()) read_texts(corpus, texts, scanning.threads);
  read_headers(corpus.entries, scanning);
  return corpus;
}

}  // namespace flowqat::io
