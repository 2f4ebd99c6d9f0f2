#include "io/corpus/corpus.h"

#include <map>
#include <new>
#include <string_view>
#include <system_error>
#include <tuple>

#include "io/corpus/scan_progress.h"
#include "io/files/parallel.h"

namespace flowqat::io {

namespace {

/// Entries of one file: its header is the header of them all.
using SameFile = std::vector<CorpusEntry*>;

/// What is not known yet, in the order in which the files are first named.
std::vector<SameFile> files_to_read(std::vector<CorpusEntry>& entries) {
  std::vector<SameFile> files;
  std::map<std::tuple<std::string_view, int64_t, int64_t>, size_t> known;
  for (CorpusEntry& entry : entries) {
    if (!entry.broken.empty() || entry.audio.rate_hz != 0) continue;
    const AudioPlace& place = entry.place;
    const auto [file, is_new] = known.emplace(
        std::tuple(std::string_view(place.path.native()), place.first_byte, place.bytes),
        files.size());
    if (is_new) files.emplace_back();
    files[file->second].push_back(&entry);
  }
  return files;
}

}  // namespace

void read_headers(std::vector<CorpusEntry>& entries, const Scanning& scanning) {
  const std::vector<SameFile> files = files_to_read(entries);
  ScanProgress telling(scanning, static_cast<int64_t>(files.size()));
  parallel_for(files.size(), scanning.threads, [&](size_t i) {
    AudioInfo audio;
    std::string broken;
    try {
      audio = read_audio_info(files[i].front()->place);
    } catch (const std::bad_alloc&) {
      throw;  // no fault of the file's, and nothing to keep in an index
    } catch (const std::system_error&) {
      throw;
    } catch (const std::exception& error) {
      broken = error.what();
    }
    for (CorpusEntry* entry : files[i]) {
      entry->audio = audio;
      entry->broken = broken;
    }
    telling.one_more();
  });
}

}  // namespace flowqat::io
