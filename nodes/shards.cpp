/// A corpus in WebDataset's tar files, read in order.
#include "io/corpus/shards.h"

#include <filesystem>

#include "graph/error.h"
#include "nodes/support/corpus_source.h"

namespace flowqat::nodes {
namespace {

class Shards : public CorpusSource {
 public:
  explicit Shards(const graph::NodeArguments& arguments)
      : CorpusSource(arguments, "paths"),
        paths_(arguments.params.texts("paths")),
        shuffle_window_(arguments.params.integer("shuffle_window")) {
    if (paths_.empty()) throw graph::GraphError("key \"paths\": must name at least one, found []");
  }

  int64_t shuffle_window() const override { return shuffle_window_; }

 private:
  io::Corpus scan(const io::Scanning& scanning) const override {
    return io::scan_shards(paths_, scanning);
  }
  std::string describe_texts() const override {
    return "expected texts in members KEY.txt, KEY.transcript, KEY.normalized.txt or as \"text\" "
           "in "
           "KEY.json beside the audio; " +
           io::describe_json_keys(paths_);
  }
  std::string identity() const override {
    std::vector<std::string> parts{std::filesystem::current_path()};
    parts.insert(parts.end(), paths_.begin(), paths_.end());
    return identity_of("shards", parts);
  }

  std::vector<std::string> paths_;
  int64_t shuffle_window_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "shards",
    .doc = "a corpus in WebDataset's uncompressed tar files, read in order",
    .output = graph::EdgeKind::utterances,
    .params = corpus_params({
        {.name = "paths",
         .kind = ParamKind::texts,
         .doc = "tar files, folders of *.tar, and patterns such as train-{000000..000127}.tar; an "
                "utterance's id is SHARD/KEY",
         .may_change = true},
        {.name = "shuffle_window",
         .kind = ParamKind::integer,
         .fallback = 1000,
         .unit = "utterances",
         .minimum = 0,
         .maximum = 1e9,
         .doc = "whole shards change places, and utterances only within so many neighbours, so "
                "that a shard is read once and in order; 0: anything may come at any time"},
    }),
    .make = [](graph::NodeArguments a) { return std::make_unique<Shards>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
