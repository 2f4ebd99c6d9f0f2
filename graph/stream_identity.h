/// What a stream's batches are made from, so that a run that is resumed can tell whether it is
/// still the same: every utterance of the index in its order, and how a plan orders them.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "graph/json.h"
#include "graph/known_stream.h"

namespace flowqat::graph {

/// How plans are made: to be raised whenever the same index gives other batches or other draws.
inline constexpr int plan_version = 2;

/// For a state: "utterances", the checksums "index" and "plan" (of the first window), and
/// "plan_version". Throws what EpochPlan throws.
Json identity_of(const KnownStream& stream, const PipelineOptions& options);

/// Larger corpora are not listed: their listings would fill run folders.
inline constexpr size_t most_listed = 500'000;

/// A line for each utterance of the index: its id, and all that decides of batches; then a line
/// with their checksum. Where the audio is found is not in it. Handed to `sink` in pieces.
void list(const Index& index, const std::function<void(std::string_view)>& sink);
std::string listing_of(const Index& index);
/// Whether it is whole: its last line is the checksum of the others.
bool is_whole_listing(std::string_view listing);

/// What differs between the listing of then and now, in words: "12 utterances before, 11 now; gone:
/// a; of another length: b". Empty: nothing.
std::string listing_difference(const std::string& before, const std::string& now);

}  // namespace flowqat::graph
