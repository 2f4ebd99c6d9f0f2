/// Fetches the files of a wav2vec2 model from the Hugging Face Hub into its cache (hub_cache.h).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/fetch/fetch.h"
#include "io/fetch/hub_cache.h"
#include "io/files/checksum.h"

namespace flowqat::io {

struct HubFile {
  std::string name = {};
  int64_t bytes = 0;
  Checksum checksum = {};  ///< also the name of its blob
};

/// A commit's files, as the Hub lists them.
struct HubPlan {
  HubModel model = {};
  std::string commit = {};
  std::vector<HubFile> files = {};       ///< all that matter, those in the cache too
  std::vector<std::string> absent = {};  ///< names that the commit does not have
  std::filesystem::path snapshot = {};   ///< the folder that will have them all
  int64_t bytes = 0;                     ///< of what the cache does not hold
  int64_t kept_bytes = 0;                ///< of these, what an earlier try has left
  size_t missing = 0;                    ///< how many files these are
};

/// Asks the Hub: a few small requests, with the token to the endpoint alone. Throws Error for a
/// model that is not there or not allowed, one without safetensors, and when HF_HUB_OFFLINE is set;
/// Stopped.
HubPlan plan_hub_model(const HubModel& model, const FetchOptions& options);

/// The endpoint as messages may show it.
std::string shown_hub_endpoint();
/// "fetching 377.6 MB of ORG/NAME (6 files) to FOLDER".
std::string describe(const HubPlan& plan);

/// Fetches what is missing, verifies each file by the hash that the Hub names it by, and links the
/// snapshot when all are there. Throws Error, Stopped; what was fetched stays as BLOB.incomplete.
void fetch_hub_model(const HubPlan& plan, const FetchOptions& options);

}  // namespace flowqat::io
