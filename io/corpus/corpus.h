/// What every kind of corpus says of its utterances, whatever lists them.
#pragma once
#include <filesystem>
#include <string>
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

/// Fills `audio` (or `broken`) of every entry that has neither, from the headers of the files, on
/// `threads` threads (0: all cores). The result does not depend on their number. A file that
/// several entries are parts of is read once; for a segment, `audio` is then still the whole
/// recording's.
void read_headers(std::vector<CorpusEntry>& entries, int threads);

}  // namespace flowqat::io
