/// A corpus in LibriSpeech's layout: SPLIT/SPEAKER/CHAPTER/*.flac with a .trans.txt a chapter.
#include "io/corpus/librispeech.h"

#include <filesystem>

#include "graph/error.h"
#include "io/files/error.h"
#include "nodes/support/corpus_source.h"
#include "nodes/support/fetching.h"

namespace flowqat::nodes {
namespace {

class LibriSpeech : public CorpusSource {
 public:
  explicit LibriSpeech(const graph::NodeArguments& arguments)
      : CorpusSource(arguments, "root"),
        root_(arguments.params.text("root")),
        splits_(arguments.params.texts("splits")),
        download_(arguments.params.flag("download")),
        base_url_(arguments.params.text("base_url")) {
    if (!download_) return;
    if (splits_.empty()) {
      throw graph::GraphError(
          "key \"download\": needs the key \"splits\", which says what to fetch");
    }
    try {
      plan();
    } catch (const io::Error& error) {
      throw graph::GraphError(std::string("key \"splits\": ") + error.what());
    }
  }

  std::unique_ptr<graph::Fetch> missing() const override {
    return download_ ? missing_splits(name(), plan(), base_url_) : nullptr;
  }

 private:
  io::LibriSpeechPlan plan() const {
    return io::plan_librispeech(splits_, root_, io::FetchOptions().jobs);
  }
  io::Corpus scan(const io::Scanning& scanning) const override {
    return io::scan_librispeech(root_, splits_, scanning);
  }
  std::string identity() const override {
    std::vector<std::string> parts{std::filesystem::absolute(root_), root_};
    parts.insert(parts.end(), splits_.begin(), splits_.end());
    return identity_of("librispeech", parts);
  }

  std::string root_;
  std::vector<std::string> splits_;
  bool download_;
  std::string base_url_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "librispeech",
    .doc = "a corpus in LibriSpeech's folder layout",
    .output = graph::EdgeKind::utterances,
    .params = corpus_params({
        {.name = "root",
         .kind = ParamKind::path,
         .doc = "the folder of the splits, or the one that holds LibriSpeech/",
         .may_change = true},
        {.name = "splits",
         .kind = ParamKind::texts,
         .fallback = graph::Default::empty_list(),
         .doc = "splits to read, in this order; none named: all that are there"},
        {.name = "download",
         .kind = ParamKind::boolean,
         .fallback = false,
         .doc = "fetch the splits that are not there from OpenSLR into LibriSpeech/ in the root, "
                "before the run",
         .may_change = true},
        {.name = "base_url",
         .kind = ParamKind::text,
         .fallback = io::kOpenSlr,
         .doc = "where the archives are fetched from: SPLIT.tar.gz below it",
         .may_change = true},
    }),
    .make = [](graph::NodeArguments a) { return std::make_unique<LibriSpeech>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
