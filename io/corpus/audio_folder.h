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
/// Links to files count, links to folders are not followed, companions (companion.h) are passed
/// over. Throws Error when `folder` is missing
/// or is no folder, cannot be listed, or holds no such file.
std::vector<std::filesystem::path> audio_files_below(const std::filesystem::path& folder,
                                                     const std::vector<std::string>& extensions);

/// The endings that stand for the text of a recording, in the order in which they are looked for:
/// txt, lab, transcript, normalized.txt.
const std::vector<std::string>& text_extensions();

/// The same as a corpus: an id is the file's path from `folder`, its group the folder that it is
/// in, and its transcript what a file of the same name with the first of `texts` that is there
/// holds, its lines made one; none for an empty list. `scanning` as for read_headers().
///
/// Where any recording has a text, one without is `broken`, as is one whose text is no UTF-8 or
/// cannot be read; an empty file is an empty text.
Corpus scan_audio_folder(const std::filesystem::path& folder,
                         const std::vector<std::string>& extensions, const Scanning& scanning,
                         const std::vector<std::string>& texts = {});

}  // namespace flowqat::io
