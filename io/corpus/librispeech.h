/// A corpus in LibriSpeech's layout: ROOT/SPLIT/SPEAKER/CHAPTER/{SPEAKER-CHAPTER.trans.txt,
/// SPEAKER-CHAPTER-UTTERANCE.flac}. Panayotov et al., "LibriSpeech: an ASR corpus based on public
/// domain audio books", ICASSP 2015; layout as in its README.TXT.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/corpus/corpus.h"

namespace flowqat::io {

/// Indexes the utterances of `splits`; empty: every folder in `root` that has
/// SPEAKER/CHAPTER/*.trans.txt. `root` is the LibriSpeech folder itself or the folder that holds
/// it. Only FLAC headers are read, on several threads; the result does not depend
/// on their number. Sorted by split, then by speaker, chapter and utterance as numbers.
///
/// Transcripts may have a byte order mark, tabs for spaces and CRLF, and be compressed with gzip.
/// Companions (see companion.h) are passed over.
///
/// An utterance never disappears: audio that is missing or whose header is broken, audio without a
/// line in the transcript, and a line that is malformed (no text, an id twice, an id that leaves
/// the folder) give an entry whose `broken` says so. Throws Error when `root` or a named split is
/// missing (listing those that are there), and when no split or no utterance is found.
Corpus scan_librispeech(const std::filesystem::path& root, const std::vector<std::string>& splits,
                        const Scanning& scanning);

}  // namespace flowqat::io
