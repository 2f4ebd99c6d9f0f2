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
/// An utterance never disappears: audio that is missing or whose header is broken, and audio
/// without a line in the transcript, give an entry whose `broken` says so. Throws Error when `root`
/// or a named split is missing (listing those that are there), when no split or no utterance is
/// found, and for a transcript that is malformed: a line without text, an id twice.
Corpus scan_librispeech(const std::filesystem::path& root, const std::vector<std::string>& splits,
                        const Scanning& scanning);

}  // namespace flowqat::io
