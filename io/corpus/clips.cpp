#include "io/corpus/clips.h"

#include <algorithm>

#include "io/corpus/audio_folder.h"
#include "io/corpus/scan_progress.h"
#include "io/files/error.h"
#include "io/files/parallel.h"

namespace flowqat::io {
namespace {

/// Block by block: a noise may be hours long.
void hear(CorpusEntry& clip) {
  clip.group.clear();
  if (!clip.broken.empty()) return;
  if (clip.audio.samples == 0) {
    clip.broken = clip.place.path.string() + ": holds no audio";
    return;
  }
  bool is_silent = true;
  try {
    decode_audio(clip.place, clip.audio, [&](std::span<const float> block) {
      is_silent = is_silent &&
                  std::all_of(block.begin(), block.end(), [](float sample) { return sample == 0; });
    });
  } catch (const std::exception& error) {
    clip.broken = error.what();
  }
  if (is_silent) clip.group = kSilence;
}

}  // namespace

Corpus scan_clips(const std::filesystem::path& folder, const std::vector<std::string>& extensions,
                  const Scanning& scanning) {
  Corpus corpus = scan_audio_folder(folder, extensions, scanning);
  for (const CorpusEntry& clip : corpus.entries) corpus.watched.push_back(clip.place.path);
  ScanProgress progress(scanning, static_cast<int64_t>(corpus.entries.size()));
  parallel_for(corpus.entries.size(), scanning.threads, [&](size_t i) {
    hear(corpus.entries[i]);
    progress.one_more();
  });
  return corpus;
}

}  // namespace flowqat::io
