/// Which members of a shard make an utterance.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/tar_file.h"

namespace flowqat::io {

/// Endings of a member that is a transcript as a whole; the first that is there counts.
inline constexpr std::array<std::string_view, 3> shard_text_endings{"txt", "transcript",
                                                                    "normalized.txt"};

/// The members of one utterance, by what they are.
struct ShardSample {
  std::string key;
  std::vector<TarMember> audio, json;
  std::array<std::vector<TarMember>, shard_text_endings.size()> texts;
};

/// The utterances of a shard in the order in which their names first stand in it. Members belong
/// together whose names differ only in the ending, whether or not there are dots before it. Two
/// things are as WebDataset has them, for which a key ends at the first dot: "KEY.meta.json" says
/// nothing where "KEY.flac" is there too, and "KEY.txt" is the text of "KEY.16k.flac" where that is
/// the key's only audio and has no text of its own; the utterance is then called KEY.
std::vector<ShardSample> shard_samples(TarFile& shard);

}  // namespace flowqat::io
