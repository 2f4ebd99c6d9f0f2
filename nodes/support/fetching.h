/// What nodes fetch: splits of LibriSpeech, models from the Hub.
#pragma once
#include <memory>
#include <string>

#include "graph/fetch.h"
#include "io/fetch/hub_cache.h"
#include "io/fetch/librispeech_archives.h"

namespace flowqat::nodes {

/// A node's missing splits; null if none is missing.
std::unique_ptr<graph::Fetch> missing_splits(const std::string& node,
                                             const io::LibriSpeechPlan& plan,
                                             const std::string& base_url);

/// A node's model.
std::unique_ptr<graph::Fetch> missing_model(const std::string& node, const io::HubModel& model);

}  // namespace flowqat::nodes
