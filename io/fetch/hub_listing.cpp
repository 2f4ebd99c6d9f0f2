#include "io/fetch/hub_listing.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "io/fetch/hub_cache.h"
#include "io/files/error.h"

namespace flowqat::io {

HubListing parse_hub_listing(const std::string& body) {
  try {
    const auto json = parse_json<nlohmann::json>(body);
    HubListing listing{.commit = json.at("sha").get<std::string>(), .names = {}};
    for (const auto& file : json.at("siblings")) {
      listing.names.insert(file.at("rfilename").get<std::string>());
    }
    if (is_hub_commit(listing.commit)) return listing;
  } catch (const JsonError&) {
    // The same as a commit that is none.
  } catch (const nlohmann::json::exception&) {
    // And so are other keys.
  }
  throw Error("the answer is no list of a model's files; is HF_ENDPOINT a Hub?");
}

}  // namespace flowqat::io
