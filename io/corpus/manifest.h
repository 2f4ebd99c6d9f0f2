/// Manifests: files that list the utterances of a corpus, in four formats that speech tools write.
/// Each may be compressed with gzip.
///
/// nemo (NeMo, JSON Lines): `audio_filepath`, `duration`, `text`, and where they apply `offset`,
/// `speaker`, and `channel` or `channel_selector`: one channel, from 0 on, or "average". With an
/// offset, even of 0, an utterance is the segment of `duration` seconds from there on, or of all
/// that follows where the duration is null or not there; without one it is the whole recording.
///
/// fairseq (TSV): the first line is the folder of the audio, each further one a path and the number
/// of samples. Transcripts stand beside it, a line an utterance, in the same name with the ending
/// .wrd (words) or else .ltr (letters, and "|" behind each word); without either there are none.
///
/// lhotse (cuts, JSON Lines): MonoCuts of recordings whose channel is in one file, which may have
/// others too. The texts
/// of several supervisions are joined in the order of their starts; the speaker is known where all
/// name the same one. A supervision with a text that begins before its cut or ends behind it, by
/// more than 2 ms, makes the cut `broken`: its text says more than the cut holds. What else lhotse
/// can describe (mixed cuts, other sources, transforms on the fly) is not read: those entries are
/// `broken`.
///
/// table (CSV by comma, semicolon or bar; TSV): a first line of column names, of which one is that
/// of the audio (path, audio, audio_filepath, audio_path, audio_file, file, file_name, filename,
/// wav, wav_filename) and where there are transcripts one theirs (sentence, text, transcript,
/// transcription, wrd); then those of the speaker (client_id, speaker, speaker_id, spk_id), and
/// `offset` with `duration` as in NeMo's. Case does not matter. Of Common Voice's tables the audio
/// is found in clips/ beside them.
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
enum class ManifestFormat { automatic, nemo, fairseq, lhotse, table };

/// "auto", "nemo", "fairseq", "lhotse" or "table". Throws Error listing these for any other text.
ManifestFormat parse_manifest_format(const std::string& text);
/// The texts that parse_manifest_format knows, the default first.
std::vector<std::string> manifest_format_names();

/// Where a line of a manifest says what; empty: as its format has it.
struct ManifestKeys {
  std::string audio = {};  ///< of NeMo's lines and of tables
  std::string text = {};   ///< of these, and of lhotse's supervisions
};

struct ManifestOptions {
  ManifestFormat format = ManifestFormat::automatic;
  /// The folder that relative paths of audio start from. Empty: the manifest's own, or the one that
  /// the first line of a fairseq TSV names (which, if relative, starts from the manifest's own).
  std::filesystem::path audio_root = {};
  ManifestKeys keys = {};
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
/// an entry whose `broken` says so, and so do a malformed line, naming its number, the id of a cut
/// that was there before, and a line without a text where others have one (an empty text is one,
/// and so is a cut without supervisions; an empty cell of a table is none). Throws Error when the
/// manifest is missing, of no known format, without utterances or with nothing but malformed lines;
/// when a key or column that was asked for is of no use; and when the transcripts are not as many
/// as the utterances.
Corpus scan_manifest(const std::filesystem::path& path, const ManifestOptions& options,
                     const Scanning& scanning);

/// For a person who misses transcripts: where they were expected and what is there instead, as the
/// manifest's first utterance shows it. Throws Error as scan_manifest() does.
std::string describe_texts(const std::filesystem::path& path, const ManifestOptions& options);

}  // namespace flowqat::io
