/// A corpus in LibriSpeech's layout: SPLIT/SPEAKER/CHAPTER/*.flac with a .trans.txt a chapter.
#include "io/librispeech.h"

#include <filesystem>

#include "nodes/corpus_source.h"

namespace flowqat::nodes {
namespace {

class LibriSpeech : public CorpusSource {
 public:
  explicit LibriSpeech(const graph::NodeArguments& arguments)
      : CorpusSource(arguments, "root"),
        root_(arguments.params.text("root")),
        splits_(arguments.params.texts("splits")) {}

 private:
  io::Corpus scan(int threads) const override {
    return io::scan_librispeech(root_, splits_, threads);
  }
  std::string identity() const override {
    std::vector<std::string> parts{std::filesystem::absolute(root_), root_};
    parts.insert(parts.end(), splits_.begin(), splits_.end());
    return identity_of("librispeech", parts);
  }

  std::string root_;
  std::vector<std::string> splits_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "librispeech",
    .doc = "a corpus in LibriSpeech's folder layout",
    .output = graph::EdgeKind::utterances,
    .params = corpus_params({
        {.name = "root",
         .kind = ParamKind::path,
         .doc = "the folder of the splits, or the one that holds LibriSpeech/"},
        {.name = "splits",
         .kind = ParamKind::texts,
         .fallback = graph::Json::array(),
         .doc = "splits to read, in this order; none named: all that are there"},
    }),
    .make = [](graph::NodeArguments a) { return std::make_unique<LibriSpeech>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
