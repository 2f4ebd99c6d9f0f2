/// Audio files below a folder, known by the endings of their names.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/corpus/corpus.h"

namespace flowqat::io {

/// The endings that stand for audio where none are named: flac, wav, mp3, ogg, opus, m4a.
const std::vector<std::string>& audio_extensions();

/// Every file below `folder` whose ending is one of `extensions` (upper or lower case), sorted.
/// Links to files count, links to folders are not followed. Throws Error when `folder` is missing
/// or is no folder, cannot be listed, or holds no such file.
std::vector<std::filesystem::path> audio_files_below(const std::filesystem::path& folder,
                                                     const std::vector<std::string>& extensions);

/// The same as a corpus without transcripts: an id is the file's path from `folder`, its group the
/// folder that it is in. `scanning` as for read_headers().
Corpus scan_audio_folder(const std::filesystem::path& folder,
                         const std::vector<std::string>& extensions, const Scanning& scanning);

}  // namespace flowqat::io
