#include "io/corpus/audio_folder.h"

#include <algorithm>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

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
}  // namespace

const std::vector<std::string>& audio_extensions() {
  static const std::vector<std::string> extensions{"flac", "wav", "mp3", "ogg", "opus", "m4a"};
  return extensions;
}

std::vector<fs::path> audio_files_below(const fs::path& folder,
                                        const std::vector<std::string>& extensions) {
  return list(folder, extensions, nullptr);
}

Corpus scan_audio_folder(const fs::path& folder, const std::vector<std::string>& extensions,
                         const Scanning& scanning) {
  Corpus corpus;
  for (const fs::path& file : list(folder, extensions, &corpus.watched)) {
    const fs::path place = file.lexically_relative(folder);
    CorpusEntry entry;
    entry.id = place.generic_string();
    entry.place = file;
    entry.group = place.parent_path().generic_string();
    corpus.entries.push_back(std::move(entry));
  }
  read_headers(corpus.entries, scanning);
  return corpus;
}

}  // namespace flowqat::io
