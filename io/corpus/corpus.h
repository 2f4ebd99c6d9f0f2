/// What every kind of corpus says of its utterances, whatever lists them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "io/audio/audio_file.h"

namespace flowqat::io {

struct CorpusEntry {
  std::string id;          ///< unique in its corpus
  AudioPlace place;        ///< where its audio lies
  AudioInfo audio;         ///< of the utterance, from the header alone; zeros when `broken`
  std::string transcript;  ///< as written; empty where there is none
  std::string speaker;     ///< empty where it is not known
  std::string group;       ///< the split, folder, manifest or archive that it belongs to
  std::string broken;      ///< why it cannot be used; empty if nothing is known against it
  bool operator==(const CorpusEntry&) const = default;
};

struct Corpus {
  std::vector<CorpusEntry> entries;
  /// The folders and files whose times tell whether the entries still hold: a folder's changes when
  /// a file is added, removed or renamed in it.
  std::vector<std::filesystem::path> watched;
};

/// How a corpus is listed.
struct Scanning {
  using Progress = std::function<void(int64_t done, int64_t total)>;
  Scanning(int threads, Progress progress = {})  // NOLINT: a number of threads is one
      : threads(threads), progress(std::move(progress)) {}
  int threads;  ///< 0: all cores
  /// Told now and then how many files' headers are read, by one thread at a time; `total` 0: their
  /// number is not known yet. What it throws ends the scan.
  Progress progress;
};

/// Fills `audio` (or `broken`) of every entry that has neither, from the headers of the files, on
/// several threads. The result does not depend on their number. A file that
/// several entries are parts of is read once; for a segment, `audio` is then still the whole
/// recording's.
void read_headers(std::vector<CorpusEntry>& entries, const Scanning& scanning);

}  // namespace flowqat::io
