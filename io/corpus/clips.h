/// Recordings that a run draws from again and again, such as noises: all of them are heard once
/// before, so that a broken one is known at the start and not when it is first drawn.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/corpus/corpus.h"

namespace flowqat::io {

/// Lists `folder` as scan_audio_folder() does and decodes every file. CorpusEntry::broken says of a
/// file what is wrong with its header or its audio; CorpusEntry::group is kSilence where every
/// sample is zero. Every file is watched. Throws Error where the folder holds no audio.
Corpus scan_clips(const std::filesystem::path& folder, const std::vector<std::string>& extensions,
                  const Scanning& scanning);
inline constexpr const char* kSilence = "silence";

}  // namespace flowqat::io
