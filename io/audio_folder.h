/// Audio files below a folder, known by the endings of their names.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/audio_file.h"

namespace flowqat::io {

/// The endings that stand for audio where none are named: flac, wav, mp3, ogg, opus, m4a.
const std::vector<std::string>& audio_extensions();

/// Every file below `folder` whose ending is one of `extensions` (upper or lower case), sorted.
/// Links to files count, links to folders are not followed. Throws Error when `folder` is missing
/// or is no folder, cannot be listed, or holds no such file.
std::vector<std::filesystem::path> audio_files_below(const std::filesystem::path& folder,
                                                     const std::vector<std::string>& extensions);

struct AudioHeader {
  AudioInfo audio;     ///< zeros when `broken`
  std::string broken;  ///< why the file cannot be used; empty if it can
};

/// The header of each of `paths`, read on `threads` threads (0: all cores); the result does not
/// depend on their number.
std::vector<AudioHeader> read_audio_headers(const std::vector<std::filesystem::path>& paths,
                                            int threads);

}  // namespace flowqat::io
