#include "io/corpus/librispeech.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "io/files/companion.h"
#include "io/files/error.h"
#include "io/files/line_reader.h"
#include "io/files/printable.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// What a folder holds, by name, so that no result depends on the file system's order.
std::vector<fs::directory_entry> sorted_entries(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::directory_entry> entries;
  fs::directory_iterator next(folder, fs::directory_options::skip_permission_denied, code);
  for (; !code && next != fs::directory_iterator(); next.increment(code)) {
    if (!is_companion(next->path().filename().native())) entries.push_back(*next);
  }
  if (code) throw Error(folder, "cannot be listed: " + code.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> folders;
  for (const auto& entry : sorted_entries(folder)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  return folders;
}

bool is_transcript(const fs::path& path) { return path.string().ends_with(".trans.txt"); }

bool is_split(const fs::path& folder) {
  for (const auto& speaker : folders_in(folder)) {
    for (const auto& chapter : folders_in(speaker)) {
      for (const auto& entry : sorted_entries(chapter)) {
        if (is_transcript(entry.path())) return true;
      }
    }
  }
  return false;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> splits_in(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& folder : folders_in(root)) {
    if (is_split(folder)) names.push_back(folder.filename().string());
  }
  return names;
}

/// `root` itself, or the LibriSpeech folder in it.
fs::path corpus_folder(const fs::path& root) {
  if (!fs::is_directory(root)) {
    throw Error(root, "expected a folder in LibriSpeech's layout, found " +
                          std::string(fs::exists(root) ? "a file" : "nothing") +
                          "; \"download\": true in a librispeech node, or flowqat fetch "
                          "librispeech, fetches the splits");
  }
  const fs::path inner = root / "LibriSpeech";
  return fs::is_directory(inner) ? inner : root;
}

std::vector<std::string> chosen_splits(const fs::path& root, std::vector<std::string> wanted) {
  if (wanted.empty()) {
    wanted = splits_in(root);
    if (wanted.empty()) {
      throw Error(root, "no split found: expected SPLIT/SPEAKER/CHAPTER/*.trans.txt below it");
    }
    return wanted;
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (const auto& split : wanted) {
    if (fs::is_directory(root / split)) continue;
    const auto there = splits_in(root);
    throw Error(root, "no split \"" + split + "\"; there " +
                          (there.empty() ? "are none" : "are: " + joined(there)));
  }
  return wanted;
}

/// What a transcript says of an utterance, or why it says nothing.
struct Line {
  std::string text, broken;
};

/// Utterance id to text, from one chapter's transcript. A line that cannot be used costs its own
/// utterance, whatever is left of the name that it may have meant.
std::map<std::string, Line> read_transcript(const fs::path& path) {
  std::map<std::string, Line> texts;
  std::error_code code;
  if (fs::file_size(path, code) == 0 && !code) return texts;
  LineReader lines(path);
  for (std::string line; lines.next(line);) {
    if (is_blank(line)) continue;
    const auto stripped = [](const std::string& text) {
      const size_t begin = text.find_first_not_of(" \t\r");
      return begin == text.npos ? std::string()
                                : text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
    };
    line = stripped(line);
    const size_t space = std::min(line.find_first_of(" \t"), line.size());
    const std::string id = line.substr(0, space);
    const auto [place, is_new] = texts.try_emplace(id, Line{stripped(line.substr(space)), ""});
    Line& one = place->second;
    const std::string where = lines.here().string() + ": ";
    if (id.find('/') != id.npos || id == "." || id == ".." || id.find('\0') != id.npos) {
      one.broken = where + "expected the name of a file in this folder, found " + excerpt(id);
    } else if (!is_new) {
      one.broken = where + "utterance " + excerpt(id) + " is there twice";
    } else if (one.text.empty()) {
      one.broken = where + "expected \"ID TEXT\", found " + excerpt(line);
    }
  }
  return texts;
}

/// The numbers of an id like 1089-134686-0000, which sort as numbers; then the id itself.
std::tuple<std::vector<int64_t>, std::string> order_of(const std::string& id) {
  std::vector<int64_t> numbers;
  const char* end = id.data() + id.size();
  for (const char* at = id.data(); at < end; ++at) {
    int64_t number = 0;
    const auto [next, code] = std::from_chars(at, end, number);
    if (code != std::errc()) break;
    numbers.push_back(number);
    at = next;
    if (at == end || *at != '-') break;
  }
  return {numbers, id};
}

void add_chapter(const fs::path& folder, const std::string& split, Corpus& corpus) {
  std::map<std::string, CorpusEntry> entries;
  std::vector<std::string> transcripts;
  const std::string speaker = folder.parent_path().filename().string();
  const auto entry_of = [&](const std::string& id) -> CorpusEntry& {
    CorpusEntry& entry = entries[id];
    entry.id = id;
    entry.place = folder / (id + ".flac");
    entry.speaker = speaker;
    entry.group = split;
    return entry;
  };
  const auto files = sorted_entries(folder);
  for (const auto& file : files) {
    if (!is_transcript(file.path())) continue;
    transcripts.push_back(file.path().filename().string());
    corpus.watched.push_back(file.path());
    for (auto& [id, line] : read_transcript(file.path())) {
      CorpusEntry& entry = entry_of(id);
      entry.transcript = line.text;
      entry.broken = line.broken;
      // What an id like "../x" points at is never looked at.
      if (!line.broken.empty()) entry.place = file.path();
    }
  }
  for (const auto& file : files) {
    if (file.path().extension() != ".flac") continue;
    const std::string id = file.path().stem().string();
    if (const auto found = entries.find(id); found != entries.end()) continue;
    CorpusEntry& entry = entry_of(id);
    entry.broken = transcripts.empty() ? "no *.trans.txt beside it"
                                       : "no transcript in " + joined(transcripts);
  }
  corpus.watched.push_back(folder);
  for (auto& [id, entry] : entries) corpus.entries.push_back(std::move(entry));
}

}  // namespace

Corpus scan_librispeech(const fs::path& root, const std::vector<std::string>& splits,
                        const Scanning& scanning) {
  const fs::path folder = corpus_folder(root);
  Corpus corpus;
  if (splits.empty()) corpus.watched.push_back(folder);
  for (const auto& split : chosen_splits(folder, splits)) {
    corpus.watched.push_back(folder / split);
    for (const auto& speaker : folders_in(folder / split)) {
      corpus.watched.push_back(speaker);
      for (const auto& chapter : folders_in(speaker)) add_chapter(chapter, split, corpus);
    }
  }
  if (corpus.entries.empty()) {
    throw Error(folder,
                "no utterance found in the chosen splits: expected "
                "SPLIT/SPEAKER/CHAPTER/*.flac below it");
  }
  std::sort(corpus.entries.begin(), corpus.entries.end(),
            [](const CorpusEntry& a, const CorpusEntry& b) {
              return std::tuple(a.group, order_of(a.id)) < std::tuple(b.group, order_of(b.id));
            });
  read_headers(corpus.entries, scanning);
  return corpus;
}

}  // namespace flowqat::io
