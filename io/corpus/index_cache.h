/// The index of a corpus, kept between runs: reading the headers of a large corpus takes minutes,
/// this is mapped at once.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/utterance_table.h"
#include "io/corpus/corpus.h"

namespace flowqat::io {

/// $XDG_CACHE_HOME/flowqat/index, or ~/.cache/flowqat/index; empty where neither variable is set.
std::filesystem::path index_cache_folder();

/// The utterances that `scan` finds, or what it found before, mapped from a file in `folder`
/// (created if need be; empty: no cache, and all of it stays in memory). `identity` says all that
/// the scan depends on beside the file system.
///
/// What was found before holds as long as every watched file and folder has the time that it had
/// then. Files overwritten in place are not noticed here: their audio is compared with the index
/// when it is decoded. A corpus that changed in the second before its scan is not kept, because a
/// change in the same tick of the clock could not be told. A cache that is damaged or of another
/// version is made anew, and one that cannot be written is done without. Throws what `scan` throws.
std::shared_ptr<const UtteranceTable> cached_utterances(const std::filesystem::path& folder,
                                                        const std::string& identity,
                                                        const std::function<Corpus()>& scan);

/// The same as entries, for corpora that are small.
std::vector<CorpusEntry> cached_entries(const std::filesystem::path& folder,
                                        const std::string& identity,
                                        const std::function<Corpus()>& scan);

}  // namespace flowqat::io
