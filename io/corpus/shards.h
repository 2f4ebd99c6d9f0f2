/// A corpus in WebDataset's tar files (shards): the members of an utterance have one key, which is
/// their path but for the ending: a/0001.flac, a/0001.txt, a/0001.json (see shard_samples.h).
#pragma once
#include <string>
#include <vector>

#include "io/corpus/corpus.h"

namespace flowqat::io {

/// Indexes the utterances of all shards that `paths` (see find_shards) name, on several threads;
/// the result does not depend on their number. Entries come in the order in which
/// their keys first stand in the shards. Their audio is decoded from where it lies in the shard.
///
/// An entry's group is its shard's path from the deepest folder that all shards have in common, its
/// id GROUP/KEY. Its audio is the member that ends in one of audio_extensions(), in any case. Its
/// transcript is that of KEY.txt, else KEY.transcript, else KEY.normalized.txt, else the "text" of
/// KEY.json, with white space between words made one space. Its speaker is the "speaker" of
/// KEY.json. Other members, companions (see companion.h), and WebDataset's own below folders like
/// __meta__ are passed over.
///
/// An utterance never disappears. An entry whose `broken` says why stands for a key with a
/// transcript but without audio, or with two members for one purpose; for audio that is empty, a
/// link, or has a broken header; for a transcript that is no UTF-8 or JSON; and, where any
/// utterance has a transcript, for audio without one. Throws Error, naming the shard and the member
/// at which it happens, for what find_shards() and TarFile refuse, because what is lost behind that
/// cannot be counted; and when no shard holds an utterance.
Corpus scan_shards(const std::vector<std::string>& paths, const Scanning& scanning);

/// For a person who misses transcripts: the keys of the first member that is JSON, or that there is
/// none. Throws Error as scan_shards() does.
std::string describe_json_keys(const std::vector<std::string>& paths);

}  // namespace flowqat::io
