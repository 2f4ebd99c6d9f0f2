/// What nodes fetch: splits of LibriSpeech, models from the Hub.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "graph/fetch.h"
#include "graph/reporter.h"
#include "io/fetch/fetch.h"
#include "io/fetch/hub_cache.h"
#include "io/fetch/librispeech_archives.h"

namespace flowqat::nodes {

/// How far a fetch is, for whoever watches the run.
graph::Progress to_progress(const io::FetchProgress& progress);

/// A node's missing splits; null if none is missing.
std::unique_ptr<graph::Fetch> missing_splits(const std::string& node,
                                             const io::LibriSpeechPlan& plan,
                                             const std::string& base_url);

/// A node's model.
std::unique_ptr<graph::Fetch> missing_model(const std::string& node, const io::HubModel& model);

/// Fetches a model of no node, says what and how much, and returns its snapshot. Throws RunError,
/// Interrupted.
std::filesystem::path fetched_model(const io::HubModel& model, const graph::FetchContext& context);

}  // namespace flowqat::nodes
