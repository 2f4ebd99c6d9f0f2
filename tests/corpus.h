/// A corpus for tests: short noisy tones as FLAC in LibriSpeech's layout, the same at every call.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace flowqat::testing {

struct CorpusShape {
  std::string split = "train";
  int speakers = 2;
  int utterances = 6;  ///< of each speaker
  int rate_hz = 16000;
  double shortest_s = 0.5;  ///< each further utterance of a speaker is 0.1 s longer
};

/// Writes ROOT/SPLIT/SPEAKER/1/... with the `flac` tool. Transcripts are words of base-960h's
/// vocabulary. Returns the audio files in the order of their ids.
std::vector<std::filesystem::path> make_corpus(const std::filesystem::path& root,
                                               const CorpusShape& shape = {});

/// Overwrites bytes in the middle of a file.
void damage(const std::filesystem::path& file);

}  // namespace flowqat::testing
