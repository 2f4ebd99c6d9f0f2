#include "graph/run_inputs.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "graph/output_error.h"
#include "graph/saved_state.h"
#include "graph/stream_identity.h"

namespace flowqat::graph {
namespace fs = std::filesystem;
namespace {

/// The listing that a state was made with, if it is still there.
std::string listing_before(const fs::path& file) {
  std::ifstream listing(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(listing), {}};
  return is_whole_listing(text) ? text : "";
}

}  // namespace

RunInputs::RunInputs(const Checked& checked, const PipelineOptions& options) {
  Json streams = Json::object(), uses = Json::object();
  for (const auto& [batcher, stream] : checked.streams) {
    streams[batcher->name()] = identity_of(stream, options);
    indices_.emplace(batcher->name(), stream.index);
  }
  for (const auto& [node, use] : checked.uses) {
    uses[node] = {{"what", use.what}, {"checksum", use.checksum}};
  }
  summary_ = std::make_shared<const Json>(Json{{"streams", streams}, {"uses", uses}});
}

std::string RunInputs::listing_name(const std::string& batcher) {
  return plain_name(batcher) + ".index.jsonl";
}

void RunInputs::write_listings(const fs::path& folder) const {
  for (const auto& [batcher, index] : indices_) {
    if (index.size() > most_listed) continue;
    std::ofstream file(folder / listing_name(batcher), std::ios::binary);
    list(index, [&file](std::string_view piece) { file << piece; });
    file.flush();
    if (!file) throw OutputError((folder / listing_name(batcher)).string() + ": cannot be written");
  }
}

std::string RunInputs::difference(const Json& before, const fs::path& beginning) const {
  std::string text;
  const auto add = [&text](const std::string& line) { text += (text.empty() ? "" : "; ") + line; };
  for (const auto& [batcher, stream] : before.at("streams").items()) {
    const Json& streams = summary_->at("streams");
    if (!streams.contains(batcher) || streams.at(batcher) == stream) continue;
    const Json& now = streams.at(batcher);
    if (stream.value("plan_version", 1) != plan_version) {
      add("\"" + batcher +
          "\" was planned by a version of flowqat that draws up batches in another way (go on with "
          "that one, or begin anew)");
      continue;
    }
    if (now.at("index") == stream.at("index")) {
      add("\"" + batcher + "\" has the same utterances in other batches");
      continue;
    }
    const std::string listing = listing_before(beginning / listing_name(batcher));
    const Index& index = indices_.at(batcher);
    add("\"" + batcher + "\": " +
        (listing.empty() || index.size() > most_listed
             ? stream.at("utterances").dump() + " utterances before, " +
                   now.at("utterances").dump() + " now"
             : listing_difference(listing, listing_of(index))));
  }
  for (const auto& [node, use] : before.at("uses").items()) {
    const Json& uses = summary_->at("uses");
    if (!uses.contains(node) || uses.at(node).at("checksum") == use.at("checksum")) continue;
    add("\"" + node + "\": " + use.at("what").get<std::string>() + ", now " +
        uses.at(node).at("what").get<std::string>() + ", others than before");
  }
  return text;
}

}  // namespace flowqat::graph
