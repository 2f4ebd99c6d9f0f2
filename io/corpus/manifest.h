/// Manifests: files that list the utterances of a corpus, in three formats that speech tools write.
/// Each may be compressed with gzip.
///
/// nemo (NeMo, JSON Lines): `audio_filepath`, `duration`, `text`, and where they apply `offset`,
/// `speaker`, and `channel` or `channel_selector`: one channel, from 0 on, or "average". With an
/// offset, even of 0, an utterance is the segment of `duration` seconds from there on; without one
/// it is the whole recording.
///
/// fairseq (TSV): the first line is the folder of the audio, each further one a path and the number
/// of samples. Transcripts stand beside it, a line an utterance, in the same name with the ending
/// .wrd (words) or else .ltr (letters, and "|" behind each word); without either there are none.
///
/// lhotse (cuts, JSON Lines): MonoCuts of recordings whose channel is in one file, which may have
/// others too. The texts
/// of several supervisions are joined in the order of their starts; the speaker is known where all
/// name the same one. What else lhotse can describe (mixed cuts, other sources, transforms on the
/// fly) is not read: those entries are `broken`.
///
/// A segment is that of the recording's own sampling rate: it begins at sample start_s * rate_hz
/// and has duration_s * rate_hz samples, both rounded to the nearest, halves up. Manifests round
/// their times, to 1/100 s in practice: a segment that ends at most 10 ms behind the recording is
/// cut there, and one that ends later is broken. What is stated of a whole recording must fit its
/// header: its duration within 0.1 s or 1 %, whichever is more; its samples (fairseq) and its rate
/// (lhotse) exactly. NeMo itself would read the beginning of a longer file without a word; here a
/// difference is taken for a wrong file.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/corpus/corpus.h"

namespace flowqat::io {

/// automatic: told by the first lines of the file.
enum class ManifestFormat { automatic, nemo, fairseq, lhotse };

/// "auto", "nemo", "fairseq" or "lhotse". Throws Error listing these for any other text.
ManifestFormat parse_manifest_format(const std::string& text);
/// The texts that parse_manifest_format knows, the default first.
std::vector<std::string> manifest_format_names();

struct ManifestOptions {
  ManifestFormat format = ManifestFormat::automatic;
  /// The folder that relative paths of audio start from. Empty: the manifest's own, or the one that
  /// the first line of a fairseq TSV names (which, if relative, starts from the manifest's own).
  std::filesystem::path audio_root = {};
};

/// The utterances in the order of the manifest. The header of a recording is read once, however
/// many segments it has, on several threads; the result does not depend on their
/// number. The id of an utterance is its cut's or the path as written, with "@" and the offset in
/// seconds behind a segment's, and "#2", "#3" ... where that was there before. The group is the
/// manifest's file name. Watched are the manifest, its transcripts, the folders of the audio and
/// the recordings that segments are taken from; a whole recording that is overwritten in place is
/// noticed when it is decoded.
///
/// An utterance never disappears: audio that is missing, broken or not what the manifest says gives
/// an entry whose `broken` says so. Throws Error when the manifest is missing, of no known format
/// or without utterances; for a malformed line, naming its number; for the id of a cut that is
/// there twice; and when the transcripts are not as many as the utterances.
Corpus scan_manifest(const std::filesystem::path& path, const ManifestOptions& options,
                     const Scanning& scanning);

}  // namespace flowqat::io
